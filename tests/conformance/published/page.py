"""docs/published-tests.md: the numbers of the published tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.conformance.published.result import Result, Table

PAGE = Path(__file__).parents[3] / "docs" / "published-tests.md"

_HEAD = """\
# Published tests

Other projects publish tests of the code that Helm and the API server are built from. `bin/published` runs the projects'
tests, records what goes into each function and what comes out, and gives the same to the function of postrender that
does the same. YAML texts are compared with what Helm's own reader makes of them, with libyaml and without.

A case is a call with its arguments, whichever tests make it. No case that is compared differs.

| tests of | version | compared with | cases | same result | not compared |
|---|---|---|---|---|---|
"""


def page(results: Iterable[tuple[Table, Result]]) -> str:
    """The page."""
    found = list(results)
    rows = "\n".join(row(table, result) for table, result in found)
    return f"{_HEAD}{rows}\n\n## Not compared\n\n" + "\n".join(line for pair in found for line in reasons(*pair)) + "\n"


def row(table: Table, result: Result) -> str:
    """The numbers of one table, as a row."""
    model = table.model if table.model == "none" else ", ".join(f"`{part}`" for part in table.model.split(", "))
    numbers = f"{result.cases} | {result.same} | {result.excluded.total() or ''}"
    return f"| {table.source} | {table.version} | {model} | {numbers} |".replace("  |", " |")


def reasons(table: Table, result: Result) -> Iterator[str]:
    """Why cases of one table are not compared, a line each."""
    for reason, number in sorted(result.excluded.items()):
        yield f"- {f'{table.source} {table.version}'.rstrip()}, {number}: {reason}."
