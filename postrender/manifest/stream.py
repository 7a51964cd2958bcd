"""Where documents begin and end, as the reader that Helm hands its stream to sees it.

Helm gives the stream to ``Client.Build`` (pkg/kube/client.go), that to kubectl's ``StreamVisitor``
(k8s.io/cli-runtime, pkg/resource/visitor.go), and that to ``YAMLOrJSONDecoder`` (k8s.io/apimachinery,
pkg/util/yaml/decoder.go, v0.24 to v0.37): lines that begin with ``---`` part documents, before any YAML is read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from postrender.errors import ManifestError

_SEPARATOR = re.compile(rb"^---([^\n]*)(?:\n|\Z)", re.M)
_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D}) + b"\x7f"
_LOOK_AHEAD = 4096
"""How far ``NewYAMLOrJSONDecoder`` looks for the brace of a JSON stream, as the visitor calls it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The bytes of one document, without its separator line; ``json`` where a JSON decoder reads them."""

    start: int
    end: int
    json: bool = False


def chunks(data: bytes) -> list[Chunk]:
    """The documents of a stream, in order; raises ManifestError where no reader would get that far.

    The stream must be UTF-8 without control characters: YAML allows none, and Helm's readers say so only late.
    """
    _check_characters(data)
    found, position = _json_values(data)
    for separator in _SEPARATOR.finditer(data, position):
        rest = separator[1].strip()
        if rest and not rest.startswith(b"#"):
            raise error_at(
                data,
                separator.start(),
                f"content after the document separator: {rest.decode(errors='replace')[:40]!r}, which Helm refuses",
                next="put the content on a line of its own, below the `---`",
            )
        if separator.start() > position:
            found.append(Chunk(position, separator.start()))
        position = separator.end()
    if len(data) > position:
        found.append(Chunk(position, len(data)))
    return found


def error_at(data: bytes, offset: int, cause: str, *, next: str = "") -> ManifestError:
    """A ManifestError for a byte offset in the stream."""
    line, column = place(data, offset)
    return ManifestError(cause, line=line, column=column, next=next or ())


def place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte offset, from 1, the column in characters."""
    start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode(errors="replace")) + 1


def _check_characters(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise error_at(data, error.start, "not UTF-8", next="write the manifest in UTF-8") from None
    if len(data.translate(None, _CONTROL)) != len(data):
        offset = next(index for index, byte in enumerate(data) if byte in _CONTROL)
        raise error_at(data, offset, f"control character {data[offset]:#04x}, which YAML does not allow")


def _json_values(data: bytes) -> tuple[list[Chunk], int]:
    """The JSON values a stream begins with, and where YAML begins after them.

    ``YAMLOrJSONDecoder.Decode``: a stream whose first character is a brace is read as JSON values, one after the other,
    and as YAML from where that fails, unless two were read by then.
    """
    if not data[:_LOOK_AHEAD].lstrip().startswith(b"{"):
        return [], 0
    text = data.decode()
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    found: list[Chunk] = []
    position = 0
    while True:
        start = len(text) - len(text[position:].lstrip(" \t\r\n"))
        if start == len(text):
            return found, len(data)
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            if len(found) > 1:
                raise error_at(data, len(text[:start].encode()), f"not JSON as the values before it: {error}") from None
            newline = text.find("\n", position, start)
            return found, len(text[: newline + 1 if newline >= 0 else start].encode())
        found.append(Chunk(len(text[:start].encode()), len(text[:end].encode()), json=True))
        position = end


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
