"""The parser's events composed into a tree, as much of it as is wanted."""

from __future__ import annotations

import re

from postrender.manifest.nodes import Kind, Node, Tree
from postrender.manifest.reader import (
    ERRORS,
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    Parser,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Span,
    StreamEndEvent,
    YamlError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

Wanted: TypeAlias = "Any"
"""Which children to keep: ``None`` for all, else key or index to Wanted, where the key ``None`` is every item."""

_TAG = rb"(?:&\S+\s+)?(!(?!<)\S*)"
_LONG = 4096
_TAKEN_BY_GO = (
    "found unknown escape character",
    "found unexpected ':'",
    "did not find expected whitespace or line break",
    "did not find expected tag URI",
)
"""What libyaml 0.2 says of things that go-yaml reads; the slow parser has no second look at anything else."""


class _References(Exception):
    """An anchor, alias or tag was found where the tree is pruned."""


class _Disputed(Exception):
    """A tag that go-yaml and libyaml do not end in the same place: to go-yaml, ``,`` and brackets are a part of it."""


def compose(span: Span, wanted: Wanted = None) -> Tree:
    """The tree of a span's document; if it has no aliases, only with the values of the ``wanted`` keys.

    Raises YamlError. There is no recursion: nesting is bound by memory alone.
    """
    try:
        return _compose(span, wanted, pure=False)
    except _Disputed:
        return _compose(span, wanted, pure=True)
    except YamlError as error:
        if not str(error).startswith(_TAKEN_BY_GO):
            raise
        try:
            return _compose(span, wanted, pure=True)
        except YamlError:
            raise error from None


def _compose(span: Span, wanted: Wanted, *, pure: bool) -> Tree:
    composer = _Composer(span, pure=pure)
    try:
        return composer.tree(wanted)
    except _References:
        return _compose(span, None, pure=pure)
    except ERRORS as error:
        raise composer.parser.unreadable(error) from None


class _Composer:
    def __init__(self, span: Span, *, pure: bool) -> None:
        self.span = span
        self.parser = Parser(span, pure=pure)
        self.anchors: dict[str, Node] = {}
        self.references = False

    def tree(self, wanted: Wanted) -> Tree:
        root: Node | None = None
        stack: list[tuple[Node, Wanted]] = []
        pruning = wanted is not None
        end = self.span.end
        event = self.parser.next()
        while event is not None:
            cls = event.__class__
            if cls is MappingEndEvent or cls is SequenceEndEvent:
                node, _ = stack.pop()
                node.end = self._offset(event.end_mark) if node.flow or not node.children else node.children[-1].end
            elif cls is DocumentEndEvent:
                end = self._offset(event.start_mark if event.explicit else event.end_mark)
                break
            elif cls is StreamEndEvent:
                break
            elif cls in (ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent):
                inside = _inside(stack) if stack else wanted
                node = self._node(event, cls, pruned=inside is not None and not inside)
                if pruning and (self.references or node.anchor):
                    raise _References
                if stack:
                    stack[-1][0].children.append(node)
                else:
                    root = node
                if cls is MappingStartEvent or cls is SequenceStartEvent:
                    if node.pruned:
                        self._skip(node)
                    else:
                        stack.append((node, inside))
            event = self.parser.next()
        return Tree(root, end, self.references, self.parser.pure)

    def _node(self, event: Any, cls: type, *, pruned: bool) -> Node:
        start = self._offset(event.start_mark)
        if cls is AliasEvent:
            self.references = True
            target = self.anchors.get(event.anchor)
            if target is None:
                raise YamlError("an alias of no anchor", start)
            return Node(Kind.ALIAS, start, self._offset(event.end_mark), event.anchor, target=target)
        anchor = event.anchor or ""
        tag = event.tag or ""
        if cls is ScalarEvent:
            plain = event.implicit[0]
            end = self._offset(event.end_mark)
            if tag or (plain and end > start):
                tag = self._tag(tag, start, end)
            text = event.value
            pruned = pruned and len(text) > _LONG
            if text == "<<":
                self.references = True
            node = Node(
                Kind.SCALAR,
                start,
                end,
                text[:1] if pruned else text,
                tag=tag,
                anchor=anchor,
                plain=plain,
                style=event.style or "",
                pruned=pruned,
            )
        else:
            if tag:
                self._tag(tag, start, self.span.end)
            kind = Kind.MAPPING if cls is MappingStartEvent else Kind.SEQUENCE
            node = Node(kind, start, start, tag=tag, anchor=anchor, flow=bool(event.flow_style), pruned=pruned)
        if anchor:
            self.references = True
            self.anchors[anchor] = node
        return node

    def _tag(self, tag: str, start: int, end: int) -> str:
        """The tag as written: a lone ``!`` is no tag to libyaml, and a string's to go-yaml."""
        written = re.compile(_TAG).match(self.span.data, start, self.span.end)
        if written is None or written.start(1) >= end:  # or it is the next node's
            return tag
        if not self.parser.pure and any(mark in written[1] for mark in (b",", b"[", b"]")):
            raise _Disputed
        return "!" if written[1] == b"!" else tag

    def _skip(self, node: Node) -> None:
        """Read past the inside of a collection that is not wanted."""
        flows = [node.flow]
        last: Any = None
        following = self.parser.next
        while flows:
            event = following()
            cls = event.__class__
            if cls is MappingEndEvent or cls is SequenceEndEvent:
                if flows.pop() or last is None:
                    last = event
            elif cls is AliasEvent or event.anchor or event.tag:
                raise _References
            elif cls is ScalarEvent:
                last = event
                node.text = "…"
            else:
                node.text = "…"
                flows.append(bool(event.flow_style))
        node.end = self._offset(last.end_mark)

    def _offset(self, mark: Any) -> int:
        return self.parser.offset(mark.index)


_NOTHING: Wanted = {}


def _inside(stack: list[tuple[Node, Wanted]]) -> Wanted:
    """What is wanted of the next child of the innermost open collection."""
    node, wanted = stack[-1]
    if wanted is None:
        return None
    count = len(node.children)
    if node.kind is Kind.SEQUENCE:
        return wanted.get(count, wanted.get(None, _NOTHING))
    return wanted.get(node.children[-1].text, _NOTHING) if count % 2 else None
