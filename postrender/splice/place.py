"""Where in a document's text each change goes."""

from __future__ import annotations

from dataclasses import dataclass

from postrender.live import Json
from postrender.manifest.tree import Kind, Node
from postrender.manifest.values import is_merge, key_text, value
from postrender.splice.changes import Changes, Drop, Put, materialised
from postrender.splice.write import block, flow, key


class Awkward(Exception):
    """The change cannot be made in place; ``offset`` is in characters."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Splice:
    """Text to stand instead of text[start:end]."""

    start: int
    end: int
    text: str


def splices(text: str, root: Node | None, changes: Changes) -> list[Splice]:
    """What to replace in a document's text; raises Awkward."""
    if root is None:
        raise Awkward("an empty document", 0)
    placer = _Placer(text, root)
    placer.change(root, changes, column=-1)
    return placer.found


class _Placer:
    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self.found: list[Splice] = []
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.shared = _shared(root)

    def change(self, node: Node, changes: Changes, column: int) -> None:
        if node.kind is Kind.ALIAS:
            raise Awkward(f"an alias (*{node.text}) is on the way", node.start)
        if node.anchor in self.shared:
            raise Awkward(f"other places share it as *{node.anchor}", node.start)
        if node.kind is Kind.SEQUENCE:
            for index, wish in changes.items():
                self._existing(None, node.children[int(index)], wish, self._column(node.start))
            return
        if node.kind is not Kind.MAPPING:
            raise Awkward("not a mapping", node.start)
        self._mapping(node, changes)

    def _mapping(self, node: Node, changes: Changes) -> None:
        pairs = node.pairs()
        if any(is_merge(name) for name, _ in pairs):
            raise Awkward("a merge key is among its fields", node.start)
        made: dict[str, Json] = {}
        for wanted, wish in changes.items():
            here = [(name, item) for name, item in pairs if key_text(name) == str(wanted)]
            if not here:
                if isinstance(wish, Put):
                    made[str(wanted)] = wish.value
                elif not isinstance(wish, Drop):
                    inner = materialised(wish)
                    if inner:
                        made[str(wanted)] = inner
            elif isinstance(wish, Drop):
                for name, item in here:
                    self._remove(node, name, item)
            else:
                name, item = here[-1]
                self._existing(name, item, wish, self._column(name.start))
        if made:
            self._insert(node, made)

    def _existing(self, name: Node | None, item: Node, wish: object, column: int) -> None:
        if isinstance(wish, Put):
            if value(item) != wish.value:
                self._replace(item, wish.value, column)
        elif isinstance(wish, dict):
            if item.kind is Kind.SCALAR and value(item) is None:
                made = materialised(wish)
                if made:
                    self._replace(item, made, column)
            else:
                self.change(item, wish, column)
        else:
            raise Awkward("an item of a list is to go", item.start)

    def _insert(self, node: Node, made: dict[str, Json]) -> None:
        if node.flow:
            inside = self.text.index("{", node.start) + 1
            pairs = ", ".join(f"{flow(name)}: {flow(item)}" for name, item in made.items())
            self.found.append(Splice(inside, inside, pairs + (", " if node.children else "")))
            return
        first = node.children[0]
        column = self._column(first.start)
        line = self._line(first.start)
        lines = "".join(block(name, item, column, self.newline) for name, item in made.items())
        if self.text[line : first.start].strip(" \ufeff"):
            self.found.append(Splice(first.start, first.start, lines.lstrip(" ") + " " * column))
        else:
            at = line + (1 if self.text.startswith("\ufeff", line) else 0)
            self.found.append(Splice(at, at, lines))

    def _replace(self, item: Node, wanted: Json, column: int) -> None:
        if item.anchor in self.shared:
            raise Awkward(f"other places share it as *{item.anchor}", item.start)
        start, end = item.start, self._end(item)
        written = flow(wanted)
        if start == end or self.text[start - 1 : start] == ":":
            written = " " + written
        elif self._column(start) <= column:
            written = " " * (column + 1 - self._column(start)) + written
        if end > start and self.text[end - 1] == "\n":
            written += self.newline
        self.found.append(Splice(start, end, written))

    def _remove(self, node: Node, name: Node, item: Node) -> None:
        start, end = name.start, self._end(item)
        if node.flow or len(node.children) == 2:
            raise Awkward("a field of a flow mapping, or the only one, is to go", name.start)
        line = self._line(start)
        if self.text[line:start].strip(" "):
            raise Awkward("the field shares its line", start)
        stop = self.text.find("\n", end)
        rest = self.text[end : stop if stop >= 0 else len(self.text)]
        if end and self.text[end - 1] == "\n":
            stop = end
        elif rest.strip() and not rest.lstrip().startswith("#"):
            raise Awkward("the field shares its line", start)
        else:
            stop = stop + 1 if stop >= 0 else len(self.text)
        self.found.append(Splice(line, stop, ""))

    def _end(self, node: Node) -> int:
        while node.kind in (Kind.MAPPING, Kind.SEQUENCE) and not node.flow:
            node = node.children[-1]
        return node.end

    def _line(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _column(self, offset: int) -> int:
        return len(self.text[self._line(offset) : offset].replace("\ufeff", ""))


def _shared(root: Node) -> set[str]:
    """The anchors that aliases refer to."""
    found: set[str] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if node.kind is Kind.ALIAS:
            found.add(node.text)
        pending += node.children
    return found


__all__ = ["Awkward", "Splice", "key", "splices"]
