"""Where in a document's text each change goes."""

from __future__ import annotations

import re
from itertools import pairwise

from postrender.live import Json
from postrender.manifest.reader import Span
from postrender.manifest.tree import Kind, Node, Tree
from postrender.manifest.values import is_merge, key_text, value
from postrender.record import Record
from postrender.splice.changes import Changes, Drop, Put, applied, check_index, materialised, no_fields, same
from postrender.splice.write import block, flow

_BLANK = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ ]*\Z")
_REST_OF_LINE = re.compile(rb"[ \t]*(?:(?<=[ \t])#[^\n]*|\r)?(?:\n|\Z)")
_EXPLICIT = re.compile(rb"\?[ ]+\Z")


class Awkward(Exception):
    """The change cannot be made in place; ``offset`` counts bytes in the data."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


class Piece(Record):
    """Text to stand instead of data[start:end]."""

    start: int
    end: int
    text: bytes


def pieces(span: Span, tree: Tree, changes: Changes) -> list[Piece]:
    """What to replace in a document's text, in order; raises Awkward."""
    if tree.root is None:
        raise Awkward("the document is empty", span.start)
    placer = _Placer(span, tree)
    placer.change(tree.root, changes)
    found = sorted(placer.found, key=_extent)
    for before, after in pairwise(found):
        if after.start < before.end:
            raise Awkward("two changes meet in one place", after.start)
    return found


