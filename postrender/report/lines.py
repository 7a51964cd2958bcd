"""Lines that fit a terminal."""

from __future__ import annotations

import textwrap

WIDTH = 80


def wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Lines of ``WIDTH`` columns; a name longer than that stays whole, so that it can be copied."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
