"""The line that a nightly run adds to its page."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

from tests.tools.nightly import PAGE, WEEKLY, main, parts, play, played_on, with_result
from tools.builtin import SERVERS


def test_the_table_has_a_column_for_each_part() -> None:
    page = PAGE.read_text(encoding="utf-8")
    heads = next(line for line in page.splitlines() if line.startswith("| date |"))
    assert [each.strip() for each in heads.strip("|").split("|")] == ["date", "commit", "scale", *parts(0, 1)]


def test_parts_of_one_day_and_commit_make_one_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    empty = ["–"] * (len(parts(0, 1)) - 2)
    head = ("2026-01-02", "abc", "0.1")
    once = with_result(page, head, "model", "ok, 3 min")
    assert once == f"{page}| 2026-01-02 | abc | 0.1 | ok, 3 min | – | {' | '.join(empty)} |\n"
    twice = with_result(once, head, "fresh", "**failed**, 0 min")
    assert twice == f"{page}| 2026-01-02 | abc | 0.1 | ok, 3 min | **failed**, 0 min | {' | '.join(empty)} |\n"
    assert with_result(twice, ("2026-01-02", "abd", "0.1"), "model", "ok, 1 min") == (
        f"{twice}| 2026-01-02 | abd | 0.1 | ok, 1 min | – | {' | '.join(empty)} |\n"
    )


def test_counts_are_scaled() -> None:
    assert parts(7, 0.1)["model"][3:] == ["--random", "30", "--seed", "7", "--shrink"]
    assert parts(7, 0.1)["servers"][2:] == ["tools.adopt_kubernetes", *SERVERS, "--quick", "2", "--seed", "7"]
    assert parts(7, 0.0001)["fuzz"] == ["bin/fuzz", "1"]


def test_long_parts_are_played_on_sundays() -> None:
    assert played_on(date(2026, 11, 29)) == list(parts(0, 1))
    assert played_on(date(2026, 11, 30)) == [name for name in parts(0, 1) if name not in WEEKLY]


@pytest.mark.parametrize(("code", "expected"), [("print(1)", "ok, 0 min"), ("print(1); exit(3)", "**failed**, 0 min")])
def test_what_a_part_prints_is_kept(tmp_path: Path, code: str, expected: str) -> None:
    assert play([sys.executable, "-c", code], tmp_path / "log") == expected
    assert (tmp_path / "log").read_text() == "1\n"


def test_a_part_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fuss"])
    assert capsys.readouterr().err.endswith(
        "nightly: error: invalid value 'fuss' for PART "
        "(choose: model, fresh, fuzz, kills, faults, callers, image, servers, packages, whole, mutations)\n"
    )
