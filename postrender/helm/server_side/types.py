"""Types of fields: which lists are maps, sets or atomic, and which maps are atomic.

A type is what an OpenAPI v3 schema says, read as kube-openapi reads it (pkg/schemaconv/openapi.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from postrender._record import Record, replace
from postrender.models import GroupVersionKind, Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

TypeRef: TypeAlias = "str | Atom | Override | None"
"""A name, a type in place, or either with another relationship; ``None`` allows nothing."""

ATOMIC, ASSOCIATIVE, SEPARABLE = "atomic", "associative", "separable"
UNTYPED = "__untyped_atomic_"
DEDUCED = "__untyped_deduced_"

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_SCALARS = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}
_KINDS = "x-kubernetes-group-version-kind"


class Override(Record):
    """A type with the element relationship that the field that uses it declares."""

    type: str | Atom
    relationship: str


class ListType(Record):
    """A list: ``keys`` name the fields that identify an element of an associative list; a set has none."""

    element: TypeRef
    relationship: str
    keys: tuple[str, ...] = ()


class MapType(Record):
    """An object: the declared fields, the type of any other key, and the defaults of fields that have one."""

    fields: Mapping[str, TypeRef]
    element: TypeRef
    relationship: str = ""
    defaults: Mapping[str, Json] = {}


class Atom(Record):
    """The types that a value may have: scalar, list, map, or several of them."""

    scalar: str | None = None
    list: ListType | None = None
    map: MapType | None = None


_BUILTIN = {
    UNTYPED: Atom("untyped", ListType(UNTYPED, ATOMIC), MapType({}, UNTYPED, ATOMIC)),
    DEDUCED: Atom("untyped", ListType(UNTYPED, ATOMIC), MapType({}, DEDUCED, SEPARABLE)),
}


class Schema:
    """Named types. Raises KeyError for a type that is used but not defined."""

    def __init__(self, types: Mapping[str, Atom]) -> None:
        self._types = {**_BUILTIN, **types}

    def resolve(self, ref: TypeRef) -> Atom:
        """The type that a reference stands for."""
        if isinstance(ref, Atom):
            return ref
        if ref is None:
            return Atom()
        if isinstance(ref, str):
            return self._named(ref)
        found = self.resolve(ref.type)
        if found.map is not None:
            return Atom(found.scalar, found.list, replace(found.map, relationship=ref.relationship))
        if found.list is not None:
            return Atom(found.scalar, replace(found.list, relationship=ref.relationship))
        raise KeyError(ref.type)

    def _named(self, name: str) -> Atom:
        return self._types[name]


class OpenApiSchema(Schema):
    """The types of one group version, as ``/openapi/v3/apis/GROUP/VERSION`` serves them; read when first used."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        """``models`` are the document's ``components.schemas``."""
        super().__init__({})
        self._models = models

    def _named(self, name: str) -> Atom:
        if name not in self._types:
            model = self._models[name]
            if name == _QUANTITY:
                self._types[name] = Atom("untyped")
            elif name == _RAW_EXTENSION:
                self._types[name] = _BUILTIN[UNTYPED]
            else:
                self._types[name] = _atom(model, preserves=False)
        return self._types[name]

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str, str], str]:
        return {
            (kind.get("group"), kind.get("version"), kind.get("kind")): name
            for name, model in self._models.items()
            for kind in model.get(_KINDS) or ()
        }

    def type_of(self, gvk: GroupVersionKind) -> str | None:
        """Name of the type of a kind; ``None`` if the document does not have it."""
        return self._by_kind.get((gvk.group, gvk.version, gvk.kind))

    def null_error(self, name: str, value: Json, path: str = "") -> str:
        """The validation error for the first null that a custom resource's schema forbids, ``""`` for none.

        An apply leaves such a null in place, while all other writes drop it before (``unstructuredDefaulter``,
        k8s.io/apiextensions-apiserver 0.34, pkg/apiserver/customresource_handler.go).
        """
        return _null_error(self._models.get(name) or {}, value, path)


def _null_error(model: Json, value: Json, path: str) -> str:
    kind = model.get("type")
    if value is None:
        if not kind or model.get("nullable") or "default" in model:
            return ""
        return f'{path}: Invalid value: "null": {path} in body must be of type {kind}: "null"'
    below: list[tuple[Json, Json, str]] = []
    if isinstance(value, dict):
        more = model.get("additionalProperties")
        named = model.get("properties") or {}
        for key, each in value.items():
            inside = named.get(key) or (more if isinstance(more, dict) else {})
            below.append((inside, each, f"{path}.{key}" if path else key))
    elif isinstance(value, list):
        below += [(model.get("items") or {}, each, f"{path}[{index}]") for index, each in enumerate(value)]
    return next((error for each in below if (error := _null_error(*each))), "")


def _atom(model: Json, *, preserves: bool) -> Atom:
    preserves = preserves or model.get("x-kubernetes-preserve-unknown-fields") is True
    kind = model.get("type") or ""
    if kind == "object":
        return Atom(map=_map(model, preserves=preserves))
    if kind == "array":
        return Atom(list=_list(model, preserves=preserves))
    if kind == "string":
        return Atom("string" if model.get("format") in (None, "", "byte") else "untyped")
    if kind in _SCALARS:
        return Atom(_SCALARS[kind])
    return Atom("untyped", _list(model, preserves=preserves), _map(model, preserves=preserves))


def _ref(model: Json, *, preserves: bool) -> TypeRef:
    parts = model.get("allOf") or []
    name = model.get("$ref") or (parts[0].get("$ref") if len(parts) == 1 else None)
    if not name:
        return _atom(model, preserves=preserves)
    name = name.rpartition("/")[2]
    relationship = _map_relationship(model)
    return Override(name, relationship) if relationship else name


def _map(model: Json, *, preserves: bool) -> MapType:
    properties = model.get("properties") or {}
    more = model.get("additionalProperties")
    element: TypeRef = None
    if isinstance(more, dict):
        element = _ref(more, preserves=preserves)
    elif more is True or (more is None and (preserves or not properties)):
        element = DEDUCED
    return MapType(
        {name: _ref(member, preserves=preserves) for name, member in properties.items()},
        element,
        _map_relationship(model),
        {name: member["default"] for name, member in properties.items() if member.get("default") is not None},
    )


def _map_relationship(model: Json) -> str:
    return {"atomic": ATOMIC, "granular": SEPARABLE}.get(model.get("x-kubernetes-map-type"), "")


def _list(model: Json, *, preserves: bool) -> ListType:
    items = model.get("items")
    element = UNTYPED if items is None else _ref(items, preserves=preserves)
    kind, strategy = model.get("x-kubernetes-list-type"), model.get("x-kubernetes-patch-strategy")
    if kind == "map":
        return ListType(element, ASSOCIATIVE, tuple(model.get("x-kubernetes-list-map-keys") or ()))
    if kind == "set":
        return ListType(element, ASSOCIATIVE)
    if kind is None and strategy in ("merge", "merge,retainKeys"):
        key = model.get("x-kubernetes-patch-merge-key")
        return ListType(element, ASSOCIATIVE, (key,) if key else ())
    return ListType(element, ATOMIC)
