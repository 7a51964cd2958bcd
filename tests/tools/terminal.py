"""A terminal drawn as SVG: commands and what they printed, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from xml.sax.saxutils import escape

COLUMNS = 80
_LINE, _MARGIN, _CHARACTER = 19, 16, 8.4
_COLOURS = {"command": "#9ad7ff", "error": "#ff8f8f", "plain": "#dddddd"}


def drawn(steps: Iterable[tuple[str, str]]) -> str:
    """The picture of commands with their outputs."""
    lines = [line for command, output in steps for line in _lines(command, output)][:-1]
    width, height = round(COLUMNS * _CHARACTER) + 2 * _MARGIN, len(lines) * _LINE + 2 * _MARGIN
    rows = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * number + 14}" fill="{_COLOURS[kind]}">{_spaced(text)}</text>'
        for number, (kind, text) in enumerate(lines)
        if text
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" rx="8" fill="#1d1f21"/>', *rows, "</svg>\n"])


def _spaced(text: str) -> str:
    """With blanks at the start that an SVG keeps."""
    return "\u00a0" * (len(text) - len(text.lstrip())) + escape(text.lstrip())


def _lines(command: str, output: str) -> Iterable[tuple[str, str]]:
    for line in textwrap.wrap(f"$ {command}", COLUMNS, subsequent_indent="    "):
        yield "command", line
    for line in output.split("\n"):
        kind = "error" if line.startswith("Error") else "plain"
        for part in textwrap.wrap(line, COLUMNS, break_on_hyphens=False, drop_whitespace=True) or [""]:
            yield kind, part
    yield "plain", ""
