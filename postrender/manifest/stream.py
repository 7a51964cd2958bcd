"""Where documents begin and end, as the reader that Helm hands its stream to sees it.

Helm gives the stream to ``Client.Build`` (pkg/kube/client.go), that to kubectl's ``StreamVisitor``
(k8s.io/cli-runtime, pkg/resource/visitor.go), and that to ``YAMLOrJSONDecoder`` (k8s.io/apimachinery,
pkg/util/yaml/decoder.go, v0.24 to v0.37): lines that begin with ``---`` part documents, before any YAML is read.
"""

from __future__ import annotations

import codecs

from postrender._record import Record
from postrender.errors import ManifestError
from postrender.manifest.reader import BOM
from postrender.text import Advice, Hint

TEMPLATE = Hint("helm template ... --debug", "to see the text in which this line stands")
"""Hint for errors in the rendered text."""
_SEPARATOR = b"---"
_PIECE = 1 << 16
"""How many bytes are checked at a time: few enough that the memory for their text is used again each time."""
_LOOK_AHEAD = 4096
"""How far ``NewYAMLOrJSONDecoder`` looks for the brace of a JSON stream, as the visitor calls it."""


class Chunk(Record):
    """The bytes of one document, without its separator line; ``json`` where a JSON decoder reads them.

    ``read_from`` is where a YAML reader begins: with a separator line that no document comes before, it reads that too.
    """

    start: int
    end: int
    read_from: int
    json: bool = False


def chunks(data: bytes) -> list[Chunk]:
    """The documents of a stream, in order; raises ManifestError if Helm would fail to split it."""
    if not data.isascii():
        _check_encoding(data)
    found, position = _json_values(data)
    if BOM[:1] in data:
        _check_marks(data, position)
    start = read_from = line = position
    while True:
        separator = _find_separator(data, line)
        end = len(data) if separator < 0 else separator
        if end > start:
            found.append(Chunk(start, end, read_from))
        if separator < 0:
            break
        first = end == read_from
        start, line = _after_separator(data, separator, first=first)
        read_from = separator if first else start
    return found


def error_at(data: bytes, offset: int, cause: str, *, next: str | tuple[str, ...] = ()) -> ManifestError:
    """A ManifestError for a byte offset in the stream."""
    line, column = place(data, offset)
    return ManifestError(cause, line=line, column=column, next=next)


def starts_as_json(data: bytes) -> bool:
    """True if Helm tries its JSON decoder on the stream first (``GuessJSONStream``)."""
    return data[:_LOOK_AHEAD].lstrip().startswith(b"{")


def place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte offset, from 1, the column in characters."""
    start = data.rfind(b"\n", 0, offset) + 1
    before = data[start:offset].removeprefix(BOM)
    return data.count(b"\n", 0, offset) + 1, len(before.decode(errors="replace")) + 1


def _find_separator(data: bytes, position: int) -> int:
    if data.startswith(_SEPARATOR, position):
        return position
    found = data.find(b"\n" + _SEPARATOR, position)
    return found + 1 if found >= 0 else -1


def _after_separator(data: bytes, separator: int, *, first: bool) -> tuple[int, int]:
    """Where the document after a separator begins, and the next line that may be a separator (``YAMLReader.Read``).

    A separator may be followed by blanks and a comment. ``first`` is one that nothing comes before: it is handed on to
    the YAML reader, for which a comment needs a blank before it and a line also ends with a carriage return.
    """
    newline = data.find(b"\n", separator)
    stop = len(data) if newline < 0 else newline + 1
    written = data[separator + len(_SEPARATOR) : stop].decode()
    rest = written.strip()
    if rest and (not rest.startswith("#") or (first and written.startswith("#"))):
        raise error_at(
            data,
            separator,
            f"{rest[:40]!r} after the document separator, which Helm refuses",
            next=Advice("put it on a line of its own, below the ---"),
        )
    if not (first and rest):
        return stop, stop
    comment = written.splitlines(keepends=True)[0]
    return separator + len(_SEPARATOR) + len(comment.encode()), stop


def _check_encoding(data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(data), _PIECE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[at : at + _PIECE], final=at + _PIECE >= len(data))
        except UnicodeDecodeError as error:
            raise error_at(data, at - pending + error.start, "not UTF-8", next=TEMPLATE) from None


def _check_marks(data: bytes, position: int) -> None:
    """Refuse a byte order mark at the start of a line inside the stream: libyaml skips it, Helm's reader does not."""
    found = data.find(b"\n" + BOM, position)
    if found >= 0:
        raise error_at(
            data,
            found + 1,
            "a byte order mark inside the stream, which Helm takes for a part of the text",
            next=Advice("save the file that brings it in without a byte order mark"),
        )


def _json_values(data: bytes) -> tuple[list[Chunk], int]:
    """The JSON values a stream begins with, and where YAML begins after them.

    ``YAMLOrJSONDecoder.Decode``: a stream whose first character is a brace is read as JSON values, one after the other,
    and as YAML from where that fails, unless two were read by then.
    """
    if not starts_as_json(data):
        return [], 0
    from postrender.manifest.json_stream import TooDeep, leading_values

    values, error = leading_values(data)
    found = [Chunk(value.start, value.end, value.start, json=True) for value in values]
    if error is None:
        return found, len(data)
    if len(values) > 1 or isinstance(error, TooDeep):
        raise error_at(data, error.offset, f"neither JSON, as what is before it, nor a separator: {error}")
    newline = data.find(b"\n", values[-1].end if values else 0, error.offset)
    return found, newline + 1 if newline >= 0 else error.offset
