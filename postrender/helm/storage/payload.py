"""The text of a revision: how Helm packs it, and how it is read and packed again."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import zlib

from postrender._record import Record
from postrender.models import Json

MAX_RELEASE = 256 * 1024 * 1024
"""The most bytes a release may unpack to. etcd holds at most some MiB packed; more is not a release but a bomb."""

_GZIP = b"\x1f\x8b\x08"
"""How Helm itself tells packed from plain (``decodeRelease``, pkg/storage/driver/util.go)."""


class Undecodable(Exception):
    """A payload is not what Helm stores; the message is one sentence without a full stop."""


class Packing(Record):
    """How a payload is packed: base64, around that once more base64 where the API wraps it, inside it gzip or not.

    Very old Helms did not gzip.
    """

    wrapped: bool
    gzipped: bool = True


def decode(packed: str, *, wrapped: bool) -> dict[str, Json]:
    """The JSON object of a ``data.release``; raises Undecodable."""
    return parse(unpack(packed, wrapped=wrapped)[0])


def unpack(packed: str, *, wrapped: bool) -> tuple[bytes, Packing]:
    """The JSON text of a ``data.release``, and how it was packed; ``wrapped`` for Secrets.

    Raises Undecodable, also where it would unpack to more than ``MAX_RELEASE`` bytes.
    """
    try:
        data = base64.b64decode(_one_line(packed.encode()), validate=True)
        data = base64.b64decode(_one_line(data), validate=True) if wrapped else data
    except (binascii.Error, ValueError) as error:
        raise Undecodable("it is not base64") from error
    if data.startswith(_GZIP):
        return _unpacked(data), Packing(wrapped)
    return data, Packing(wrapped, gzipped=False)


def pack(text: bytes, packing: Packing) -> str:
    """A JSON text as a ``data.release`` (``encodeRelease``, pkg/storage/driver/util.go); no time of day is in it."""
    data = base64.b64encode(gzip.compress(text, 9, mtime=0) if packing.gzipped else text)
    return (base64.b64encode(data) if packing.wrapped else data).decode()


def parse(text: bytes) -> dict[str, Json]:
    """The JSON object that a text is; raises Undecodable."""
    try:
        body = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise Undecodable("it is not JSON") from error
    if not isinstance(body, dict):
        raise Undecodable("it is no JSON object")
    return body


def _one_line(data: bytes) -> bytes:
    """Without line breaks, which Go's decoder passes over (encoding/base64) and Python's does not."""
    return data.translate(None, b"\r\n")


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            plain = packed.read(MAX_RELEASE + 1)
    except EOFError as error:
        raise Undecodable("its gzip ends too early") from error
    except (OSError, zlib.error) as error:
        raise Undecodable("it is not gzip") from error
    if len(plain) > MAX_RELEASE:
        raise Undecodable(f"it unpacks to more than {MAX_RELEASE >> 20} MiB")
    return plain
