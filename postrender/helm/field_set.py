"""Sets of field paths, as ``metadata.managedFields`` stores them.

Semantics of ``Set`` in structured-merge-diff/v6 (fieldpath/set.go), the format of fieldpath/serialize.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from postrender.helm.patch import deep_equal
from postrender.models import Json

Element: TypeAlias = str
"""One step of a path as ``fieldsV1`` writes it: ``f:NAME``, ``k:{KEYS}``, ``v:VALUE``, ``i:INDEX``; canonical JSON."""

Path: TypeAlias = tuple[Element, ...]


class FieldSet:
    """A set of paths as a tree: ``children`` by the element that follows, ``owned`` if a path ends here.

    A node that is owned and has no children stands for a value that is owned as a whole.
    """

    __slots__ = ("_children", "_unread", "owned")

    def __init__(self, children: Mapping[Element, FieldSet] = MappingProxyType({}), *, owned: bool = False) -> None:
        self._children = children
        self._unread: Mapping[str, Any] | None = None
        self.owned = owned

    @classmethod
    def of(cls, paths: Sequence[Path]) -> FieldSet:
        """The set of exactly these paths; the empty path is ignored."""
        below: dict[Element, list[Path]] = {}
        for path in paths:
            if path:
                below.setdefault(path[0], []).append(path[1:])
        return cls({element: cls(cls.of(rest).children, owned=() in rest) for element, rest in below.items()})

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> FieldSet:
        """The set that a ``fieldsV1`` tree stands for; it, and later ``children``, raise ValueError if malformed."""
        if not isinstance(fields, dict):
            raise ValueError(f"fields: not an object: {fields!r}")
        result = cls(owned="." in fields)
        result._unread = fields
        return result

    @property
    def children(self) -> Mapping[Element, FieldSet]:
        """The sets below each element; parsed on first use, since of most objects only parts are needed."""
        if self._unread is not None:
            self._children = {
                element: WHOLE if below is None or below == {} else FieldSet.parse(below)
                for raw, below in self._unread.items()
                if raw != "." and (element := _canonical_element(raw))
            }
            self._unread = None
        return self._children

    def serialize(self) -> dict[str, Any]:
        """The ``fieldsV1`` tree of the set."""
        return {
            element: {".": {}, **below.serialize()} if below.owned and below.children else below.serialize()
            for element, below in self.children.items()
        }

    def __bool__(self) -> bool:
        """True unless the set is empty."""
        return self.owned or bool(self.children)

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        return isinstance(other, FieldSet) and (self.owned, self.children) == (other.owned, other.children)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Sorted paths."""
        return f"FieldSet({sorted(self)})"

    def __iter__(self) -> Iterator[Path]:
        """Every path of the set."""
        if self.owned:
            yield ()
        for element, below in self.children.items():
            for path in below:
                yield (element, *path)

    @property
    def is_whole(self) -> bool:
        """True for a value that is owned as a whole."""
        return self.owned and not self.children

    def at(self, element: Element) -> FieldSet:
        """The part of the set at and below one element; ``EMPTY`` if it has none."""
        return self.children.get(element, EMPTY)

    def union(self, other: FieldSet) -> FieldSet:
        """Paths of either set."""
        children = dict(self.children)
        for element, below in other.children.items():
            children[element] = children[element].union(below) if element in children else below
        return FieldSet(children, owned=self.owned or other.owned)

    def intersection(self, other: FieldSet) -> FieldSet:
        """Paths of both sets."""
        children = {element: below.intersection(other.at(element)) for element, below in self.children.items()}
        return _without_empty(children, owned=self.owned and other.owned)

    def difference(self, other: FieldSet) -> FieldSet:
        """Paths of this set that the other lacks."""
        children = {element: below.difference(other.at(element)) for element, below in self.children.items()}
        return _without_empty(children, owned=self.owned and not other.owned)

    def recursive_difference(self, other: FieldSet) -> FieldSet:
        """Paths of this set that are neither in the other nor below one of its paths."""
        if other.owned:
            return EMPTY
        children = {element: below.recursive_difference(other.at(element)) for element, below in self.children.items()}
        return _without_empty(children, owned=self.owned)

    def top(self) -> list[Path]:
        """The paths that are below no other path of the set, sorted."""
        if self.owned:
            return [()]
        return sorted((element, *path) for element, below in self.children.items() for path in below.top())

    def leaves(self) -> Iterator[Path]:
        """The paths that no other path of the set is below."""
        if self.owned and not self.children:
            yield ()
        for element, below in self.children.items():
            for path in below.leaves():
                yield (element, *path)


EMPTY = FieldSet()
WHOLE = FieldSet(owned=True)
"""A value that is owned as a whole."""


def _without_empty(children: Mapping[Element, FieldSet], *, owned: bool) -> FieldSet:
    return FieldSet({element: below for element, below in children.items() if below}, owned=owned)


def element_of(value: Json, names: Sequence[str]) -> Element:
    """How a path names an element of a list with these keys, or without any for an element of a set."""
    if not names:
        return f"v:{canonical(value)}"
    keys = {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}
    return f"k:{canonical(keys)}"


def key_names(sets: Iterable[FieldSet | None]) -> tuple[str, ...] | None:
    """The fields that identify the elements of a list: ``()`` for a set, ``None`` for a list that is compared whole."""
    for fields in sets:
        for element in fields.children if fields is not None else ():
            if element.startswith("k:"):
                return tuple(json.loads(element[2:]))
            if element.startswith("v:"):
                return ()
    return None


def has_keys(value: Json, keys: Mapping[str, Json]) -> bool:
    """True if the value is an element with these keys; one that it lacks counts as equal."""
    return isinstance(value, dict) and bool(keys) and all(value.get(name, each) == each for name, each in keys.items())


def canonical(value: Json) -> str:
    """JSON of a value with sorted keys; numbers that are equal have the same text."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_at(body: Json, path: Path) -> Json:
    """The value of a body at a path, ``None`` if it has none; a key that an element lacks counts as equal."""
    for element in path:
        kind, _, text = element.partition(":")
        if kind == "f":
            body = body.get(text) if isinstance(body, dict) else None
        else:
            wanted = json.loads(text)
            found = body if isinstance(body, list) else []
            body = next(
                (each for each in found if (has_keys(each, wanted) if kind == "k" else deep_equal(each, wanted))), None
            )
    return body


def shown(path: Path) -> str:
    """``spec.ports[port=80,protocol="TCP"]``, close to how the API server prints paths."""
    steps = []
    for element in path:
        kind, _, text = element.partition(":")
        if kind == "f":
            steps.append(f".{text}")
        elif kind == "k":
            steps.append(f"[{','.join(f'{name}={canonical(each)}' for name, each in json.loads(text).items())}]")
        else:
            steps.append(f"[{text}]")
    return "".join(steps).removeprefix(".")


def _plain(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


_CANONICAL = re.compile(r'f:.*|v:"[^"\\]*"|k:\{"[^"\\]*":(?:"[^"\\]*"|[0-9]+)\}', re.DOTALL)
"""Elements that are canonical as they stand; most are."""


def _canonical_element(raw: str) -> Element:
    """The element as it is compared; ``""`` for one of an unknown kind, which the library leaves out too."""
    if _CANONICAL.fullmatch(raw):
        return raw
    kind, separator, text = raw.partition(":")
    if not separator or len(kind) != 1:
        raise ValueError(f"not a path element: {raw}")
    if kind not in "kvi":
        return ""
    return raw if kind == "i" else f"{kind}:{canonical(json.loads(text))}"
