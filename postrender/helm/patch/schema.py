"""Which kinds Helm takes for built in, and what their Go structs say about patching each field.

The facts are in ``schema.json``, which ``tools/patchschema.py`` writes by walking the scheme of every client-go
from 0.24 (Helm 3.9) to 0.37 (Helm 4.3). Which kinds are known is told apart by Helm's version, fields are not: they are
those of the newest client-go that knows the kind. No field of a specification has changed its strategy or merge key in
that time; a field that an older Helm does not know makes it fail, in words, where both sides hold an object or a list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import NewType

from postrender._record import Record
from postrender.helm.patch.json_values import PatchError
from postrender.helm.versions import HelmVersion
from postrender.models import GroupVersionKind
from postrender.text import packaged

Schema = NewType("Schema", str)

"""A Go type: the name of a struct in ``schema.json`` or a kind of package reflect, ``*`` and ``[]`` before it."""


class PatchType(Enum):
    """How Helm patches an object client-side, with the content type it sends."""

    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"


class Field(Record):
    """What is known of a field: the type of its value (of one element, for a list) and its struct tags.

    ``strategy`` is ``""`` (objects are merged, lists replaced), ``merge`` or ``replace``. ``merge_key`` is ``""``
    where the elements are scalars.
    """

    schema: Schema
    strategy: str
    retain_keys: bool
    merge_key: str


class _Facts(Record):
    client_go: str
    kinds: Mapping[str, Mapping[str, str]]
    types: Mapping[str, Mapping[str, str]]


@cache
def _facts() -> _Facts:
    found = json.loads(packaged(__name__, "schema.json"))
    return _Facts(found["client_go"], found["kinds"], found["types"])


def patch_type(gvk: GroupVersionKind, helm: HelmVersion | None = None) -> PatchType:
    """Which patch ``createPatch`` (pkg/kube/client.go of Helm 3.12.3, 3.21.4 and 4.3.1) makes for a kind.

    Strategic for the kinds that Helm's client-go and apiextensions know (``kubernetesNativeScheme``,
    pkg/kube/converter.go), but for the CustomResourceDefinition of apiextensions.k8s.io/v1beta1. A built-in kind that
    is younger than the Helm is to it as a custom resource. Without a version, a kind counts where any Helm knows it.
    """
    if (gvk.group, gvk.version, gvk.kind) == ("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition"):
        return PatchType.MERGE
    _, first, last = _kind(gvk)
    minor = first if helm is None else min(max(_client_go(helm), _OLDEST_CLIENT_GO), _newest_client_go())
    return PatchType.STRATEGIC if first <= minor <= last else PatchType.MERGE


def struct_of(gvk: GroupVersionKind) -> Schema:
    """The Go struct of a built-in kind; raises ValueError for one that no Helm knows."""
    struct, _, _ = _kind(gvk)
    if not struct:
        raise ValueError(f"{gvk} is not a built-in kind")
    return struct


_OLDEST_CLIENT_GO = 24


def _newest_client_go() -> int:
    return int(_facts().client_go.split(".")[1])


def _client_go(helm: HelmVersion) -> int:
    """The minor of the client-go a Helm is built with: go.mod of Helm 3.9 to 3.22 and 4.0 to 4.3."""
    return helm.minor + (15 if helm.major == 3 else 34)


def _kind(gvk: GroupVersionKind) -> tuple[Schema, int, int]:
    """The struct of a kind and the first and last client-go minor that know it; ``""`` and no minor for none."""
    described = _facts().kinds.get(gvk.api_version, {}).get(gvk.kind)
    if described is None:
        return Schema(""), 1, 0
    struct, _, bounds = described.partition(" ")
    first, _, last = bounds.partition(" ")
    return (
        Schema(struct),
        int(first) if first.isdigit() else _OLDEST_CLIENT_GO,
        int(last) if last.isdigit() else _newest_client_go(),
    )


@cache
def object_field(schema: Schema, key: str) -> Field:
    """The field whose value is an object (``LookupPatchMetadataForStruct``).

    k8s.io/apimachinery 0.37.1, pkg/util/strategicpatch/meta.go and third_party/forked/golang/json/fields.go: a name
    that fits but for its case is good enough where none fits exactly.

    Raises PatchError where the type is no struct, or has no such field.
    """
    struct = Schema(schema.removeprefix("*"))
    fields = _facts().types.get(struct)
    if fields is None:
        raise PatchError(f"merging an object in json but data type is not struct, instead is: {kind_of(struct)}")
    found = fields.get(key) or next((fields[name] for name in fields if _folded(name) == _folded(key)), None)
    if found is None:
        name, quoted = struct.partition("@")[0], json.dumps(key, ensure_ascii=False)
        raise PatchError(f"unable to find api field in struct {name} for the json field {quoted}")
    reference, _, tags = found.partition(" ")
    strategies, _, merge_key = tags.partition(" ")
    named = [strategy for strategy in strategies.split(",") if strategy != "retainKeys"]
    return Field(Schema(reference), "".join(named), "retainKeys" in strategies, merge_key)


@cache
def list_field(schema: Schema, key: str) -> Field:
    """The field whose value is a list; its schema is that of one element (``LookupPatchMetadataForSlice``).

    Raises PatchError as ``object_field`` does, and where the field is not a list, or a list of lists.
    """
    found = object_field(schema, key)
    if found.schema.startswith("[][]"):
        raise PatchError("unexpected slice of slice")
    if not found.schema.startswith(("[]", "*")):
        raise PatchError(f"expected slice or array type, but got: {kind_of(schema)}")
    return Field(
        Schema(found.schema.removeprefix("*").removeprefix("[]")), found.strategy, found.retain_keys, found.merge_key
    )


def kind_of(schema: Schema) -> str:
    """The kind of the type in Go's words: ``struct``, ``ptr``, ``slice``, ``string``, ``map`` and so on."""
    if schema.startswith("*"):
        return "ptr"
    if schema.startswith("[]"):
        return "slice"
    return "struct" if schema in _facts().types else schema


def _folded(name: str) -> str:
    return name.lower().replace("ſ", "s")
