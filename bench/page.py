"""docs/performance.md: what ``bin/bench --write`` puts below its marker."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.table import Row, markdown

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
MARKER = "<!-- Made by bin/bench --write; do not edit below. -->\n"


def updated(page: str, machine: str, rows: Iterable[Row]) -> str:
    """The page with the machine and the table of one run below its marker; raises ValueError if it has none."""
    head, marker, _ = page.partition(MARKER)
    if not marker:
        raise ValueError("the page has no marker")
    return f"{head}{marker}\nMeasured on {machine}.\n\n{markdown(rows)}"
