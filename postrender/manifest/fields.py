"""The top-level fields of a document told apart by its lines, without reading what is in them.

A key of a block mapping at the left margin begins a line there, and what belongs to it ends before the next line that
does. That holds where no quoted scalar and no flow collection is left open from one such line to the next: where each
stretch of fields, taken by itself, is well-formed YAML. What looks unusual is left to the reader of whole documents.
"""

from __future__ import annotations

import re
from itertools import pairwise

from postrender.manifest.reader import BOM, Span, Unreadable, well_formed
from postrender.record import Record

_ODD = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", BOM)
"""Line breaks other than a line feed, as YAML has them, and what may hide at the start of a line."""
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
    """The fields of a span; () where they cannot be told apart so, or what was read of it is not YAML.

    Up to 64 KiB are read for their errors; of more, only what stands before the end of ``metadata``.
    """
    data, end = span.data, span.end
    if _unusual(span):
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


def _unusual(span: Span) -> bool:
    """Whether lines of the span end with anything but a line feed, or hide something at their start."""
    text = span.data[span.start : span.end]
    return b"\r" in text or (not text.isascii() and any(odd in text for odd in _ODD))


def _closed(data: bytes, found: tuple[Field, ...]) -> bool:
    """Whether no field's inside reaches over into ``metadata`` or out of it."""
    start, end = found[0].start, found[-1].end
    cuts = next(((field.start, field.end) for field in found if field.name == "metadata"), ())
    stop = end if end - start <= _READ_WHOLE else max(cuts, default=start)
    edges = [start, *cuts, stop]
    if _TAG.search(data, start, max(cuts, default=start)):
        return False
    try:
        for begin, finish in pairwise(edges):
            if begin < finish:
                well_formed(Span(data, begin, finish))
    except Unreadable:
        return False
    return True
