"""Each fault of the table once; ``bin/attack`` tries each with every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.play import Row, dead_end, judge, play, quick, rows


@pytest.mark.parametrize("row", quick(), ids=str)
def test_it_holds(row: Row, tmp_path: Path) -> None:
    outcome = play(row, tmp_path)
    assert judge(row, outcome) == [], outcome


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
