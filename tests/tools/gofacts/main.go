// Prints declarations of Go source files without comments and as gofmt sets them, for bin/facts.
//
// Stdin: a JSON list of {"root", "file", "name"}. Stdout: as many {"file", "text"}, "file" as found below root, "text"
// empty where there is no such declaration. A name is one of a function, method, type, constant or variable;
// "Type.Method" and "package.Name" are understood, and "*" for the whole file. Where the file lacks it, the one other file of the module that has
// it is taken; where several do, one of the same name or folder.
package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

type request struct{ Root, File, Name string }

type answer struct {
	File string `json:"file"`
	Text string `json:"text"`
}

var parsed = map[string]*ast.File{}

// parse reads a file without its comments; nil where it cannot be read.
func parse(path string) *ast.File {
	found, ok := parsed[path]
	if !ok {
		found, _ = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		parsed[path] = found
	}
	return found
}

func receiver(declared *ast.FuncDecl) string {
	if declared.Recv == nil {
		return ""
	}
	at := declared.Recv.List[0].Type
	for {
		switch of := at.(type) {
		case *ast.StarExpr:
			at = of.X
		case *ast.IndexExpr:
			at = of.X
		case *ast.IndexListExpr:
			at = of.X
		case *ast.Ident:
			return of.Name
		default:
			return ""
		}
	}
}

// show prints as gofmt does; without its file set, the layout of the source is forgotten.
func show(node ast.Node) string {
	var buffer bytes.Buffer
	settings := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := settings.Fprint(&buffer, token.NewFileSet(), node); err != nil {
		panic(err)
	}
	return buffer.String()
}

// declared prints every declaration of that name in a file.
func declared(path, name string) string {
	file := parse(path)
	if file == nil {
		return ""
	}
	if name == "*" {
		return show(file)
	}
	owner, short := "", name
	if before, after, ok := strings.Cut(name, "."); ok {
		short = after
		if before != file.Name.Name {
			owner = before
		}
	}
	var texts []string
	for _, each := range file.Decls {
		switch of := each.(type) {
		case *ast.FuncDecl:
			if of.Name.Name == short && (owner == "" || receiver(of) == owner) {
				texts = append(texts, show(of))
			}
		case *ast.GenDecl:
			for _, spec := range of.Specs {
				switch part := spec.(type) {
				case *ast.TypeSpec:
					if owner == "" && part.Name.Name == short {
						texts = append(texts, show(part))
					}
				case *ast.ValueSpec:
					for _, ident := range part.Names {
						if owner == "" && ident.Name == short {
								texts = append(texts, show(part))
						}
					}
				}
			}
		}
	}
	return strings.Join(texts, "\n")
}

func find(asked request) answer {
	path := filepath.Join(asked.Root, asked.File)
	if text := declared(path, asked.Name); text != "" {
		return answer{asked.File, text}
	}
	var found []answer
	if asked.Name == "*" {
		return answer{asked.File, ""}
	}
	_ = filepath.WalkDir(asked.Root, func(at string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(at, ".go") && !strings.HasSuffix(at, "_test.go") {
			if text := declared(at, asked.Name); text != "" {
				below, _ := filepath.Rel(asked.Root, at)
				found = append(found, answer{below, text})
			}
		}
		return nil
	})
	for _, alike := range []func(string) bool{
		func(string) bool { return len(found) == 1 },
		func(file string) bool { return filepath.Base(file) == filepath.Base(asked.File) },
		func(file string) bool {
			return filepath.Base(filepath.Dir(file)) == filepath.Base(filepath.Dir(asked.File))
		},
	} {
		for _, each := range found {
			if alike(each.File) {
				return each
			}
		}
	}
	return answer{asked.File, ""}
}

func main() {
	var asked []request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	answers := make([]answer, len(asked))
	for index, each := range asked {
		answers[index] = find(each)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
