"""Operations on a value with a type: validation, merge, set of fields, removal of fields.

Semantics of structured-merge-diff/v6 6.3.0 and 6.3.2 (typed/validate.go, merge.go, tofieldset.go, remove.go,
reconcile_schema.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from postrender.helm.field_set import Element, FieldSet, Path, canonical, shown
from postrender.helm.server_side.types import ASSOCIATIVE, ATOMIC, DEDUCED, Atom, ListType, MapType, Schema, TypeRef
from postrender.models import Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

ABSENT: Any = object()
"""No value at all, unlike null."""

Kind: TypeAlias = "MapType | ListType | str"


class TypeMismatch(ValueError):
    """A value does not fit its type; the message starts with the path, as the API server prints it."""


class Typed:
    """A value with its type. ``keeps_empty`` selects the behaviour of version 6.3.2 (Kubernetes 1.36.0 to 1.36.2).

    It keeps a map or list that loses all it has as ``{}`` or ``[]``; of others, null is left.
    """

    __slots__ = ("keeps_empty", "ref", "schema", "value")

    def __init__(self, value: Json, schema: Schema, ref: TypeRef, *, keeps_empty: bool = False) -> None:
        self.value = value
        self.schema = schema
        self.ref = ref
        self.keeps_empty = keeps_empty

    def validate(self, *, duplicates: bool = False) -> None:
        """Check the value against its type; raises TypeMismatch. ``duplicates`` allows equal keys in a list."""
        if self.value is not ABSENT:
            _validate(self.schema, self.ref, self.value, (), duplicates=duplicates)

    def merge(self, config: Typed) -> Typed:
        """The value with what ``config`` sets. Raises TypeMismatch."""
        return self._like(_merge(self.schema, self.ref, self.value, config.value, ()))

    def fields(self) -> FieldSet:
        """All fields that the value sets."""
        paths: list[Path] = []
        if self.value is not ABSENT:
            _fields(self.schema, self.ref, self.value, (), paths)
        return FieldSet.of(paths)

    def without(self, fields: FieldSet) -> Typed:
        """The value without those fields, and without what is below them."""
        if self.value is ABSENT:
            return self
        return self._like(_without(self.schema, self.ref, self.value, fields, keeps_empty=self.keeps_empty))

    def named(self, fields: FieldSet) -> FieldSet:
        """``fields`` and each declared field above one of them (``EnsureNamedFieldsAreMembers``, fieldpath/set.go)."""
        return _named(self.schema, self.ref, fields)

    def reconciled(self, fields: FieldSet) -> FieldSet:
        """``fields`` with each list or map that the schema now calls atomic as one field."""
        atomic: list[Path] = []
        _atomic_now(self.schema, self.ref, fields, (), atomic)
        now = FieldSet.of(atomic)
        return fields.recursive_difference(now).union(now) if now else fields

    def _like(self, value: Json) -> Typed:
        return Typed(value, self.schema, self.ref, keeps_empty=self.keeps_empty)


def element_of(schema: Schema, kind: ListType, value: Json) -> Element:
    """How a path names an element of an associative list. Raises TypeMismatch (``listItemToPathElement``)."""
    if kind.relationship != ASSOCIATIVE:
        raise TypeMismatch("invalid indexing of non-associative list")
    if not kind.keys:
        if value is None or isinstance(value, (dict, list)):
            what = "an explicit null" if value is None else "not a scalar"
            raise TypeMismatch(f"associative list without keys has an element that's {what}")
        return f"v:{canonical(value)}"
    if not isinstance(value, dict):
        what = "a null element" if value is None else "non-map elements"
        raise TypeMismatch(f"associative list with keys may not have {what}")
    item = schema.resolve(kind.element).map
    if item is None:
        raise TypeMismatch("associative list may not have non-map types")
    keys = {
        name: value.get(name, item.defaults.get(name)) for name in kind.keys if name in value or name in item.defaults
    }
    if not keys:
        raise TypeMismatch(f"associative list with keys has an element that omits all key fields {list(kind.keys)}")
    return f"k:{canonical(keys)}"


def child_type(kind: MapType, key: str) -> TypeRef:
    """Type of the value of a key."""
    return kind.fields.get(key, kind.element)


def deduced(atom: Atom, value: Json) -> Atom:
    """The allowed type that the value has (``deduceAtom``); all allowed types for null."""
    if value is ABSENT or value is None:
        return atom
    if isinstance(value, dict):
        return Atom(map=atom.map) if atom.map is not None else atom
    if isinstance(value, list):
        return Atom(list=atom.list) if atom.list is not None else atom
    return Atom(atom.scalar) if atom.scalar is not None else atom


def handled(atom: Atom, path: Path) -> Kind:
    """The type by which a value is handled (``handleAtom``). Raises TypeMismatch if nothing is allowed."""
    for kind in (atom.map, atom.scalar, atom.list):
        if kind is not None:
            return kind
    raise TypeMismatch(f"{shown(path)}: schema error: invalid atom")


def check_scalar(kind: str, value: Json, path: Path) -> None:
    """Raises TypeMismatch unless the value is such a scalar, or null (``validateScalar``)."""
    if value is ABSENT or value is None:
        return
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "numeric": number,
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "untyped": not isinstance(value, (dict, list)),
    }
    if not fits[kind]:
        raise TypeMismatch(f"{shown(path)}: expected {kind}")


def _validate(schema: Schema, ref: TypeRef, value: Json, path: Path, *, duplicates: bool) -> None:
    kind = handled(deduced(schema.resolve(ref), value), path)
    if isinstance(kind, str):
        check_scalar(kind, value, path)
    elif value is None:
        return
    elif isinstance(kind, MapType):
        if not isinstance(value, dict):
            raise TypeMismatch(f"{shown(path)}: expected map")
        for key, below in value.items():
            here, type_ = (*path, f"f:{key}"), child_type(kind, key)
            if type_ is None:
                raise TypeMismatch(f"{shown(here)}: field not declared in schema")
            _validate(schema, type_, below, here, duplicates=duplicates)
    else:
        if not isinstance(value, list):
            raise TypeMismatch(f"{shown(path)}: expected list")
        seen = set()
        for index, below in enumerate(value):
            element = f"i:{index}"
            if kind.relationship == ASSOCIATIVE:
                element = _element_at(schema, kind, below, index, path)
                if element in seen and not duplicates:
                    raise TypeMismatch(f"{shown(path)}: duplicate entries for key {shown((element,))}")
                seen.add(element)
            _validate(schema, kind.element, below, (*path, element), duplicates=duplicates)


def _element_at(schema: Schema, kind: ListType, value: Json, index: int, path: Path) -> Element:
    try:
        return element_of(schema, kind, value)
    except TypeMismatch as error:
        raise TypeMismatch(f"{shown(path)}: element {index}: {error}") from None


def _merge(schema: Schema, ref: TypeRef, old: Json, new: Json, path: Path) -> Json:
    atom = schema.resolve(ref)
    kind_old, kind_new = deduced(atom, old), deduced(atom, new)
    if new is ABSENT:
        return _merge_as(schema, handled(kind_old, path), old, new, path)
    if old is not ABSENT and kind_old != kind_new:
        _merge_as(schema, handled(kind_old, path), old, new, path)
    return _merge_as(schema, handled(kind_new, path), old, new, path)


def _merge_as(schema: Schema, kind: Kind, old: Json, new: Json, path: Path) -> Json:
    latest = old if new is ABSENT else new
    if isinstance(kind, str):
        errors = [_scalar_error(kind, each, path) for each in (old, new)]
        if errors[0] is not None and errors[1] is not None:
            raise errors[0]
        return latest
    shape = dict if isinstance(kind, MapType) else list
    # Null, and what has another shape, has nothing to merge.
    before: Any = old if isinstance(old, shape) else shape()
    after: Any = new if isinstance(new, shape) else shape()
    if kind.relationship == ATOMIC or not (before or after):
        return latest
    if isinstance(kind, ListType):
        return _merge_lists(schema, kind, before, after, path)
    return {
        key: _merge(schema, child_type(kind, key), before.get(key, ABSENT), after.get(key, ABSENT), (*path, f"f:{key}"))
        for key in {**before, **after}
    }


def _scalar_error(kind: str, value: Json, path: Path) -> TypeMismatch | None:
    try:
        check_scalar(kind, value, path)
    except TypeMismatch as error:
        return error
    return None


def _merge_lists(schema: Schema, kind: ListType, old: Sequence[Json], new: Sequence[Json], path: Path) -> list[Json]:
    """Merged elements in the order of ``visitListItems`` (typed/merge.go)."""
    olds = [_element_at(schema, kind, value, index, path) for index, value in enumerate(old)]
    news = [_element_at(schema, kind, value, index, path) for index, value in enumerate(new)]
    by_new = dict(zip(news, new, strict=True))
    if len(by_new) != len(news):
        raise TypeMismatch(f"{shown(path)}: duplicate entries")
    # The merge does not look into an element that is live twice: it counts as null.
    by_old = {each: None if olds.count(each) > 1 else value for each, value in zip(olds, old, strict=True)}
    shared = iter([each for each in news if each in by_old])
    wanted, done, result = next(shared, None), set(), []

    def merged(element: Element, before: Json, after: Json) -> None:
        result.append(_merge(schema, kind.element, before, after, (*path, element)))

    at, to = 0, 0
    while at < len(olds) or to < len(news):
        if at < len(olds) and to < len(news):
            if olds[at] == news[to]:
                done.add(olds[at])
                merged(olds[at], by_old[olds[at]], by_new[olds[at]])
                at, to, wanted = at + 1, to + 1, next(shared, None)
                continue
            if olds[at] in by_new and wanted is not None and wanted != olds[at]:
                at += 1
                continue
        if at < len(olds):
            if olds[at] not in by_new:
                merged(olds[at], old[at], ABSENT)
                at += 1
                continue
            if olds[at] in done:
                at += 1
        if to < len(news):
            done.add(news[to])
            merged(news[to], by_old.get(news[to], ABSENT), by_new[news[to]])
            if wanted == news[to]:
                wanted = next(shared, None)
            to += 1
    return result


def _fields(schema: Schema, ref: TypeRef, value: Json, path: Path, found: list[Path]) -> None:
    kind = handled(deduced(schema.resolve(ref), value), path)
    if isinstance(kind, str) or kind.relationship == ATOMIC:
        found.append(path)
    elif isinstance(kind, MapType) and isinstance(value, dict):
        for key, below in value.items():
            here = (*path, f"f:{key}")
            _fields(schema, child_type(kind, key), below, here, found)
            if below is None or below == {} or key not in kind.fields:
                found.append(here)
    elif isinstance(kind, ListType) and isinstance(value, list):
        elements = list(_elements(schema, kind, value))
        for element, below in elements:
            here = (*path, element)
            found.append(here)
            if sum(each == element for each, _ in elements) == 1:
                _fields(schema, kind.element, below, here, found)


def _elements(schema: Schema, kind: ListType, values: Sequence[Json]) -> Iterator[tuple[Element, Json]]:
    for value in values:
        try:
            yield element_of(schema, kind, value), value
        except TypeMismatch:
            # The library ignores the error: the value was validated before.
            continue


def _without(schema: Schema, ref: TypeRef, value: Json, fields: FieldSet, *, keeps_empty: bool) -> Json:
    kind = handled(deduced(schema.resolve(ref), value), ())
    if isinstance(kind, str):
        return value
    if not value or kind.relationship == ATOMIC:
        return None

    def inside(element: Element, type_: TypeRef, below: Json) -> Json:
        left = _without(schema, type_, below, fields.at(element), keeps_empty=keeps_empty)
        if left is None and keeps_empty and isinstance(below, (dict, list)):
            return type(below)()
        return left

    if isinstance(kind, MapType):
        if not isinstance(value, dict):
            return None
        result = {}
        for key, below in value.items():
            element = f"f:{key}"
            if fields.at(element).owned:
                continue
            if fields.at(element):
                below = inside(element, child_type(kind, key), below)
            result[key] = below
        return result or None
    if not isinstance(value, list):
        return None
    kept = []
    for element, below in _elements(schema, kind, value):
        if fields.at(element).owned:
            continue
        if fields.at(element):
            below = inside(element, kind.element, below)
        kept.append(below)
    return kept or None


def _named(schema: Schema, ref: TypeRef, fields: FieldSet) -> FieldSet:
    try:
        atom = schema.resolve(ref)
    except KeyError:
        atom = Atom()
    declared = atom.map.fields if atom.map is not None else {}
    children = {}
    for element, below in fields.children.items():
        type_: TypeRef = None
        if element.startswith("f:") and atom.map is not None:
            type_ = child_type(atom.map, element[2:])
        elif element.startswith("k:") and atom.list is not None:
            type_ = atom.list.element
        named = bool(below.children) and element.startswith("f:") and element[2:] in declared
        children[element] = FieldSet(_named(schema, type_, below).children, owned=below.owned or named)
    return FieldSet(children)


def _atomic_now(schema: Schema, ref: TypeRef, fields: FieldSet, path: Path, found: list[Path]) -> None:
    atom = schema.resolve(ref)
    kind = handled(atom, path)
    if isinstance(kind, str):
        return
    if isinstance(kind, MapType) and not kind.fields and _is_deduced(kind.element):
        return
    if kind.relationship == ATOMIC:
        if fields.children:
            found.append(path)
        return
    for element, below in fields.children.items():
        type_ = child_type(kind, element[2:]) if isinstance(kind, MapType) else kind.element
        if isinstance(kind, MapType) and not element.startswith("f:"):
            type_ = kind.element
        if type_ is None and isinstance(kind, MapType):
            continue
        _atomic_now(schema, type_, below, (*path, element), found)


def _is_deduced(ref: TypeRef) -> bool:
    return ref == DEDUCED or (isinstance(ref, Atom) and ref.scalar == "untyped")
