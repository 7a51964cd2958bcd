"""Pins taken out of one stored revision: the text of its payload with the lines that hold them gone, and no more.

A pin is a ``metadata.resourceVersion`` in the stored manifest. Only the bytes of the JSON string ``manifest`` are
replaced; everything around them stays as Helm wrote it.
"""

from __future__ import annotations

import json

from postrender import manifest as manifests
from postrender._record import Record
from postrender.helm.storage.revisions import Undecodable, pack, parse, unpack
from postrender.manifest import Manifest, ObjectRef
from postrender.manifest.edit import Remove, splice
from postrender.manifest.edit.changes import same
from postrender.models import Json

_BLANKS = " \t\r\n"
_VERSION = "metadata.resourceVersion"


class Pin(Record):
    """A resourceVersion in a stored manifest, and its object."""

    ref: ObjectRef
    version: str


class Unpinned(Record):
    """A revision without its pins: the new ``data.release``, and the pins that were removed.

    ``rewritten`` is set if a document had to be serialized again.
    """

    packed: str
    pins: tuple[Pin, ...]
    rewritten: bool = False


def unpinned(packed: str, *, wrapped: bool) -> Unpinned | None:
    """The payload without pins; ``None`` if it has none.

    Proved: the new payload is decoded again and compared with the old one value by value. Raises Undecodable, and
    ManifestError for a stored manifest that cannot be read or edited.
    """
    text, packing = unpack(packed, wrapped=wrapped)
    body = parse(text)
    before = manifests.read(_manifest(body))
    pinned = [ref for ref in before.objects if _VERSION in ref.server_set]
    pins = tuple(Pin(ref, str(before.value(ref)["metadata"]["resourceVersion"])) for ref in pinned)
    if not pins:
        return None
    spliced = splice(before, [Remove(pin.ref, ("metadata", "resourceVersion")) for pin in pins])
    result = pack(_with_manifest(text, spliced.data.decode()), packing)
    _prove(body, before, spliced.data, result, wrapped=wrapped)
    return Unpinned(result, pins, rewritten=bool(spliced.rewritten))


def _manifest(body: dict[str, Json]) -> bytes:
    text = body.get("manifest", "")
    try:
        return str.encode(text)
    except (TypeError, UnicodeEncodeError) as error:
        raise Undecodable("its manifest is not a text") from error


def _with_manifest(text: bytes, manifest: str) -> bytes:
    """The JSON text with another value of ``manifest`` in it; raises Undecodable."""
    source = text.decode()
    start, end = _place(source)
    return (source[:start] + json.dumps(manifest, ensure_ascii=False) + source[end:]).encode()


def _place(source: str) -> tuple[int, int]:
    """Where the value of the one field ``manifest`` stands in the text of an object.

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
        if name.lower() == "manifest":
            found.append((start, at))
        at = _past_blanks(source, at)
        at += source[at] == ","
    if len(found) != 1:
        raise Undecodable("it does not hold exactly one manifest")
    return found[0]


def _past_blanks(source: str, at: int) -> int:
    while source[at] in _BLANKS:
        at += 1
    return at


def _prove(body: dict[str, Json], before: Manifest, manifest: bytes, packed: str, *, wrapped: bool) -> None:
    """Raises Undecodable unless the new payload says what the old one said, but for the pins."""
    now = parse(unpack(packed, wrapped=wrapped)[0])
    after = manifests.read(_manifest(now))
    rest = {name: value for name, value in body.items() if name != "manifest"}
    proved = (
        _manifest(now) == manifest
        and same(rest, {name: value for name, value in now.items() if name != "manifest"})
        and len(before.documents) == len(after.documents)
        and len(before.objects) == len(after.objects)
        and all(
            same(_without_pin(before.value(old)), after.value(new))
            for old, new in zip(before.objects, after.objects, strict=True)
        )
    )
    if not proved:
        raise Undecodable("without its resourceVersion it would read differently")


def _without_pin(value: Json) -> Json:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return value
    return {**value, "metadata": {name: each for name, each in metadata.items() if name != "resourceVersion"}}
