"""A document's text as a page to write on: lines, margins, and where fields can be put in or taken out."""

from __future__ import annotations

import re

from postrender._record import Record
from postrender.manifest.edit.changes import block, flow
from postrender.manifest.nodes import Node
from postrender.manifest.reader import BOM, Span
from postrender.models import Json

_BLANK = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ ]*\Z")
_REST_OF_LINE = re.compile(rb"[ \t]*(?:(?<=[ \t])#[^\n]*|\r)?(?:\n|\Z)")
_EXPLICIT = rb"\?[ ]+\Z"


class NotEditable(Exception):
    """The change cannot be made in place; ``offset`` counts bytes in the data."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


class Replacement(Record):
    """The text that replaces data[start:end]."""

    start: int
    end: int
    text: bytes


class TextEditor:
    """Collects replacements in a span of text. Offsets count bytes in the span's data."""

    def __init__(self, span: Span) -> None:
        self.data = span.data
        self.span = span
        self.newline = b"\r\n" if span.data.find(b"\r\n", span.start, span.end) >= 0 else b"\n"
        self.pieces: dict[Replacement, None] = {}

    def put(self, start: int, end: int, text: bytes) -> None:
        """Replace data[start:end] by a text."""
        self.pieces[Replacement(start, end, text)] = None

    def insert(self, node: Node, made: dict[str, Json], name: Node | None) -> None:
        """Insert fields before a mapping's first; ``name`` is the mapping's key, if it has one. Raises NotEditable.

        Their lines go below the one that opens the mapping, so that comments stay with the fields they are about.
        """
        if node.flow:
            inside = self.data.index(b"{", node.start) + 1
            self.put(inside, inside, flow(made)[1:-1] + (b", " if node.children else b""))
            return
        first = node.children[0]
        line = self._line(first.start)
        before = self.data[line : first.start]
        if before.strip(b" ") in (b"", BOM):
            at = self._below(name, line) if name else line + len(before.rstrip(b" "))
            self.put(at, at, self._lines(made, self._column(first.start)))
        elif re.search(_EXPLICIT, before):
            raise NotEditable("its first key is a complex one", first.start)
        else:
            self.insert_after(node, 0, made)

    def insert_after(self, node: Node, index: int, made: dict[str, Json]) -> None:
        """Insert fields after one of a mapping's; raises NotEditable."""
        key, item = node.pairs()[index]
        if node.flow:
            self.put(item.end, item.end, b", " + flow(made)[1:-1])
        else:
            self._put_lines(self._line_end(item), self._lines(made, self._column(key.start)))

    def fill(self, name: Node, item: Node, made: dict[str, Json]) -> bool:
        """Insert fields below a key without a value; False if the key does not end its line."""
        rest = _REST_OF_LINE.match(self.data, item.start, self.span.end)
        if not rest or not self.data.endswith(b":", 0, item.start):
            return False
        self._put_lines(rest.end(), self._lines(made, self._column(name.start) + 2))
        return True

    def replace(self, item: Node, wanted: Json, parent: Node | None) -> None:
        """Replace a value, indented below its parent; the parent may be given by its key."""
        start, end = item.start, item.end
        if item.style in ("|", ">"):
            end = start + len(self.data[start:end].rstrip())
        written = flow(wanted)
        if item.empty:
            written = (b" " if self.data[start - 1 : start] in (b":", b"-") else b": ") + written
        elif parent is not None and not parent.flow:
            written = b" " * (self._column(parent.start) + 1 - self._column(start)) + written
        self.put(start, end, written)

    def take_out(self, node: Node, heads: list[Node], tails: list[Node], index: int, mark: bytes) -> None:
        """Delete a field or an item of a collection, with the ``mark`` before it (``-`` or a comma).

        Not the only one. In block style whole lines go. Raises NotEditable.
        """
        self.put(*self._extent(node, heads, tails, index, mark), b"")

    def _extent(self, node: Node, heads: list[Node], tails: list[Node], index: int, mark: bytes) -> tuple[int, int]:
        head, tail = heads[index], tails[index]
        if node.flow:
            if index + 1 < len(heads):
                return head.start, heads[index + 1].start
            return tails[index - 1].end, tail.end
        line = self._line(head.start)
        stop = self._line_end(tail)
        if self.data[line : head.start].strip(b" ") == mark:
            return line, stop
        if index + 1 < len(heads) and self.data[stop : heads[index + 1].start].strip(b" ") == mark:
            return head.start, heads[index + 1].start
        raise NotEditable("the field shares its line", head.start)

    def _lines(self, made: dict[str, Json], column: int) -> bytes:
        return b"".join(block(key, item, column, self.newline) for key, item in made.items())

    def _put_lines(self, at: int, lines: bytes) -> None:
        """Put lines in at a line's start, or at the end of a text that does not end its last line."""
        ended = self.data.endswith(b"\n", 0, at)
        self.put(at, at, lines if ended else self.newline + lines.removesuffix(self.newline))

    def _below(self, name: Node, line: int) -> int:
        """The start of the line below the one with the key, where only comments stand between it and a line."""
        newline = self.data.find(b"\n", name.end, line)
        if newline >= 0 and _BLANK.match(self.data, newline + 1, line):
            return newline + 1
        return line

    def _line_end(self, tail: Node) -> int:
        """The end of the line that a field ends on; raises NotEditable where another field shares it."""
        if tail.style in ("|", ">") and self.data.endswith(b"\n", 0, tail.end):
            return tail.end
        rest = _REST_OF_LINE.match(self.data, tail.end, self.span.end)
        if not rest:
            raise NotEditable("another field shares the line", tail.end)
        return rest.end()

    def _line(self, offset: int) -> int:
        return max(self.data.rfind(b"\n", 0, offset) + 1, self.span.start)

    def _column(self, offset: int) -> int:
        return len(self.data[self._line(offset) : offset].removeprefix(BOM).decode())
