// Command goyaml prints what Helm makes of a stream of manifests: the second opinion of the tests.
//
//	goyaml < stream          one JSON line per document: its value and its objects, or the error
//	goyaml -kyaml < stream   the same, after the round trip that Helm 4 makes of what a post-renderer prints
//	goyaml -serve            many streams: four bytes of length, big endian, then the stream; one JSON line for each
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/kyaml/kio"
)

// lookAhead is what kubectl's StreamVisitor asks for.
const lookAhead = 4096

type object struct {
	APIVersion   string `json:"apiVersion"`
	Kind         string `json:"kind"`
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`
	GenerateName string `json:"generateName"`
}

// document is one document: its value, and the objects in it or why Helm would refuse it.
type document struct {
	JSON    json.RawMessage `json:"json"`
	Objects []object        `json:"objects,omitempty"`
	Refused string          `json:"refused,omitempty"`
}

type stream struct {
	Documents []document `json:"documents"`
	Error     string     `json:"error,omitempty"`
}

func read(data []byte) stream {
	result := stream{Documents: []document{}}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), lookAhead)
	for {
		extension := runtime.RawExtension{}
		err := decoder.Decode(&extension)
		if err == io.EOF {
			return result
		}
		if err != nil {
			result.Error = err.Error()
			return result
		}
		raw := bytes.TrimSpace(extension.Raw)
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			result.Documents = append(result.Documents, document{JSON: []byte("null")})
			continue
		}
		found := document{JSON: raw}
		found.Objects, err = objects(raw)
		if err != nil {
			found.Refused = err.Error()
		}
		result.Documents = append(result.Documents, found)
	}
}

// objects does what metadataValidatingDecoder, FlattenListVisitor and infoForObject of k8s.io/cli-runtime do.
func objects(raw []byte) ([]object, error) {
	decoded, _, err := unstructured.UnstructuredJSONScheme.Decode(raw, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := checkMetadata(raw); err != nil {
		return nil, err
	}
	pending := []runtime.Object{decoded}
	found := []object{}
	for len(pending) > 0 {
		next := pending[0]
		pending = pending[1:]
		if meta.IsListType(next) {
			items, err := meta.ExtractList(next)
			if err != nil {
				return nil, err
			}
			pending = append(pending, items...)
			continue
		}
		one := next.(*unstructured.Unstructured)
		if one.GetKind() == "" {
			return nil, runtime.NewMissingKindErr("")
		}
		if one.GetAPIVersion() == "" {
			return nil, runtime.NewMissingVersionErr("")
		}
		found = append(found, object{
			one.GetAPIVersion(), one.GetKind(), one.GetNamespace(), one.GetName(), one.GetGenerateName(),
		})
	}
	return found, nil
}

type metadataOnly struct {
	metav1.TypeMeta   `json:""`
	metav1.ObjectMeta `json:"metadata,omitempty"`
}

func checkMetadata(raw []byte) error {
	return utiljson.Unmarshal(raw, &metadataOnly{})
}

func throughKyaml(data []byte) ([]byte, error) {
	nodes, err := kio.ParseAll(string(data))
	if err != nil {
		return nil, err
	}
	text, err := kio.StringAll(nodes)
	return []byte(text), err
}

func serve(input *bufio.Reader, output *bufio.Writer) error {
	encoder := json.NewEncoder(output)
	for {
		var size uint32
		if err := binary.Read(input, binary.BigEndian, &size); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(input, data); err != nil {
			return err
		}
		if err := encoder.Encode(read(data)); err != nil {
			return err
		}
		if err := output.Flush(); err != nil {
			return err
		}
	}
}

func run() error {
	kyaml := flag.Bool("kyaml", false, "parse and print the stream with kyaml first")
	server := flag.Bool("serve", false, "answer many streams")
	flag.Parse()
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	if *server {
		return serve(bufio.NewReader(os.Stdin), output)
	}
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if *kyaml {
		if data, err = throughKyaml(data); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	result := read(data)
	for _, found := range result.Documents {
		if err := encoder.Encode(found); err != nil {
			return err
		}
	}
	if result.Error != "" {
		return encoder.Encode(map[string]string{"error": result.Error})
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "goyaml:", err)
		os.Exit(1)
	}
}
