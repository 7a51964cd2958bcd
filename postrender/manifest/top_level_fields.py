"""The top-level fields of a document, found by its lines without parsing their values.

A key of a block mapping at the left margin begins a line there, and what belongs to it ends before the next line that
does. That holds where no quoted scalar and no flow collection is left open from one such line to the next: where each
field, or stretch of them, taken by itself is well-formed YAML. What looks unusual is left to the reader of whole
documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postrender._record import Record
from postrender.manifest.reader import Span, YamlError, well_formed

IDENTITY = ("apiVersion", "kind", "metadata")
"""The fields that identify the object."""
_BREAKS = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
"""Line breaks in YAML beside line feed and carriage return: U+0085, U+2028, U+2029."""
_READ_WHOLE = 1 << 16
_PREAMBLE = re.compile(rb"(?:[ ]*(?:#[^\n]*)?\n)*")
_MARGIN = re.compile(rb"\n[^ \n#]")
_KEY = re.compile(rb"([A-Za-z_][A-Za-z0-9_./-]*):(?=[ \n]|\Z)")
_TAG = re.compile(rb"![^\s,\[\]]*[,\[\]]")
_ITEM = re.compile(rb"-(?=[ \n]|\Z)")


class Field(Record):
    """A top-level field: its key, value and the comments after it, at data[start:end]."""

    name: str
    start: int
    end: int


def fields(span: Span) -> tuple[Field, ...]:
    """The fields of a span; () if they cannot be separated without a full parse, or it is not YAML.

    The fields of the identity are still to be read, each by itself: only if that succeeds do the others hold. A
    document of up to 64 KiB is looked through for errors; of a larger one, what stands before the identity's last.
    """
    data, end = span.data, span.end
    if data.find(b"\r", span.start, end) >= 0 or not plain_breaks(span):
        return ()
    preamble = _PREAMBLE.match(data, span.start, end)
    starts = [preamble.end() if preamble else span.start]
    names: list[str] = []
    for margin in _MARGIN.finditer(data, starts[0], end):
        start = margin.start() + 1
        if data[start] == 0x2D:
            if not _ITEM.match(data, start, end):
                return ()
        else:
            starts.append(start)
    for start in starts:
        key = _KEY.match(data, start, end)
        if not key:
            return ()
        names.append(key[1].decode())
    if len(set(names)) < len(names):
        return ()
    found = tuple(Field(name, start, stop) for name, start, stop in zip(names, starts, [*starts[1:], end], strict=True))
    return found if _closed(data, found) else ()


def plain_breaks(span: Span) -> bool:
    """True if only line feeds and carriage returns end lines in the span."""
    text = span.data[span.start : span.end]
    return text.isascii() or not any(odd[:1] in text and odd in text for odd in _BREAKS)


def _closed(data: bytes, found: tuple[Field, ...]) -> bool:
    """Whether no field reaches over into another; those of the identity are left to who reads them."""
    size = found[-1].end - found[0].start
    needed = max((field.end for field in found if field.name in IDENTITY), default=0)
    try:
        for start, end in _stretches(found):
            if start < needed and _TAG.search(data, start, end):
                return False
            if start < needed or size <= _READ_WHOLE:
                well_formed(Span(data, start, end))
    except YamlError:
        return False
    return True


def _stretches(found: tuple[Field, ...]) -> Iterator[tuple[int, int]]:
    """The fields beside those of the identity, neighbours joined."""
    start = found[0].start
    for field in found:
        if field.name in IDENTITY:
            if start < field.start:
                yield start, field.start
            start = field.end
    if start < found[-1].end:
        yield start, found[-1].end
