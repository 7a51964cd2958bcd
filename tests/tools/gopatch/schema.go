package main

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	forkedjson "k8s.io/apimachinery/third_party/forked/golang/json"
	"k8s.io/client-go/kubernetes/scheme"
)

// nativeScheme holds the kinds that Helm takes for built in (kubernetesNativeScheme, pkg/kube/converter.go).
func nativeScheme() *runtime.Scheme {
	native := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		scheme.AddToScheme, apiextensionsv1beta1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(native); err != nil {
			panic(err)
		}
	}
	return native
}

// meansNothing are kinds that no manifest holds: client-go registers them in every group and version, or beside a kind.
var meansNothing = []string{
	"CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions", "WatchEvent",
	"JobTemplate", "PodStatusResult", "Status",
}

type description struct {
	ClientGo string `json:"client_go"`
	// Kinds: apiVersion to kind to the name of its struct in Types.
	Kinds map[string]map[string]string `json:"kinds"`
	// Types: struct to JSON field to "type", or "type strategies" or "type strategies mergeKey". A type is the name of
	// a struct in Types or a kind of Go's reflect package, after "*" for a pointer and "[]" for a slice.
	Types map[string]map[string]string `json:"types"`
}

// describe walks all kinds of the scheme as strategicpatch does when it looks up a field.
func describe(native *runtime.Scheme) description {
	walk := walk{name: map[reflect.Type]string{}, fields: map[reflect.Type]map[string]field{}}
	roots := map[schema.GroupVersionKind]reflect.Type{}
	for gvk, t := range native.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal || slices.Contains(meansNothing, gvk.Kind) ||
			strings.HasSuffix(gvk.Kind, "List") {
			continue
		}
		roots[gvk] = t
		walk.visit(t)
	}
	walk.nameAll()
	result := description{clientGoVersion(), map[string]map[string]string{}, map[string]map[string]string{}}
	for gvk, t := range roots {
		version := gvk.GroupVersion().String()
		if result.Kinds[version] == nil {
			result.Kinds[version] = map[string]string{}
		}
		result.Kinds[version][gvk.Kind] = walk.name[t]
	}
	for t, fields := range walk.fields {
		described := map[string]string{}
		for name, found := range fields {
			described[name] = strings.TrimRight(strings.Join(
				[]string{walk.reference(found.t), found.strategies, found.mergeKey}, " "), " ")
		}
		result.Types[walk.name[t]] = described
	}
	return result
}

type field struct {
	t                    reflect.Type
	strategies, mergeKey string
}

type walk struct {
	name   map[reflect.Type]string
	fields map[reflect.Type]map[string]field
}

func (w *walk) visit(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || w.fields[t] != nil {
		return
	}
	w.fields[t] = map[string]field{}
	for _, name := range jsonNames(t) {
		found, strategies, mergeKey, err := forkedjson.LookupPatchMetadataForStruct(t, name)
		if err != nil {
			continue
		}
		w.fields[t][name] = field{found, strings.Join(strategies, ","), mergeKey}
		w.visit(found)
	}
}

// jsonNames lists every name that a field of the struct, or of one it embeds, may have in JSON.
func jsonNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		names = append(names, name)
	}
	return names
}

// nameAll gives structs with one name and equal fields one name, and tells others of the same name apart by a number.
func (w *walk) nameAll() {
	all := []reflect.Type{}
	for t := range w.fields {
		all = append(all, t)
		w.name[t] = t.Name()
	}
	slices.SortFunc(all, func(a, b reflect.Type) int { return strings.Compare(path(a), path(b)) })
	for classes := 0; ; {
		signatures := map[string]string{}
		count := map[string]int{}
		renamed := map[reflect.Type]string{}
		for _, t := range all {
			signature := t.Name() + " " + w.signature(t)
			if signatures[signature] == "" {
				count[t.Name()]++
				signatures[signature] = t.Name()
				if count[t.Name()] > 1 {
					signatures[signature] = fmt.Sprintf("%s@%d", t.Name(), count[t.Name()])
				}
			}
			renamed[t] = signatures[signature]
		}
		w.name = renamed
		if len(signatures) == classes {
			return
		}
		classes = len(signatures)
	}
}

func path(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

func (w *walk) signature(t reflect.Type) string {
	described := []string{}
	for name, found := range w.fields[t] {
		described = append(described, fmt.Sprint(name, " ", w.reference(found.t), " ", found.strategies, " ", found.mergeKey))
	}
	slices.Sort(described)
	return strings.Join(described, ";")
}

func (w *walk) reference(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + w.reference(t.Elem())
	case reflect.Slice, reflect.Array:
		return "[]" + w.reference(t.Elem())
	case reflect.Struct:
		return w.name[t]
	default:
		return t.Kind().String()
	}
}

func clientGoVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "k8s.io/client-go" {
			return module.Version
		}
	}
	return ""
}
