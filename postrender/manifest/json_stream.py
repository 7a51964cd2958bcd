"""JSON in a stream, as Go's encoding/json reads it."""

from __future__ import annotations

import json
import math
import re

from postrender.manifest.reader import Span
from postrender.models import Json

DEEPEST = 10_000
"""How deep Go's scanner follows (``maxNestingDepth``, encoding/json/scanner.go)."""
_LONGEST_INTEGER = 400
_BLANKS = re.compile(rb"[ \t\r\n]*")
_TEXT = re.compile(rb"[^\x00-\x1f\"\\]*")
_ESCAPE = re.compile(rb"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4})")
_WORD = re.compile(rb"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_QUOTE, _OPEN_OBJECT, _OPEN_LIST, _COMMA, _COLON = b'"{[,:'
_CLOSES = {_OPEN_OBJECT: b"}"[0], _OPEN_LIST: b"]"[0]}


class NotJson(ValueError):
    """The text is not JSON, or Go could not read it; ``offset`` counts bytes in the data."""

    def __init__(self, cause: str, offset: int) -> None:
        super().__init__(cause)
        self.offset = offset


class TooDeep(NotJson):
    """JSON that is nested deeper than Go reads."""


def load(span: Span) -> Json:
    """The value of a JSON text; raises NotJson."""
    try:
        return _VALUES.decode(span.data[span.start : span.end].decode())
    except RecursionError:
        raise TooDeep("nested too deep", span.start) from None
    except ValueError as error:
        raise NotJson(str(error), span.start) from None


def check(text: bytes) -> None:
    """Raises NotJson unless a text is one JSON value."""
    end = _past(_BLANKS, text, end_of_value(text, _past(_BLANKS, text, 0)))
    if end != len(text):
        raise NotJson("more than one value", end)


def leading_values(data: bytes) -> tuple[list[Span], NotJson | None]:
    """The JSON values at the start of a stream, and the error after the last one, if there is one."""
    found: list[Span] = []
    position = _past(_BLANKS, data, 0)
    while position < len(data):
        try:
            end = end_of_value(data, position)
        except NotJson as error:
            error.offset = position
            return found, error
        found.append(Span(data, position, end))
        position = _past(_BLANKS, data, end)
    return found, None


def end_of_value(data: bytes, start: int) -> int:
    """The end of the JSON value that starts at an offset; raises NotJson."""
    closers = bytearray()
    position = start
    while True:
        byte = _at(data, position)
        if byte in _CLOSES:
            closers.append(_CLOSES[byte])
            if len(closers) > DEEPEST:
                raise TooDeep("nested too deep", position)
            position = _past(_BLANKS, data, position + 1)
            if _at(data, position) != closers[-1]:
                position = _key(data, position) if byte == _OPEN_OBJECT else position
                continue
        else:
            position = _scalar(data, position)
        while closers:
            position = _past(_BLANKS, data, position)
            byte = _at(data, position)
            position += 1
            if byte == _COMMA:
                position = _past(_BLANKS, data, position)
                position = _key(data, position) if closers[-1] == _CLOSES[_OPEN_OBJECT] else position
                break
            if byte != closers.pop():
                raise NotJson("neither a comma nor the end of the object or list", position - 1)
        else:
            return position


def _key(data: bytes, position: int) -> int:
    """Where the value begins whose key is at an offset."""
    if _at(data, position) != _QUOTE:
        raise NotJson("no key", position)
    position = _past(_BLANKS, data, _string(data, position))
    if _at(data, position) != _COLON:
        raise NotJson("no colon", position)
    return _past(_BLANKS, data, position + 1)


def _scalar(data: bytes, position: int) -> int:
    if data[position] == _QUOTE:
        return _string(data, position)
    word = _WORD.match(data, position)
    if not word:
        raise NotJson("no value", position)
    return word.end()


def _string(data: bytes, position: int) -> int:
    position = _past(_TEXT, data, position + 1)
    while _at(data, position) != _QUOTE:
        escape = _ESCAPE.match(data, position)
        if not escape:
            raise NotJson("no character of a string", position)
        position = _past(_TEXT, data, escape.end())
    return position + 1


def _past(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    found = pattern.match(data, position)
    return found.end() if found else position


def _at(data: bytes, position: int) -> int:
    if position >= len(data):
        raise NotJson("it ends too early", position)
    return data[position]


def _integer(text: str) -> Json:
    return int(text) if len(text) < _LONGEST_INTEGER else _number(text)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is out of range")
    return number


_VALUES = json.JSONDecoder(parse_int=_integer, parse_float=_number)