class _Placer:
    def __init__(self, span: Span, tree: Tree) -> None:
        self.span = span
        self.data = span.data
        self.found: list[Piece] = []
        self.newline = b"\r\n" if span.data.find(b"\r\n", span.start, span.end) >= 0 else b"\n"
        self.references = tree.references
        self.aliases = _aliases(tree.root) if tree.references and tree.root else {}

    def change(self, node: Node, changes: Changes, name: Node | None = None) -> None:
        """Place the changes inside a collection; ``name`` is its key."""
        if node.kind is Kind.ALIAS:
            self._put(node.start, node.end, flow(applied(self._value(node), changes)))
            return
        self._detach(node)
        if node.kind is Kind.SEQUENCE:
            self._sequence(node, changes, name)
        elif node.kind is Kind.SCALAR:
            raise no_fields(self._value(node), node.start)
        else:
            self._mapping(node, changes, name)

    def _sequence(self, node: Node, changes: Changes, name: Node | None) -> None:
        dropped: list[int] = []
        for part, wish in changes.items():
            index = check_index(node.children, part, node.start)
            if isinstance(wish, Drop):
                dropped.append(index)
            else:
                self._existing(None, node.children[index], wish, node)
        if len(dropped) == len(node.children):
            self._replace(node, [], name)
            return
        for index in dropped:
            item = node.children[index]
            self._detach(item, inside=True)
            self._put(*self._extent(node, node.children, node.children, index, b"-"), b"")

    def _mapping(self, node: Node, changes: Changes, name: Node | None) -> None:
        made: dict[str, Json] = {}
        late: dict[str, Json] = {}
        dropped: list[int] = []
        texts = ["" if is_merge(key) else key_text(key) for key in node.children[::2]]
        merge = max((index for index, key in enumerate(node.children[::2]) if is_merge(key)), default=-1)
        for wanted, wish in changes.items():
            last = max((index for index, text in enumerate(texts) if text == wanted), default=-1)
            given = self._merged(node, str(wanted)) if merge >= 0 else {}
            if wanted in given:
                self._override(node, str(wanted), wish, given, late, last)
            elif last < 0:
                made.update(materialised({wanted: wish}))
            elif isinstance(wish, Drop):
                dropped += [index for index, text in enumerate(texts) if text == wanted]
            else:
                self._existing(node.children[2 * last], node.children[2 * last + 1], wish, node)
        if len(dropped) == len(texts) and texts:
            self._replace(node, made, name)
            return
        self._drop(node, dropped)
        if made:
            self._insert(node, made, name)
        if late:
            self._insert_after(node, merge, late)

    def _merged(self, node: Node, wanted: str) -> dict[str, Json]:
        """The field, where a merge key gives it: go-yaml lets the later of a merge and a field win."""
        provider = None
        for key, item in node.pairs():
            if is_merge(key):
                parts = item.children if item.kind is Kind.SEQUENCE else [item]
                if any(wanted in self._value(part) for part in parts):
                    provider = key
            elif key_text(key) == wanted:
                provider = None
        return {wanted: self._value(node)[wanted]} if provider else {}

    def _override(
        self, node: Node, wanted: str, wish: object, given: dict[str, Json], late: dict[str, Json], last: int
    ) -> None:
        if isinstance(wish, Drop):
            raise Awkward("a merge key brings the field in", node.start)
        wanted_value = applied(given, {wanted: wish})[wanted]
        if same(wanted_value, given[wanted]):
            return
        if last >= 0:
            raise Awkward("a merge key overrides the field", node.start)
        late[wanted] = wanted_value

    def _existing(self, name: Node | None, item: Node, wish: object, parent: Node) -> None:
        if isinstance(wish, Put):
            if not same(self._value(item), wish.value):
                self._replace(item, wish.value, parent)
            return
        assert isinstance(wish, dict)
        if item.kind is not Kind.SCALAR or self._value(item) is not None:
            self.change(item, wish, name)
            return
        made = materialised(wish)
        if made and item.empty and name and not parent.flow and self._insert_below(name, item, made):
            return
        if made:
            self._replace(item, made, parent)

    def _insert(self, node: Node, made: dict[str, Json], name: Node | None) -> None:
        """Put fields before the first: after the line that opens the mapping, else before the line of its first key."""
        if node.flow:
            inside = self.data.index(b"{", node.start) + 1
            self._put(inside, inside, flow(made)[1:-1] + (b", " if node.children else b""))
            return
        first = node.children[0]
        column = self._column(first.start)
        lines = b"".join(block(key, item, column, self.newline) for key, item in made.items())
        line = self._line(first.start)
        before = self.data[line : first.start]
        if before.strip(b" ") in (b"", b"\xef\xbb\xbf"):
            at = self._after_opening(name, line) if name else line + len(before.rstrip(b" "))
            self._put(at, at, lines)
        elif _EXPLICIT.search(before):
            raise Awkward("its first key is a complex one", first.start)
        else:
            self._insert_after(node, 0, made)

    def _insert_after(self, node: Node, index: int, made: dict[str, Json]) -> None:
        """Put fields after one of the mapping's, on lines of their own."""
        key, item = node.pairs()[index]
        end = item.end
        if node.flow:
            self._put(end, end, b", " + flow(made)[1:-1])
            return
        column = self._column(key.start)
        rest = _REST_OF_LINE.match(self.data, end, self.span.end)
        at = end if self.data[end - 1 : end] == b"\n" else rest.end() if rest else -1
        if at < 0:
            raise Awkward("another field shares the line", end)
        lines = b"".join(block(each, wanted, column, self.newline) for each, wanted in made.items())
        ended = self.data[at - 1 : at] == b"\n"
        self._put(at, at, lines if ended else self.newline + lines.removesuffix(self.newline))

    def _insert_below(self, name: Node, item: Node, made: dict[str, Json]) -> bool:
        """Put fields below a key without a value, where it stands alone on its line."""
        rest = _REST_OF_LINE.match(self.data, item.start, self.span.end)
        if not rest or self.data[item.start - 1 : item.start] != b":":
            return False
        column = self._column(name.start) + 2
        lines = b"".join(block(each, wanted, column, self.newline) for each, wanted in made.items())
        ended = self.data[rest.end() - 1 : rest.end()] == b"\n"
        self._put(rest.end(), rest.end(), lines if ended else self.newline + lines.removesuffix(self.newline))
        return True

    def _after_opening(self, name: Node, line: int) -> int:
        """The start of the line after the one with the key, where only comments come before the mapping's own."""
        newline = self.data.find(b"\n", name.end, line)
        if newline >= 0 and _BLANK.match(self.data, newline + 1, line):
            return newline + 1
        return line

    def _replace(self, item: Node, wanted: Json, parent: Node | None) -> None:
        """Put a value where another is, right of its parent's margin; the parent may be given by its key."""
        self._detach(item, inside=True)
        start, end = item.start, item.end
        if item.style in ("|", ">"):
            end = start + len(self.data[start:end].rstrip())
        before = self.data[start - 1 : start]
        written = flow(wanted)
        if item.empty:
            written = (b" " if before in (b":", b"-") else b": ") + written
        elif parent is not None and not parent.flow and self._column(start) <= self._column(parent.start):
            written = b" " * (self._column(parent.start) + 1 - self._column(start)) + written
        self._put(start, end, written)

    def _drop(self, node: Node, dropped: list[int]) -> None:
        for index in dropped:
            self._detach(node.children[2 * index + 1], inside=True)
            self._put(*self._extent(node, node.children[::2], node.children[1::2], index, b""), b"")

    def _extent(self, node: Node, heads: list[Node], tails: list[Node], index: int, mark: bytes) -> tuple[int, int]:
        """What to take out with a field or an item, which runs from its head to its tail after a mark."""
        head, tail = heads[index], tails[index]
        if node.flow:
            if index + 1 < len(heads):
                return head.start, heads[index + 1].start
            return tails[index - 1].end, tail.end
        line = self._line(head.start)
        stop = self._line_end(head, tail)
        if self.data[line : head.start].strip(b" ") == mark:
            return line, stop
        if index + 1 < len(heads) and self.data[stop : heads[index + 1].start].strip(b" ") == mark:
            return head.start, heads[index + 1].start
        raise Awkward("the field shares its line", head.start)

    def _line_end(self, head: Node, tail: Node) -> int:
        """The end of the line that a field ends on."""
        if tail.style in ("|", ">") and self.data[tail.end - 1 : tail.end] == b"\n":
            return tail.end
        rest = _REST_OF_LINE.match(self.data, tail.end, self.span.end)
        if not rest:
            raise Awkward("the field shares its line", head.start)
        return rest.end()

    def _detach(self, node: Node, inside: bool = False) -> None:
        """Write out what aliases elsewhere stand for, so that a change of the node leaves them as they are."""
        if not self.references:
            return
        pending = [node]
        while pending:
            each = pending.pop()
            for alias in self.aliases.get(id(each), ()):
                if not (node.start <= alias.start < node.end):
                    self._put(alias.start, alias.end, flow(self._value(each)))
            if inside:
                pending += each.children

    def _value(self, node: Node) -> Json:
        return value(node, references=self.references)

    def _put(self, start: int, end: int, text: bytes) -> None:
        piece = Piece(start, end, text)
        if piece not in self.found:
            self.found.append(piece)

    def _line(self, offset: int) -> int:
        return max(self.data.rfind(b"\n", 0, offset) + 1, self.span.start)

    def _column(self, offset: int) -> int:
        return len(self.data[self._line(offset) : offset].decode().removeprefix("\ufeff"))


def _extent(piece: Piece) -> tuple[int, int]:
    return piece.start, piece.end


def _aliases(root: Node) -> dict[int, list[Node]]:
    """The aliases of each node that has some, by the node's id."""
    found: dict[int, list[Node]] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.kind is Kind.ALIAS:
            found.setdefault(id(node.target), []).append(node)
        pending += node.children
    return found
