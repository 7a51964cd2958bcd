"""Lines that fit a terminal."""

from __future__ import annotations

from postrender.text import one_line

WIDTH = 80

_HEADS = frozenset({"next:", "hint:", "note:", "report:", "error:", "warning:", "postrender:"})


def wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Lines of ``WIDTH`` columns; a name longer than that stays whole, so that it can be copied.

    Not by textwrap, which takes more time to import than a small stream takes to filter.
    """
    lines: list[str] = []
    line, blank = first, ""
    # A line break is of somebody else's text, and would let it begin a line; so would our own words for a line's head.
    for word in one_line(text.strip()).split():
        if blank and len(line) + 1 + len(word) > WIDTH and word.lower() not in _HEADS:
            lines.append(line)
            line, blank = rest, ""
        line += blank + word
        blank = " "
    return [*lines, line] if blank else []
