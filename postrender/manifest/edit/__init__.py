"""Edits into bytes, and the proof that nothing else changed."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import Record
from postrender.errors import ManifestError
from postrender.manifest import Document, Manifest, ObjectRef
from postrender.manifest.edit.changes import Changes, DeleteValue, EditConflict, SetValue, add, check_value
from postrender.manifest.edit.document import edited
from postrender.manifest.stream import chunks, error_at, starts_as_json
from postrender.models import Json, ObjectKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Edit", "Remove", "Set", "Spliced", "splice"]


class Set(Record):
    """Set the field at a path; missing mappings above it are created.

    ``path`` starts at the object: ``("metadata", "labels", "app")``; a list's item is an int.
    """

    ref: ObjectRef
    path: tuple[str | int, ...]
    value: Json


class Remove(Record):
    """Delete the field at a path, if it exists."""

    ref: ObjectRef
    path: tuple[str | int, ...]


Edit: TypeAlias = Set | Remove


class Spliced(Record):
    """The edited stream. ``rewritten`` maps the documents that were serialized again, by index, to the reason."""

    data: bytes
    rewritten: tuple[tuple[int, str], ...] = ()


def splice(manifest: Manifest, edits: Sequence[Edit]) -> Spliced:
    """The stream with the edits, verified: each document is read again and differs by the edits alone.

    Raises ManifestError, with the place, for an edit that cannot be made or proved.
    """
    parts: list[bytes] = []
    reserialized: list[tuple[int, str]] = []
    position = 0
    for index, changes in sorted(_by_document(manifest, edits).items()):
        document = manifest.documents[index]
        try:
            pieces, why = edited(manifest.data, document, changes)
        except ManifestError as error:
            raise _named(error, document) from None
        if why:
            reserialized.append((index, why))
        for piece in pieces:
            parts += [manifest.data[position : piece.start], piece.text]
            position = piece.end
    parts.append(manifest.data[position:])
    data = b"".join(parts)
    if starts_as_json(data) and [chunk.json for chunk in chunks(data)] != [each.json for each in manifest.documents]:
        raise error_at(manifest.data, 0, "cannot be edited: Helm would take the edited YAML for JSON")
    return Spliced(data, tuple(reserialized))


def _by_document(manifest: Manifest, edits: Sequence[Edit]) -> dict[int, Changes]:
    grouped: dict[int, Changes] = {}
    for edit in edits:
        way = [part for index in edit.ref.path for part in ("items", index)]
        changes = grouped.setdefault(edit.ref.document, {})
        try:
            if isinstance(edit, Set):
                check_value(edit.value)
            add(changes, (*way, *edit.path), SetValue(edit.value) if isinstance(edit, Set) else DeleteValue())
        except EditConflict as error:
            document = manifest.documents[edit.ref.document]
            raise _named(error_at(manifest.data, document.start, f"cannot be edited: {error}"), document) from None
    return grouped


def _named(error: ManifestError, document: Document) -> ManifestError:
    """The error with the objects of its document in front."""
    names = [str(ObjectKey(ref.gvk.group_kind, ref.namespace, ref.name)) for ref in document.objects]
    where = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return ManifestError(error.cause, line=error.line, column=error.column, where=where, next=error.next)
