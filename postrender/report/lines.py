"""Lines that fit a terminal."""

from __future__ import annotations

WIDTH = 80


def wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Lines of ``WIDTH`` columns; a name longer than that stays whole, so that it can be copied.

    Not by textwrap, which takes more time to import than a small stream takes to filter.
    """
    lines: list[str] = []
    line, blank = first, ""
    for word in text.split():
        if blank and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line, blank = rest, ""
        line += blank + word
        blank = " "
    return [*lines, line] if blank else []
