"""Colours of a terminal, none of them lost on a light or a dark background."""

from __future__ import annotations

from collections.abc import Mapping

from postrender.record import Record

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "magenta": "35", "cyan": "36"}


class Paint(Record):
    """Writes texts in a style: bold, dim, red, green, magenta, cyan, or several with a blank between."""

    on: bool

    def __call__(self, style: str, text: str) -> str:
        """The text; plain where colours are off or the style is ``""``."""
        if not self.on or not style:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in style.split())}m{text}\x1b[0m"


def paint(wanted: str, terminal: bool, environ: Mapping[str, str]) -> Paint:
    """By ``--color`` (auto, always, never); auto colours a terminal that takes it, unless ``$NO_COLOR`` says no."""
    if wanted != "auto":
        return Paint(wanted == "always")
    return Paint(terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")
