"""Edit one document: field by field, else its top-level fields, else by serializing it again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from postrender.errors import ManifestError
from postrender.manifest.composer import compose
from postrender.manifest.decode import value
from postrender.manifest.documents import Document, document_tree, field_tree, tree_value
from postrender.manifest.edit.changes import Changes, DeleteValue, EditConflict, applied, same
from postrender.manifest.edit.editor import NotEditable, Replacement
from postrender.manifest.edit.equivalence import NotEquivalent, verify_edit
from postrender.manifest.edit.placement import pieces
from postrender.manifest.nodes import Tree
from postrender.manifest.reader import Span, YamlError
from postrender.manifest.scalars import UnsupportedYaml
from postrender.manifest.stream import TEMPLATE, error_at
from postrender.manifest.top_level_fields import Field
from postrender.models import Json

_COMMENTS = rb"(?:#[^\n]*\n(?:[ ]*(?:#[^\n]*)?\n)*)?\Z"


def edited(data: bytes, document: Document, changes: Changes) -> tuple[list[Replacement], str]:
    """The replacements for one document's changes, and the reason if it was serialized again.

    Proved; raises ManifestError.
    """
    try:
        found = _by_fields(data, document, changes) if document.fields else None
        if found is None:
            return _as_a_whole(data, document, changes)
        return found, ""
    except EditConflict as error:
        at = error.offset if error.offset >= 0 else document.start
        raise error_at(data, at, f"cannot be edited: {error}", next=error.next) from None
    except UnsupportedYaml as error:
        raise error_at(data, error.node.start, f"cannot be read as Helm does: {error}", next=TEMPLATE) from None


def _by_fields(data: bytes, document: Document, changes: Changes) -> list[Replacement] | None:
    """The edits, each proved within its top-level field; ``None`` where that cannot be done."""
    by_name = {field.name: field for field in document.fields}
    found: list[Replacement] = []
    for name, change in changes.items():
        field = by_name.get(str(name))
        if field is None:
            if isinstance(change, DeleteValue):
                continue
            return None
        pieces_of = _drop_field(data, field) if isinstance(change, DeleteValue) else _in_field(data, field, change)
        if pieces_of is None:
            return None
        found += pieces_of
    return sorted(found, key=lambda piece: (piece.start, piece.end))


def _in_field(data: bytes, field: Field, change: object) -> list[Replacement] | None:
    span = Span(data, field.start, field.end)
    tree = field_tree(span, _wanted({field.name: change}))
    if tree is None:
        return None
    try:
        found = pieces(span, tree, {field.name: change})
        if not found:
            return []
        text = _joined(span, found)
        if not text.startswith(field.name.encode() + b":") or not _closes(text, data, field.end):
            return None
        verify_edit(span, Span(text, 0, len(text)), {field.name: change}, pure=tree.pure)
    except (NotEditable, NotEquivalent):
        return None
    return found


def _drop_field(data: bytes, field: Field) -> list[Replacement] | None:
    tree = field_tree(Span(data, field.start, field.end), {})
    if tree is None or tree.root is None:
        return None
    newline = data.find(b"\n", max(tree.root.end - 1, field.start), field.end)
    stop = newline + 1 if newline >= 0 else field.end
    return [Replacement(field.start, stop, b"")] if re.match(_COMMENTS, data[stop : field.end]) else None


def _closes(text: bytes, data: bytes, end: int) -> bool:
    """Whether a new text ends its last line where another follows, and begins no document inside."""
    follows = end < len(data)
    return not (follows and not text.endswith(b"\n")) and b"\n---" not in text and not text.startswith(b"---")


def _as_a_whole(data: bytes, document: Document, changes: Changes) -> tuple[list[Replacement], str]:
    span = Span(data, document.start, document.end)
    why = ""
    try:
        tree = document_tree(span, _wanted(changes))
        found = pieces(span, tree, changes)
        text = _joined(span, found)
        if found:
            _prove_whole(span, text, tree, document, changes)
        return found, ""
    except (NotEditable, NotEquivalent) as error:
        why = str(error)
        offset = error.offset if isinstance(error, NotEditable) else document.start
    except ManifestError:
        if not document.json:
            raise
        why, offset = "it is JSON that is not YAML", document.start
    try:
        text = _reserialized(span, document, changes)
        _prove_values(span, text, document, changes)
    except (ValueError, NotEquivalent) as error:
        raise error_at(data, offset, f"cannot be edited: {why}, and {error}", next=TEMPLATE) from None
    return [Replacement(span.start, span.end, text)], why


def _wanted(changes: Changes) -> object:
    """What to keep of a document's tree: the way to each change, and all below it."""
    return {key: _wanted(change) if isinstance(change, dict) else None for key, change in changes.items()}


def _prove_whole(span: Span, text: bytes, tree: Tree, document: Document, changes: Changes) -> None:
    if not tree.references and _ends_well(span, text, document):
        try:
            verify_edit(span, Span(text, 0, len(text)), changes, pure=tree.pure)
            return
        except NotEquivalent:  # of what has a key twice, for one
            pass
    _prove_values(span, text, document, changes)


def _ends_well(span: Span, text: bytes, document: Document) -> bool:
    """Whether a document's new text is one document, and of the kind that it was."""
    if not document.json:
        return _closes(text, span.data, span.end)
    from postrender.manifest import json_stream

    try:
        json_stream.check(text)
    except json_stream.NotJson:
        return False
    return True


def _prove_values(span: Span, text: bytes, document: Document, changes: Changes) -> None:
    """Read both texts as Helm does, and compare the values."""
    if not _ends_well(span, text, document):
        raise NotEquivalent("the edited text does not end where it did")
    try:
        before, after = (_value(each, document) for each in (span, Span(text, 0, len(text))))
    except (YamlError, UnsupportedYaml, ValueError) as error:
        raise NotEquivalent(f"the edited text cannot be read: {error}") from None
    if not same(after, applied(before, changes)):
        raise NotEquivalent("the edited text does not read as meant")


def _value(span: Span, document: Document) -> Json:
    if document.json:
        from postrender.manifest import json_stream

        return json_stream.load(span)
    tree = compose(span)
    return value(tree.root, references=tree.references)


def _reserialized(span: Span, document: Document, changes: Changes) -> bytes:
    if document.json:
        return json.dumps(applied(_value(span, document), changes), ensure_ascii=False).encode()
    from postrender.manifest.dump import reserialize  # Hardly ever.

    meant = applied(tree_value(span, document_tree(span)), changes)
    mark = span.data[span.start : span.text_start]
    text = span.data[span.text_start : document.ignored_from].decode()
    return mark + reserialize(text, meant, changes).encode() + span.data[document.ignored_from : span.end]


def _joined(span: Span, found: Sequence[Replacement]) -> bytes:
    parts: list[bytes] = []
    position = span.start
    for piece in found:
        parts += [span.data[position : piece.start], piece.text]
        position = piece.end
    return b"".join([*parts, span.data[position : span.end]])
