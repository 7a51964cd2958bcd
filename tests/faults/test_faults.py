"""Each fault of the table once; ``bin/attack`` tries each with every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import program
from tests.faults.hints import PROGRAMS, Chosen, judged
from tests.faults.play import Row, dead_end, judge, play, quick, rows
from tests.hints import IN_FAULTS, made_of

CHOSEN = Chosen()
TYPED: set[str] = set()


@pytest.mark.parametrize("row", quick(), ids=str)
def test_it_holds(row: Row, tmp_path: Path) -> None:
    outcome = play(row, tmp_path)
    assert judge(row, outcome) == [], outcome


@pytest.mark.e2e
@pytest.mark.parametrize("row", [row for row in quick() if row.exit > 0 and not row.succeeds], ids=str)
def test_what_is_advised_works(row: Row, tmp_path: Path) -> None:
    for name in PROGRAMS:
        program(name)
    outcome = play(row, tmp_path, CHOSEN)
    assert outcome.hints, outcome
    assert judge(row, outcome) == [], outcome
    TYPED.update(template for each in outcome.hints for template in made_of(each.hint))


@pytest.mark.e2e
def test_the_hints_of_failing_servers_were_typed() -> None:
    """``tests/e2e/test_hints.py`` leaves them to this file, which has to run as a whole."""
    assert set() == IN_FAULTS - TYPED


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
