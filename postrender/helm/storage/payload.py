"""One stored revision with edits to its manifest: only the bytes of the JSON string ``manifest`` are replaced.

Everything around them stays as Helm wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from postrender import manifest as manifests
from postrender._record import Record
from postrender.helm.storage.revisions import Undecodable, pack, parse, unpack
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit, Remove, Set, splice
from postrender.manifest.edit.changes import Changes, DeleteValue, SetValue, add, applied, same
from postrender.models import Json

_BLANKS = " \t\r\n"


class Edited(Record):
    """The new ``data.release``; ``reserialized`` is set if a document had to be serialized again."""

    packed: str
    reserialized: bool = False


class Payload:
    """A ``data.release`` and the manifest in it; raises Undecodable, and ManifestError for an unreadable manifest."""

    def __init__(self, packed: str, *, wrapped: bool) -> None:
        self._text, self._packing = unpack(packed, wrapped=wrapped)
        self._body = parse(self._text)
        self.manifest = manifests.read(_manifest(self._body))

    def edited(self, edits: Sequence[Edit], dropped: Iterable[ObjectRef] = ()) -> Edited:
        """The payload with the edits, and without the ``dropped`` objects.

        Proved: the new payload is decoded again and compared with the old one value by value. Raises Undecodable, and
        ManifestError for an edit that cannot be made.
        """
        gone = tuple(dropped)
        items = [Remove(ref, ()) for ref in gone if ref.path]
        spliced = splice(self.manifest, [*edits, *items])
        manifest = _without(spliced.data, {ref.document for ref in gone if not ref.path})
        packed = pack(_with_manifest(self._text, manifest.decode()), self._packing)
        self._prove(edits, gone, manifest, packed)
        return Edited(packed, reserialized=bool(spliced.rewritten))

    def _prove(self, edits: Sequence[Edit], dropped: tuple[ObjectRef, ...], manifest: bytes, packed: str) -> None:
        """Raises Undecodable unless the new payload says what the old one said, but for the edits."""
        now = parse(unpack(packed, wrapped=self._packing.wrapped)[0])
        after = manifests.read(_manifest(now))
        rest, rest_now = (
            {name: value for name, value in body.items() if name != "manifest"} for body in (self._body, now)
        )
        kept = [ref for ref in self.manifest.objects if ref not in dropped]
        proved = (
            _manifest(now) == manifest
            and same(rest, rest_now)
            and len(kept) == len(after.objects)
            and all(
                same(applied(self.manifest.value(old), _changes(old, edits)), after.value(new))
                for old, new in zip(kept, after.objects, strict=True)
            )
        )
        if not proved:
            raise Undecodable("with the edits it would read differently")


def renamed(packed: str, *, wrapped: bool, name: str, namespace: str) -> str:
    """The payload of the same revision under another name: only the values of ``name`` and ``namespace`` change.

    Proved as in ``Payload.edited``; raises Undecodable.
    """
    text, packing = unpack(packed, wrapped=wrapped)
    source = text.decode()
    for field, value in (("name", name), ("namespace", namespace)):
        start, end = _place(source, field)
        source = source[:start] + json.dumps(value) + source[end:]
    if not same(parse(source.encode()), {**parse(text), "name": name, "namespace": namespace}):
        raise Undecodable("with another name it would read differently")
    return pack(source.encode(), packing)


def _changes(ref: ObjectRef, edits: Sequence[Edit]) -> Changes:
    changes: Changes = {}
    for edit in edits:
        if (edit.ref.document, edit.ref.path) == (ref.document, ref.path):
            add(changes, edit.path, SetValue(edit.value) if isinstance(edit, Set) else DeleteValue())
    return changes


def _without(data: bytes, documents: set[int]) -> bytes:
    """The stream without some of its documents, and the separator lines before them."""
    found = manifests.read(data).documents
    for index in sorted(documents, reverse=True):
        start = found[index].start
        line = data.rfind(b"\n", 0, max(start - 1, 0)) + 1
        data = data[: line if data.startswith(b"---", line) and line < start else start] + data[found[index].end :]
    return data


def _manifest(body: dict[str, Json]) -> bytes:
    text = body.get("manifest", "")
    try:
        return str.encode(text)
    except (TypeError, UnicodeEncodeError) as error:
        raise Undecodable("its manifest is not a text") from error


def _with_manifest(text: bytes, manifest: str) -> bytes:
    """The JSON text with another value of ``manifest`` in it; raises Undecodable."""
    source = text.decode()
    start, end = _place(source, "manifest")
    return (source[:start] + json.dumps(manifest, ensure_ascii=False) + source[end:]).encode()


def _place(source: str, field: str) -> tuple[int, int]:
    """Where the value of a field that occurs once stands in the text of an object.

    Go's reader takes names in any case, and of one that is there twice the last (encoding/json), so that more than one
    would be ambiguous.
    """
    decoder = json.JSONDecoder()
    found = []
    at = source.index("{") + 1
    while True:
        at = _past_blanks(source, at)
        if source[at] == "}":
            break
        name, at = decoder.raw_decode(source, at)
        start = _past_blanks(source, source.index(":", at) + 1)
        _, at = decoder.raw_decode(source, start)
        if name.lower() == field:
            found.append((start, at))
        at = _past_blanks(source, at)
        at += source[at] == ","
    if len(found) != 1:
        raise Undecodable(f"it does not hold exactly one {field}")
    return found[0]


def _past_blanks(source: str, at: int) -> int:
    while source[at] in _BLANKS:
        at += 1
    return at
