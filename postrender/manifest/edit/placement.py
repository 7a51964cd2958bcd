"""What becomes of each node that a change touches: put in, put in its place, or taken out."""

from __future__ import annotations

from itertools import pairwise

from postrender.manifest.decode import value
from postrender.manifest.edit.changes import (
    Changes,
    DeleteValue,
    SetValue,
    applied,
    build,
    check_index,
    flow,
    no_fields,
    same,
)
from postrender.manifest.edit.editor import NotEditable, Replacement, TextEditor
from postrender.manifest.nodes import Kind, Node, Tree
from postrender.manifest.reader import Span
from postrender.manifest.scalars import is_merge, key_text
from postrender.models import Json


def pieces(span: Span, tree: Tree, changes: Changes) -> list[Replacement]:
    """The replacements that make the changes in a document's text, in order; raises NotEditable, EditConflict."""
    if tree.root is None:
        raise NotEditable("the document is empty", span.start)
    editor = TextEditor(span)
    _Placer(editor, tree).change(tree.root, changes)
    found = sorted(editor.pieces, key=lambda piece: (piece.start, piece.end))
    for before, after in pairwise(found):
        if after.start < before.end:
            raise NotEditable("two changes meet in one place", after.start)
    return found


class _Placer:
    def __init__(self, editor: TextEditor, tree: Tree) -> None:
        self.editor = editor
        self.references = tree.references
        self.aliases = _aliases(tree.root) if tree.references and tree.root else {}

    def change(self, node: Node, changes: Changes, name: Node | None = None) -> None:
        """Make the changes inside a collection; ``name`` is its key."""
        if node.kind is Kind.ALIAS:
            self.editor.put(node.start, node.end, flow(applied(self._value(node), changes)))
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
        for part, change in changes.items():
            index = check_index(node.children, part, node.start)
            if isinstance(change, DeleteValue):
                dropped.append(index)
            else:
                self._existing(None, node.children[index], change, node)
        if len(dropped) == len(node.children):
            self._replace(node, [], name)
            return
        for index in dropped:
            self._detach_all(node.children[index])
            self.editor.take_out(node, node.children, node.children, index, b"-")

    def _mapping(self, node: Node, changes: Changes, name: Node | None) -> None:
        names, items = node.children[::2], node.children[1::2]
        merges = [index for index, key in enumerate(names) if is_merge(key)] if self.references else []
        texts = ["" if index in merges else key_text(key) for index, key in enumerate(names)]
        made: dict[str, Json] = {}
        late: dict[str, Json] = {}
        dropped: list[int] = []
        for wanted, change in changes.items():
            places = [index for index, text in enumerate(texts) if text == wanted]
            if merges and self._merged(node, str(wanted)):
                late.update(self._overriding(node, str(wanted), change, places))
            elif not places:
                made.update(build({wanted: change}))
            elif isinstance(change, DeleteValue):
                dropped += places
            else:
                self._existing(names[places[-1]], items[places[-1]], change, node)
        if texts and len(dropped) == len(texts):
            self._replace(node, made, name)
            return
        for index in dropped:
            self._detach_all(items[index])
            self.editor.take_out(node, names, items, index, b"")
        if made:
            self.editor.insert(node, made, name)
        if late:
            self.editor.insert_after(node, merges[-1], late)

    def _merged(self, node: Node, wanted: str) -> bool:
        """Whether a merge key gives the field: go-yaml lets the later of a merge and a field win."""
        merged = False
        for key, item in node.pairs():
            if is_merge(key):
                parts = item.children if item.kind is Kind.SEQUENCE else [item]
                merged = merged or any(wanted in self._value(part) for part in parts)
            elif key_text(key) == wanted:
                merged = False
        return merged

    def _overriding(self, node: Node, wanted: str, change: object, places: list[int]) -> dict[str, Json]:
        """The field to put after the merge that gives it another value."""
        if isinstance(change, DeleteValue):
            raise NotEditable("a merge key brings the field in", node.start)
        given = {wanted: self._value(node)[wanted]}
        meant = applied(given, {wanted: change})
        if same(meant, given):
            return {}
        if places:
            raise NotEditable("a merge key overrides the field", node.start)
        return {wanted: meant[wanted]}

    def _existing(self, name: Node | None, item: Node, change: object, parent: Node) -> None:
        if isinstance(change, SetValue):
            if not same(self._value(item), change.value):
                self._replace(item, change.value, parent)
            return
        assert isinstance(change, dict)
        if item.kind is not Kind.SCALAR or self._value(item) is not None:
            self.change(item, change, name)
            return
        made = build(change)
        filled = made and name and item.empty and not parent.flow and self.editor.fill(name, item, made)
        if made and not filled:
            self._replace(item, made, parent)

    def _replace(self, item: Node, wanted: Json, parent: Node | None) -> None:
        self._detach_all(item)
        self.editor.replace(item, wanted, parent)

    def _detach_all(self, node: Node) -> None:
        pending = [node] if self.references else []
        while pending:
            each = pending.pop()
            self._detach(each, node)
            pending += each.children

    def _detach(self, node: Node, around: Node | None = None) -> None:
        """Write out what aliases elsewhere stand for, so that a change of the node leaves them as they are."""
        around = around or node
        for alias in self.aliases.get(id(node), ()):
            if not around.start <= alias.start < around.end:
                self.editor.put(alias.start, alias.end, flow(self._value(node)))

    def _value(self, node: Node) -> Json:
        return value(node, references=self.references)


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
