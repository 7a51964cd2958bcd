"""The results on the page ``docs/callers-evidence.md``: a line for each caller, as it was when it last ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.callers.scenes import SCENES, Cell

PAGE = Path(__file__).parents[2] / "docs" / "callers-evidence.md"
_LINES = re.compile(r"(?<=<!-- bin/callers --write -->\n).*?(?=<!-- end -->)", re.DOTALL)


class Results(NamedTuple):
    """All cells of one caller, those of its own scenes last, and when they were had."""

    caller: str
    version: str
    date: str
    seconds: float
    cells: Sequence[Cell]

    @property
    def right(self) -> bool:
        """Whether each scene went as it should."""
        return all(cell.happened == cell.wanted for cell in self.cells)


def table(results: Results) -> str:
    """The caller's line of the table."""
    happened = {cell.scene: cell.happened for cell in results.cells}
    own = [cell for cell in results.cells if cell.scene not in {scene.name for scene in SCENES}]
    cells = [happened.get(scene.name, "–") for scene in SCENES]
    more = "; ".join(cell.scene for cell in own if cell.happened == cell.wanted) or "–"
    return f"| {' | '.join([results.caller, results.version, results.date, *cells, more])} |\n"


def heading() -> str:
    """The head of the table."""
    titles = ["caller", "version", "date", *(scene.title for scene in SCENES), "also"]
    return f"\n| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"


def written(page: str, results: Sequence[Results]) -> str:
    """The page with these callers' lines put in the place of their old ones."""
    (old,) = _LINES.findall(page)
    lines = {line.split("|")[1].strip(): f"{line}\n" for line in old.splitlines() if line.startswith("| ")}
    for head in ("caller", "---"):
        lines.pop(head, None)
    lines.update({each.caller: table(each) for each in results})
    return _LINES.sub(lambda _: heading() + "".join(lines.values()) + "\n", page)
