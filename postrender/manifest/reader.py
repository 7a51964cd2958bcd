"""PyYAML's parsers over a span of bytes: libyaml's where it is compiled in, else the pure one."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

__all__ = [
    "BOM",
    "ERRORS",
    "LIBYAML",
    "AliasEvent",
    "DocumentEndEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "Parser",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "Span",
    "StreamEndEvent",
    "YamlError",
    "well_formed",
]

from postrender._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIBYAML: bool = bool(yaml.__with_libyaml__)
"""Whether libyaml reads; without it a pure-Python parser does, some thirty times slower."""

if LIBYAML:
    from yaml._yaml import CParser

BOM = b"\xef\xbb\xbf"
ERRORS = (MarkedYAMLError, ReaderError)
"""What PyYAML's parsers raise."""
_COPY_UP_TO = 1 << 20
_PIECE = 1 << 16


class YamlError(Exception):
    """The text is not YAML; ``offset`` counts bytes in the whole of the data."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


class Span(Record):
    """The bytes data[start:end], to be read as the text of one document."""

    data: bytes
    start: int
    end: int

    @property
    def text_start(self) -> int:
        """Where the text begins, after a byte order mark."""
        return self.start + len(BOM) if self.data.startswith(BOM, self.start, self.end) else self.start


class Parser:
    """The YAML events of a span, with their offsets in the data.

    Go's reader ends every line it is given (``LineReader.Read``, k8s.io/apimachinery, pkg/util/yaml/decoder.go), which
    decides what a block scalar on the last line is worth: so a missing last newline is added here. ``pure`` asks for
    the pure-Python parser even where libyaml is there, and tells which of the two it is.

    ``next`` gives the next event, ``None`` after the last, and raises ERRORS.
    """

    __slots__ = ("_ascii", "_base", "_byte", "_index", "_parser", "_span", "next", "pure")

    def __init__(self, span: Span, *, pure: bool = False) -> None:
        self._span = span
        self._base = self._byte = span.text_start
        self._index = 0
        self._ascii: bool | None = None
        self.pure = pure or not LIBYAML
        try:
            self._parser = _parser(span, pure=self.pure)
        except ReaderError as error:
            raise self.unreadable(error) from None
        self.next: Callable[[], Any] = self._parser.get_event

    def drain(self) -> None:
        """Read to the end to find errors; raises YamlError."""
        try:
            if not self.pure:
                self._parser.raw_parse()
            while self.pure and self._parser.check_event():
                self._parser.get_event()
        except ERRORS as error:
            raise self.unreadable(error) from None

    def unreadable(self, error: MarkedYAMLError | ReaderError) -> YamlError:
        """The error of the parser with its offset in the data."""
        if isinstance(error, ReaderError):
            offset = self.offset(error.position) if self.pure else self._base + error.position
            return YamlError(f"{error.reason}: U+{error.character:04X}", offset)
        mark = error.problem_mark or error.context_mark
        cause = f"{error.problem} {error.context}" if error.context else str(error.problem)
        return YamlError(cause, self.offset(mark.index) if mark else self._base)

    def offset(self, index: int) -> int:
        """The offset in the data of a mark's index, which counts characters; quick where asked in rising order."""
        if self._ascii is None:
            self._ascii = _is_ascii(self._span)
        if self._ascii:
            return min(self._base + index, self._span.end)
        if index < self._index:
            self._index, self._byte = 0, self._base
        while self._index < index and self._byte < self._span.end:
            wanted = min(index - self._index, _PIECE)
            stop = min(self._byte + 4 * wanted, self._span.end)
            found = self._span.data[self._byte : stop].decode(errors="ignore")[:wanted]
            self._byte += len(found.encode())
            self._index += len(found)
        return self._byte


def well_formed(span: Span) -> None:
    """Raises YamlError if the span is not YAML."""
    Parser(span).drain()


def _parser(span: Span, *, pure: bool) -> Any:
    data, start, end = span.data, span.text_start, span.end
    ended = data.endswith(b"\n", start, end)
    if not pure:
        if end - start > _COPY_UP_TO:
            return CParser(_Stream(data, start, end))
        return CParser(data[start:end] if ended else data[start:end] + b"\n")
    from postrender.manifest.go_yaml import GoParser

    return GoParser(data[start:end] if ended else data[start:end] + b"\n")


class _Stream(BytesIO):
    """A span handed out piece by piece, so that a large one is not copied."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        super().__init__()
        self._data, self._position, self._end = data, start, end
        self._ended = data.endswith(b"\n", start, end)

    def read(self, size: int | None = -1, /) -> bytes:
        stop = self._end if size is None or size < 0 else min(self._position + size, self._end)
        piece = self._data[self._position : stop]
        self._position = stop
        if not piece and not self._ended:
            self._ended = True
            return b"\n"
        return piece


def _is_ascii(span: Span) -> bool:
    return all(span.data[at : min(at + _PIECE, span.end)].isascii() for at in range(span.start, span.end, _PIECE))
