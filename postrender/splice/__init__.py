"""Edits into bytes, and the proof that nothing else changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from postrender.live import Json
from postrender.manifest import Document, Manifest, ObjectRef, document_tree, document_value
from postrender.manifest.stream import error_at
from postrender.splice.changes import Changes, Conflict, add, applied
from postrender.splice.place import Awkward, Splice, splices
from postrender.splice.rewrite import rewritten

__all__ = ["Edit", "Remove", "Set", "Spliced", "splice"]


@dataclass(frozen=True, slots=True)
class Set:
    """Give the field at a path this value, making the mappings on the way where they are missing.

    ``path`` starts at the object: ``("metadata", "labels", "app")``; a list's item is an int.
    """

    ref: ObjectRef
    path: tuple[str | int, ...]
    value: Json


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the field at a path away; where it is not there, nothing changes."""

    ref: ObjectRef
    path: tuple[str | int, ...]


Edit: TypeAlias = Set | Remove


@dataclass(frozen=True, slots=True)
class Spliced:
    """The stream with the edits in it. ``rewritten`` are documents written anew as a whole, by index, with why."""

    data: bytes
    rewritten: tuple[tuple[int, str], ...] = ()


def splice(manifest: Manifest, edits: Sequence[Edit]) -> Spliced:
    """The stream with the edits carried out and proved: each edited document differs by what was meant and no more.

    Raises ManifestError, with the place, for an edit that cannot be made or proved.
    """
    parts: list[bytes] = []
    done: list[tuple[int, str]] = []
    position = 0
    for index, changes in sorted(_by_document(manifest, edits).items()):
        document = manifest.documents[index]
        text, why = _edited(manifest, document, changes)
        if why:
            done.append((index, why))
        parts += [manifest.data[position : document.start], text]
        position = document.end
    parts.append(manifest.data[position:])
    return Spliced(b"".join(parts), tuple(done))


def _by_document(manifest: Manifest, edits: Sequence[Edit]) -> Mapping[int, Changes]:
    grouped: dict[int, Changes] = {}
    for edit in edits:
        path: list[str | int] = []
        for index in edit.ref.path:
            path += ["items", index]
        try:
            add(grouped.setdefault(edit.ref.document, {}), (*path, *edit.path), edit)
        except Conflict as error:
            raise error_at(manifest.data, manifest.documents[edit.ref.document].start, str(error)) from None
    return grouped


def _edited(manifest: Manifest, document: Document, changes: Changes) -> tuple[bytes, str]:
    """The document's new bytes, and why it was written anew, if it was."""
    data, start, end = manifest.data, document.start, document.end
    before = document_value(data, start, end, document.json)
    try:
        meant = applied(before, changes)
    except Conflict as error:
        raise error_at(data, start, str(error)) from None
    if meant == before:
        return data[start:end], ""
    text = manifest.text(document)
    root = document_tree(data, start, end)
    why = ""
    try:
        new = _spliced(text, splices(text, root, changes))
    except Awkward as error:
        why = str(error)
        try:
            new = rewritten(text, changes)
        except ValueError as failed:
            offset = start + len(text[: error.offset].encode())
            raise error_at(data, offset, f"cannot be edited: {error}, and {failed}") from None
    result = new.encode()
    if document_value(result, 0, len(result), document.json) != meant:
        raise error_at(data, start, "the edited document does not read as meant, so nothing is written")
    return result, why


def _spliced(text: str, pieces: Sequence[Splice]) -> str:
    parts: list[str] = []
    position = 0
    for piece in sorted(pieces, key=lambda piece: (piece.start, piece.end)):
        if piece.start < position:
            raise Awkward("two edits meet in one place", piece.start)
        parts += [text[position : piece.start], piece.text]
        position = piece.end
    return "".join([*parts, text[position:]])
