"""The results on the pages of callers: a line for each caller as it was when it last ran, and what that line shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.callers.scenes import PUT_RIGHT, RIGHT, SCENES, STAMPED, UNCHANGED, Cell

PAGE = Path(__file__).parents[2] / "docs" / "callers-evidence.md"
USERS = PAGE.with_name("callers.md")
_LINES = re.compile(r"(?<=<!-- bin/callers --write -->\n).*?(?=<!-- end -->)", re.DOTALL)
_COLUMNS = ("caller", "version", "date", "minutes", *(scene.title for scene in SCENES), "summary", "also")
WORKS: Mapping[str, tuple[str, ...]] = {
    "first run": (RIGHT,),
    "ownership metadata": (STAMPED,),
    "kept, same chart": (RIGHT,),
    "the run after that": (UNCHANGED, PUT_RIGHT),
    "kept by another release": ("refused (PR102)", RIGHT),
    "the same with --adopt": (RIGHT,),
    "owned by another release": ("refused (PR101)",),
}
"""By column that evidence names: the results that show that it works."""
_SHOWN = {"each time": "yes", "on failure": "on failure", "never": "no"}
NOT_RUN = "–"


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
    scenes = [*(scene.name for scene in SCENES), "summary"]
    own = [cell for cell in results.cells if cell.scene not in scenes]
    cells = [happened.get(name, NOT_RUN) for name in scenes]
    more = "; ".join(cell.scene for cell in own if cell.happened == cell.wanted) or NOT_RUN
    minutes = f"{results.seconds / 60:.1f}"
    return f"| {' | '.join([results.caller, results.version, results.date, minutes, *cells, more])} |\n"


def heading() -> str:
    """The head of the table."""
    return f"\n| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"


def written(page: str, results: Sequence[Results]) -> str:
    """The page with these callers' lines put in the place of their old ones, and what they show in the table above."""
    (old,) = _LINES.findall(page)
    # A line from before a column was added holds no more.
    lines = {row[0]: f"| {' | '.join(row)} |\n" for row in _rows(old) if len(row) == len(_COLUMNS)}
    lines.update({each.caller: table(each) for each in results})
    above = [line.split(" | ")[0] for line in page.partition("## Runs")[0].splitlines() if line.startswith("| ")]
    order = sorted(lines, key=lambda name: [ran_as(row, [{"caller": name}]) is None for row in above])
    page = _LINES.sub(lambda _: heading() + "".join(lines[name] for name in order) + "\n", page)
    evidence = {number: text.split("; ") for number, text in re.findall(r"^(\d+)\. run: (.*)$", page, re.MULTILINE)}

    def shown(cell: str, ran: Mapping[str, str]) -> str:
        found = re.fullmatch(r"(.*) \((\d+)\)", cell)
        return f"{_word(found[1], evidence[found[2]], ran)} ({found[2]})" if found and found[2] in evidence else cell

    head, runs, rest = page.partition("## Runs")
    return _each_row(head, results_on(page), lambda cells, ran: [shown(cell, ran) for cell in cells]) + runs + rest


def results_on(page: str) -> list[dict[str, str]]:
    """The lines of a page's table of runs, by column."""
    (lines,) = _LINES.findall(page)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(lines)]


def _rows(lines: str) -> list[list[str]]:
    """The cells of a table's lines without its head."""
    return [line.strip("| ").split(" | ") for line in lines.splitlines()[3:] if line]


def used(users: str, evidence: str) -> str:
    """The page for users with versions and dates of the runs on the page of evidence, in the last column."""
    return _each_row(users, results_on(evidence), lambda cells, ran: [*cells[:-1], f"{ran['version']}, {ran['date']}"])


def ran_as(row: str, results: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """The run of the caller that a row's first cell names: each word of the run's caller is in it."""
    words = set(re.findall(r"[\w-]+", re.sub(r"\]\(.*?\)", "]", row).lower()))
    return next((ran for ran in results if set(ran["caller"].lower().split()) <= words), None)


def _each_row(
    text: str,
    results: Sequence[Mapping[str, str]],
    change: Callable[[Sequence[str], Mapping[str, str]], Sequence[str]],
) -> str:
    """The text with the cells behind the first one of each caller's row as ``change`` makes them of its run."""

    def row(line: str) -> str:
        first, *cells = line.strip("| ").split(" | ")
        ran = ran_as(first, results) if line.startswith("| ") else None
        return f"| {' | '.join([first, *change(cells, ran)])} |" if ran else line

    return "\n".join(map(row, text.split("\n")))


def _word(word: str, columns: Sequence[str], ran: Mapping[str, str]) -> str:
    """``yes``, or how it is set, if the run shows that it works, else ``no``."""
    if columns == ["summary"]:
        return _SHOWN.get(ran["summary"], "no")
    if not all(ran[column] in WORKS[column] for column in columns):
        return "no"
    return "yes" if word == "no" else word
