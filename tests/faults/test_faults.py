"""Each fault of the table once; ``bin/attack`` tries each with every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import program
from tests.faults.hints import PROGRAMS, judged
from tests.faults.play import Row, dead_end, judge, play, quick, rows
from tests.hints import IN_FAULTS, made_of

ADVISED = [row for row in quick() if row.exit > 0 and not row.succeeds]
"""Rows that end in a hint."""
ONLY_HERE = {name: template for template, name in IN_FAULTS.items()}
"""What no scene of ``tests/e2e/test_hints.py`` prints, by the row that prints it."""


@pytest.mark.parametrize("row", [row for row in quick() if row not in ADVISED], ids=str)
def test_it_holds(row: Row, tmp_path: Path) -> None:
    outcome = play(row, tmp_path)
    assert judge(row, outcome) == [], outcome


def first_hint(row: Row, folder: Path) -> set[str]:
    """Play it, and type its first hint, which has to work; the templates of the code that the hint is made of."""
    for name in PROGRAMS:
        program(name)
    outcome = play(row, folder, lambda place, _: place == 0)
    assert judge(row, outcome) == [], outcome
    (typed,) = outcome.hints
    return made_of(typed.hint)


@pytest.mark.e2e
@pytest.mark.one_in(5)
@pytest.mark.parametrize("row", [row for row in ADVISED if str(row) not in ONLY_HERE], ids=str)
def test_what_is_advised_works(row: Row, tmp_path: Path) -> None:
    first_hint(row, tmp_path)


@pytest.mark.e2e
@pytest.mark.parametrize("row", [row for row in ADVISED if str(row) in ONLY_HERE], ids=str)
def test_what_only_a_failing_server_brings_up_works(row: Row, tmp_path: Path) -> None:
    assert ONLY_HERE[str(row)] in first_hint(row, tmp_path)


def test_each_hint_that_is_left_to_this_file_has_its_row() -> None:
    assert ONLY_HERE.keys() - {str(row) for row in ADVISED} == set()


def test_every_fault_is_in_the_quick_table() -> None:
    assert {row.fault["name"] for row in quick()} == {row.fault["name"] for row in rows()}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("error: no\nhint: postrender doctor\n", False),
        ("error: no\nhint: kubectl get x\n  report: /tmp/a\n", False),
        ("error: no\n", True),
        ("error: no\nnote: run the same command again\n", True),
        ("error: no\nhint: postrender cure\n", True),
        ("", True),
    ],
)
def test_what_counts_as_a_dead_end(said: str, expected: bool) -> None:
    assert dead_end(said) is expected


@pytest.mark.parametrize(
    ("faulty", "healthy", "expected"),
    [
        ((1, "refused"), (0, "v1"), []),
        (None, (0, ""), []),
        ((None, ""), (0, "v1"), ["with the fault it does not end: ''"]),
        ((0, " \n"), (0, "v1"), ["with the fault it shows nothing"]),
        ((0, "v1"), (0, "v1"), ["with the fault it shows the same as without it: 'v1'"]),
        ((1, "refused"), (1, "refused again"), ["without the fault it ends with 1: 'refused again'"]),
        (None, (10, ""), ["without the fault it ends with 10: ''"]),
    ],
)
def test_what_counts_as_a_hint_that_works(
    faulty: tuple[int | None, str] | None, healthy: tuple[int | None, str], expected: list[str]
) -> None:
    assert judged("kubectl get x", faulty, healthy, differs=True) == expected
