"""Sets of field paths, as ``metadata.managedFields`` stores them.

Semantics of ``Set`` in structured-merge-diff/v6 (fieldpath/set.go), the format of fieldpath/serialize.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from postrender.models import Json

Element: TypeAlias = str
"""One step of a path as ``fieldsV1`` writes it: ``f:NAME``, ``k:{KEYS}``, ``v:VALUE``, ``i:INDEX``; canonical JSON."""

Path: TypeAlias = tuple[Element, ...]


class FieldSet:
    """A set of paths: ``members`` are the ones that end here, ``children`` hold what is below an element."""

    __slots__ = ("children", "members")

    def __init__(
        self, members: Iterable[Element] = (), children: Mapping[Element, FieldSet] = MappingProxyType({})
    ) -> None:
        self.members = frozenset(members)
        self.children = {element: below for element, below in children.items() if below}

    @classmethod
    def of(cls, paths: Sequence[Path]) -> FieldSet:
        """The set of exactly these paths; the empty path is ignored."""
        members = frozenset(path[0] for path in paths if len(path) == 1)
        below: dict[Element, list[Path]] = {}
        for path in paths:
            if len(path) > 1:
                below.setdefault(path[0], []).append(path[1:])
        return cls(members, {element: cls.of(rest) for element, rest in below.items()})

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> FieldSet:
        """The set that a ``fieldsV1`` tree stands for. Raises ValueError if an element is malformed."""
        members, children = set(), {}
        for raw, below in fields.items():
            if raw == ".":
                continue
            element = _canonical_element(raw)
            if not below or "." in below:
                members.add(element)
            children[element] = cls.parse(below or {})
        return cls(members, children)

    def serialize(self) -> dict[str, Any]:
        """The ``fieldsV1`` tree of the set."""
        tree: dict[str, Any] = {element: {} for element in self.members}
        for element, below in self.children.items():
            tree[element] = {**({".": {}} if element in self.members else {}), **below.serialize()}
        return tree

    def __bool__(self) -> bool:
        """True unless the set is empty."""
        return bool(self.members or self.children)

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        return isinstance(other, FieldSet) and (self.members, self.children) == (other.members, other.children)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Sorted paths."""
        return f"FieldSet({sorted(self)})"

    def __iter__(self) -> Iterator[Path]:
        """Every path of the set."""
        for element in self.members:
            yield (element,)
        for element, below in self.children.items():
            for path in below:
                yield (element, *path)

    def below(self, element: Element) -> FieldSet:
        """What the set holds below one element."""
        return self.children.get(element) or EMPTY

    def union(self, other: FieldSet) -> FieldSet:
        """Paths of either set."""
        children = dict(self.children)
        for element, below in other.children.items():
            children[element] = children[element].union(below) if element in children else below
        return FieldSet(self.members | other.members, children)

    def intersection(self, other: FieldSet) -> FieldSet:
        """Paths of both sets."""
        shared = self.children.keys() & other.children.keys()
        return FieldSet(
            self.members & other.members,
            {element: self.children[element].intersection(other.children[element]) for element in shared},
        )

    def difference(self, other: FieldSet) -> FieldSet:
        """Paths of this set that the other lacks."""
        return FieldSet(
            self.members - other.members,
            {element: below.difference(other.below(element)) for element, below in self.children.items()},
        )

    def recursive_difference(self, other: FieldSet) -> FieldSet:
        """Paths of this set that are neither in the other nor below one of its members."""
        return FieldSet(
            self.members - other.members,
            {
                element: below.recursive_difference(other.below(element))
                for element, below in self.children.items()
                if element not in other.members
            },
        )

    def top(self) -> list[Path]:
        """The paths that are below no other path of the set, sorted."""
        below = [(element, *path) for element, rest in self.children.items() for path in rest.top()]
        return sorted(
            [*((element,) for element in self.members), *(path for path in below if path[0] not in self.members)]
        )


EMPTY = FieldSet()


def canonical(value: Json) -> str:
    """JSON of a value with sorted keys; numbers that are equal have the same text."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_at(body: Json, path: Path) -> Json:
    """What a body has at a path, ``None`` if it has nothing there; a key that an element lacks counts as equal."""
    for element in path:
        kind, _, text = element.partition(":")
        if kind == "f":
            body = body.get(text) if isinstance(body, dict) else None
        else:
            wanted = json.loads(text)
            found = body if isinstance(body, list) else []
            body = next((each for each in found if _is_element(each, kind, wanted)), None)
    return body


def _is_element(value: Json, kind: str, wanted: Json) -> bool:
    if kind == "v":
        return canonical(value) == canonical(wanted)
    if kind != "k" or not isinstance(value, dict):
        return False
    return all(canonical(value.get(name, each)) == canonical(each) for name, each in wanted.items())


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


def _canonical_element(raw: str) -> Element:
    kind, separator, text = raw.partition(":")
    if not separator or kind not in ("f", "k", "v", "i"):
        raise ValueError(f"not a path element: {raw}")
    return raw if kind in ("f", "i") else f"{kind}:{canonical(json.loads(text))}"
