"""Block mappings of the plainest kind, read line by line: what the metadata of nearly every rendered chart is.

A line is ``key: value`` or ``key:``, indented with blanks; key and value are on one line, plain or in quotes without
escapes. Anything else is left to libyaml, which reads the same text again when an edit is proved.
"""

from __future__ import annotations

import re

from postrender.manifest.nodes import Kind, Node
from postrender.manifest.reader import Span
from postrender.manifest.scalars import ScalarError, as_json, resolve
from postrender.models import Json

_PLAIN = (
    rb"[A-Za-z0-9/_.][^\x00-\x20\x7f:#]*(?:(?::(?=[^\x00-\x20\x7f])|[ ]+(?=[^\x00-\x20\x7f#:])|#)[^\x00-\x20\x7f:#]*)*"
)
_QUOTED = rb"\"[^\x00-\x1f\x7f\"\\]*\"|'[^\x00-\x1f\x7f']*'"
_LINE = re.compile(
    rb"([ ]*)"
    rb"(?:([A-Za-z_][A-Za-z0-9_./-]*|" + _QUOTED + rb"):"
    rb"(?:[ ]+(" + _PLAIN + rb"|" + _QUOTED + rb"|\{\}))?)?"
    rb"[ ]*(?:(?<![^ \n])#[^\n]*)?(?:\n|\Z)"
)
_QUOTES = b"\"'"
_BRACE = b"{"[0]
_LONGEST_KEY = 1000


Row = tuple[int, int, int, int, int]
"""One line with a key: how deep it is nested, where its key starts and ends, and its value, (-1, -1) without one."""


def compose_lines(span: Span) -> Node | None:
    """The root node of a span of nested mappings in plain lines (``key: value``); ``None`` for any other YAML."""
    rows = _rows(span)
    if not rows:
        return None
    data = span.data
    root = Node(Kind.MAPPING, rows[0][1], rows[0][1])
    stack = [root]
    for index, (level, key_start, key_end, start, end) in enumerate(rows):
        if level == len(stack):
            inner = Node(Kind.MAPPING, key_start, key_start)
            stack[-1].children.append(inner)
            stack.append(inner)
        while level + 1 < len(stack):
            closed = stack.pop()
            closed.end = closed.children[-1].end
        children = stack[-1].children
        children.append(_scalar(data, key_start, key_end))
        if start >= 0 and data[start] == _BRACE:
            children.append(Node(Kind.MAPPING, start, end, flow=True))
        elif start >= 0:
            children.append(_scalar(data, start, end))
        elif index + 1 == len(rows) or rows[index + 1][0] <= level:
            children.append(Node(Kind.SCALAR, key_end + 1, key_end + 1, plain=True))
    for mapping in reversed(stack):
        mapping.end = mapping.children[-1].end
    return root


def value_of_lines(span: Span) -> dict[str, Json] | None:
    """The value of a span that ``compose_lines`` can read; ``None`` for any other YAML."""
    rows = _rows(span)
    if not rows:
        return None
    root: dict[str, Json] = {}
    stack, key = [root], ""
    try:
        for level, key_start, key_end, start, end in rows:
            if level == len(stack):
                inner: dict[str, Json] = {}
                stack[-1][key] = inner
                stack.append(inner)
            else:
                del stack[level + 1 :]
            key = _value(span.data, key_start, key_end)
            if key.__class__ is not str:
                return None
            stack[-1][key] = _value(span.data, start, end) if start >= 0 else None
    except ScalarError:
        return None
    return root


def _rows(span: Span) -> list[Row] | None:
    position, end = span.start, span.end
    rows: list[Row] = []
    columns = [0]
    open_key = False
    # Not a search: that would try every byte of a long line which is none of these, each time to the line's end.
    match, data = _LINE.match, span.data
    while position < end:
        line = match(data, position, end)
        if line is None:
            return None
        start, position = line.span()
        key_start, key_end = line.span(2)
        if key_start < 0:
            continue
        indent = line.end(1) - start
        if indent > columns[-1]:
            if not open_key:
                return None
            columns.append(indent)
        else:
            while indent < columns[-1]:
                columns.pop()
            if indent != columns[-1]:
                return None
        value_start, value_end = line.span(3)
        open_key = value_start < 0
        rows.append((len(columns) - 1, key_start, key_end, value_start, value_end))
        if key_end - key_start > _LONGEST_KEY:
            return None
    return rows


def _scalar(data: bytes, start: int, end: int) -> Node:
    quote = data[start]
    if quote in _QUOTES:
        return Node(Kind.SCALAR, start, end, data[start + 1 : end - 1].decode(), style=chr(quote))
    return Node(Kind.SCALAR, start, end, data[start:end].decode(), plain=True)


def _value(data: bytes, start: int, end: int) -> Json:
    first = data[start]
    if first in _QUOTES:
        return data[start + 1 : end - 1].decode()
    return {} if first == _BRACE else as_json(resolve(data[start:end].decode(), "", plain=True))
