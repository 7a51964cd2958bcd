"""Block mappings of the plainest kind, read line by line: what the metadata of nearly every rendered chart is.

A line is ``key: value`` or ``key:``, indented with blanks; key and value are on one line, plain or in quotes without
escapes. Anything else is left to libyaml, which reads the same text again when an edit is proved.
"""

from __future__ import annotations

import re

from postrender.manifest.nodes import Kind, Node
from postrender.manifest.reader import Span

_PLAIN = (
    rb"[A-Za-z0-9/_.][^\x00-\x20\x7f:#]*(?:(?::(?=[^\x00-\x20\x7f])|[ ]+(?=[^\x00-\x20\x7f#:])|#)[^\x00-\x20\x7f:#]*)*"
)
_QUOTED = rb"\"[^\x00-\x1f\x7f\"\\]*\"|'[^\x00-\x1f\x7f']*'"
_LINE = re.compile(
    rb"(?P<indent>[ ]*)"
    rb"(?:(?P<key>[A-Za-z_][A-Za-z0-9_./-]*|" + _QUOTED + rb"):"
    rb"(?:[ ]+(?P<value>" + _PLAIN + rb"|" + _QUOTED + rb"|\{\}))?)?"
    rb"[ ]*(?:(?<![^ \n])#[^\n]*)?(?:\n|\Z)"
)
_QUOTES = b"\"'"
_LONGEST_KEY = 1000


def compose_lines(span: Span) -> Node | None:
    """The root of a span that starts at the left margin, or ``None`` where a line is not of the plainest kind."""
    data, position, end = span.data, span.start, span.end
    root = Node(Kind.MAPPING, position, position)
    stack = [(0, root)]
    key_end = -1
    while position < end:
        line = _LINE.match(data, position, end)
        if not line:
            return None
        position = line.end()
        key_start, key_stop = line.span("key")
        if key_start < 0:
            continue
        indent = line.end("indent") - line.start()
        column, mapping = stack[-1]
        if indent > column:
            if key_end < 0:
                return None
            column, inner = indent, Node(Kind.MAPPING, key_start, key_start)
            mapping.children.append(inner)
            mapping = inner
            stack.append((column, inner))
        else:
            if key_end >= 0:
                mapping.children.append(Node(Kind.SCALAR, key_end, key_end, plain=True))
            while indent < column:
                mapping.end = mapping.children[-1].end
                stack.pop()
                column, mapping = stack[-1]
            if indent != column:
                return None
        if not mapping.children:
            mapping.start = key_start
        mapping.children.append(_scalar(data, key_start, key_stop))
        value_start, value_end = line.span("value")
        key_end = key_stop + 1
        if key_stop - key_start > _LONGEST_KEY:
            return None
        if value_start >= 0:
            key_end = -1
            if data[value_start] == 0x7B:
                mapping.children.append(Node(Kind.MAPPING, value_start, value_end, flow=True))
            else:
                mapping.children.append(_scalar(data, value_start, value_end))
    if key_end >= 0:
        stack[-1][1].children.append(Node(Kind.SCALAR, key_end, key_end, plain=True))
    for _, mapping in reversed(stack):
        if not mapping.children:
            return None
        mapping.end = mapping.children[-1].end
    return root


def _scalar(data: bytes, start: int, end: int) -> Node:
    quote = data[start]
    if quote in _QUOTES:
        return Node(Kind.SCALAR, start, end, data[start + 1 : end - 1].decode(), style=chr(quote))
    return Node(Kind.SCALAR, start, end, data[start:end].decode(), plain=True)
