"""One document as a tree of nodes that know where they stand in its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from postrender.manifest.reader import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ReaderError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    DocumentEndEvent,
    events,
)


class Unreadable(Exception):
    """The text is not YAML; ``offset`` is in characters."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


class Kind(Enum):
    """What a node is."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    ALIAS = "alias"


@dataclass(slots=True, eq=False)
class Node:
    """A node. ``start`` and ``end`` are offsets in characters, anchor and tag included.

    ``end`` of a block collection or block scalar may run past comments and blank lines. ``children`` of a mapping are
    key, value, key, value. ``text`` is a scalar's text or an alias's anchor; ``target`` what an alias stands for.
    ``plain`` tells an untagged scalar without quotes.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    tag: str = ""
    anchor: str = ""
    plain: bool = False
    style: str = ""
    flow: bool = False
    children: list[Node] = field(default_factory=list)
    target: Node | None = None

    def pairs(self) -> list[tuple[Node, Node]]:
        """A mapping's keys with their values, in the order of the text."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))


def compose(text: str) -> Node | None:
    """The tree of the first document in a text, which is all that Go's reader takes; ``None`` where there is none.

    Raises Unreadable. No recursion: nesting is bound by memory alone.
    """
    shift = 1 if text.startswith("\ufeff") else 0
    root: Node | None = None
    stack: list[Node] = []
    anchors: dict[str, Node] = {}
    try:
        for event in events(text[shift:]):
            cls = type(event)
            if cls is ScalarEvent:
                node = Node(
                    Kind.SCALAR,
                    event.start_mark.index + shift,
                    event.end_mark.index + shift,
                    event.value,
                    event.tag or "",
                    event.anchor or "",
                    plain=event.implicit[0],
                    style=event.style or "",
                )
            elif cls is MappingStartEvent or cls is SequenceStartEvent:
                node = Node(
                    Kind.MAPPING if cls is MappingStartEvent else Kind.SEQUENCE,
                    event.start_mark.index + shift,
                    -1,
                    tag=event.tag or "",
                    anchor=event.anchor or "",
                    flow=bool(event.flow_style),
                )
            elif cls is MappingEndEvent or cls is SequenceEndEvent:
                stack.pop().end = event.end_mark.index + shift
                continue
            elif cls is AliasEvent:
                target = anchors.get(event.anchor)
                if target is None:
                    raise Unreadable(f"unknown anchor {event.anchor!r}", event.start_mark.index + shift)
                node = Node(
                    Kind.ALIAS,
                    event.start_mark.index + shift,
                    event.end_mark.index + shift,
                    event.anchor,
                    target=target,
                )
            elif cls is DocumentEndEvent:
                break
            else:
                continue
            if node.anchor:
                anchors[node.anchor] = node
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
            if node.end < 0:
                stack.append(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(error.problem or str(error), mark.index + shift if mark else 0) from None
    except ReaderError as error:
        raise Unreadable(error.reason, error.position if isinstance(error.position, int) else 0) from None
    return root
