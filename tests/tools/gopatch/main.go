// Gopatch answers, with the Go code that Helm and the API server are built from, what Python answers with a model.
//
// It reads one JSON request a line and answers each with one line. A result is JSON text; where Go walks a map and its
// error depends on what it meets first, every error that was seen in some runs is answered.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"

	patchv4 "github.com/evanphx/json-patch"
	patchv5 "github.com/evanphx/json-patch/v5"
	serverpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

const runsOfAnError = 24

type request struct {
	Op         string            `json:"op"`
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Documents  []json.RawMessage `json:"documents"`
	Keys       []string          `json:"keys"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Errors []string        `json:"errors,omitempty"`
}

var native = nativeScheme()

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var asked request
			if err := json.Unmarshal(line, &asked); err != nil {
				panic(err)
			}
			said, err := json.Marshal(respond(asked))
			if err != nil {
				panic(err)
			}
			out.Write(append(said, '\n'))
		}
		if err != nil {
			return
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func respond(asked request) answer {
	result, err := once(asked)
	if err == nil {
		return answer{Result: result}
	}
	said := answer{Errors: []string{err.Error()}}
	for range runsOfAnError {
		if _, err := once(asked); err != nil && !slices.Contains(said.Errors, err.Error()) {
			said.Errors = append(said.Errors, err.Error())
		}
	}
	return said
}

func once(asked request) (result []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%v", reason)
		}
	}()
	return do(asked)
}

func do(asked request) ([]byte, error) {
	d := asked.Documents
	switch asked.Op {
	case "merge_v4":
		return patchv4.CreateMergePatch(d[0], d[1])
	case "merge_v5":
		return patchv5.CreateMergePatch(d[0], d[1])
	case "apply_merge":
		return serverpatch.MergePatch(d[0], d[1])
	case "three_way_merge":
		return jsonmergepatch.CreateThreeWayJSONMergePatch(d[0], d[1], d[2],
			mergepatch.RequireKeyUnchanged("apiVersion"),
			mergepatch.RequireKeyUnchanged("kind"),
			mergepatch.RequireMetadataKeyUnchanged("name"))
	case "strategic":
		meta, err := strategicpatch.NewPatchMetaFromStruct(structOf(asked))
		if err != nil {
			return nil, err
		}
		return strategicpatch.CreateThreeWayMergePatch(d[0], d[1], d[2], meta, true)
	case "apply_strategic":
		patched, err := strategicpatch.StrategicMergeMapPatch(decoded(d[0]), decoded(d[1]), structOf(asked))
		if err != nil {
			return nil, err
		}
		return json.Marshal(patched)
	case "patch_type":
		return json.Marshal(isStrategic(asked))
	case "sort":
		order := keyed{asked.Keys, make([]int, len(asked.Keys))}
		for i := range order.indices {
			order.indices[i] = i
		}
		sort.Sort(order)
		return json.Marshal(order.indices)
	case "describe":
		return json.Marshal(describe(native))
	}
	panic("no operation is called " + asked.Op)
}

func structOf(asked request) runtime.Object {
	object, err := native.New(schema.FromAPIVersionAndKind(asked.APIVersion, asked.Kind))
	if err != nil {
		panic(err)
	}
	return object
}

// decoded has no memory to spare behind its lists, as an object that the API server has made of a struct.
func decoded(document []byte) map[string]any {
	object := map[string]any{}
	if err := kubejson.Unmarshal(document, &object); err != nil {
		panic(err)
	}
	return runtime.DeepCopyJSON(object)
}

// isStrategic follows AsVersioned and createPatch (pkg/kube of Helm): a strategic patch for what becomes a struct.
func isStrategic(asked request) bool {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": asked.APIVersion, "kind": asked.Kind}}
	gvk := object.GroupVersionKind()
	if gvk == (schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1beta1", Kind: "CustomResourceDefinition"}) {
		return false
	}
	_, err := runtime.ObjectConvertor(native).ConvertToVersion(object, gvk.GroupVersion())
	return err == nil
}

// keyed sorts indices by their keys, equal ones being less than each other: as strategicpatch sorts.
type keyed struct {
	keys    []string
	indices []int
}

func (k keyed) Len() int { return len(k.indices) }

func (k keyed) Less(i, j int) bool {
	return sort.StringsAreSorted([]string{k.keys[k.indices[i]], k.keys[k.indices[j]]})
}

func (k keyed) Swap(i, j int) { k.indices[i], k.indices[j] = k.indices[j], k.indices[i] }
