"""A document as a tree of nodes that know where they stand."""

from __future__ import annotations

from enum import Enum

from postrender._record import Record

DEEPEST = 400
"""How deep a value may be nested; Python's own readers and writers of JSON go no deeper than some 900."""


class Kind(Enum):
    """The kinds of nodes."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    ALIAS = "alias"


class Node:
    """A node, at data[start:end], anchor and tag included.

    A block collection ends where its last leaf ends; a block scalar may take blank lines with it. ``children`` of a
    mapping are key, value, key, value. ``text`` is a scalar's text or an alias's anchor, ``target`` what the alias
    stands for. ``plain`` tells a scalar without quotes or tag, ``pruned`` a node whose inside was not wanted: then
    ``text`` is "" only where there is nothing inside.
    """

    __slots__ = (
        "anchor",
        "children",
        "end",
        "flow",
        "kind",
        "plain",
        "pruned",
        "start",
        "style",
        "tag",
        "target",
        "text",
    )

    def __init__(
        self,
        kind: Kind,
        start: int,
        end: int,
        text: str = "",
        *,
        tag: str = "",
        anchor: str = "",
        plain: bool = False,
        style: str = "",
        flow: bool = False,
        pruned: bool = False,
        target: Node | None = None,
    ) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text
        self.tag = tag
        self.anchor = anchor
        self.plain = plain
        self.style = style
        self.flow = flow
        self.pruned = pruned
        self.target = target
        self.children: list[Node] = []

    def pairs(self) -> list[tuple[Node, Node]]:
        """A mapping's keys with their values, in the order of the text."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    @property
    def empty(self) -> bool:
        """True for a key without a value."""
        return self.kind is Kind.SCALAR and self.start == self.end


class Tree(Record):
    """The first document of a span; Go's reader ignores any others.

    ``root`` is ``None`` for an empty one. ``end`` is where the document ends: at a line ``...``, or at the latest where
    the span does. ``references`` tells whether there are anchors, aliases or merge keys, ``pure`` whether only the
    pure-Python parser could read it.
    """

    root: Node | None
    end: int
    references: bool
    pure: bool = False
