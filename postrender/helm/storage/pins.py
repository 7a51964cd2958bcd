"""Pins taken out of one stored revision: the text of its payload with the lines that hold them gone, and no more.

A pin is a ``metadata.resourceVersion`` in the stored manifest.
"""

from __future__ import annotations

from postrender._record import Record
from postrender.helm.storage.payload import Payload
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Remove

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

    Raises Undecodable, and ManifestError for a stored manifest that cannot be read or edited.
    """
    payload = Payload(packed, wrapped=wrapped)
    before = payload.manifest
    pinned = [ref for ref in before.objects if _VERSION in ref.server_set]
    pins = tuple(Pin(ref, str(before.value(ref)["metadata"]["resourceVersion"])) for ref in pinned)
    if not pins:
        return None
    edited = payload.edited([Remove(pin.ref, ("metadata", "resourceVersion")) for pin in pins])
    return Unpinned(edited.packed, pins, rewritten=edited.reserialized)
