"""The table of callers in the documentation: behind every cell a run, a test that exists, or a source that was read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.callers.page import USERS, WORKS, ran_as, results_on, used, written

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "callers-evidence.md").read_text()
COLUMNS = ["caller", "labels", "metadata", "lookups", "verdicts", "rewrites", "adopt", "summary"]
EVIDENCE = {
    int(number): " ".join(text.split())
    for number, text in re.findall(r"^(\d+)\. (.*(?:\n {3,}.*)*)$", TEXT, re.MULTILINE)
}


def rows() -> list[list[str]]:
    """The cells of the table, the heading first; ``bin/callers`` writes the one below."""
    lines = [line for line in TEXT.partition("## Runs")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")]


def test_the_table_has_its_columns() -> None:
    assert rows()[0] == COLUMNS
    assert len(rows()) > 10


@pytest.mark.parametrize("row", rows()[1:], ids=lambda row: str(row[0]))
def test_every_cell_names_what_is_behind_it(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    for cell in row[1:]:
        found = re.fullmatch(
            r"(?:yes|configured|opt-in|not needed|error|no|on failure|by a script|in a file) \((\d+)\)", cell
        )
        assert found, cell
        assert int(found[1]) in EVIDENCE, cell


@pytest.mark.parametrize("number", EVIDENCE)
def test_what_is_behind_it_exists(number: int) -> None:
    text = EVIDENCE[number]
    if text.startswith("run: "):
        assert {*text.removeprefix("run: ").split("; ")} <= {*WORKS, "summary"}
        return
    if text.startswith("source: "):
        assert re.match(r"source: [\w.-]+(?: CD)? \d+\.\d+\.\d+, \S+\.(?:go|py) \(`", text), text
        return
    for test in text.split(", "):
        file, name = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", test).groups()  # type: ignore[union-attr]
        assert re.search(rf"^\s*def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_the_words_of_callers_that_ran_are_what_the_runs_show() -> None:
    assert written(TEXT, []) == TEXT
    users = USERS.read_text()
    assert used(users, TEXT) == users


def test_no_caller_that_ran_has_a_source_behind_it() -> None:
    ran = [row for row in rows()[1:] if ran_as(row[0], results_on(TEXT))]
    assert len(ran) >= 8
    for row in ran:
        sources = [cell for cell in row[1:] if EVIDENCE[int(re.findall(r"\d+", cell)[-1])].startswith("source: ")]
        assert sources == [], row[0]


def test_a_caller_that_does_not_run_names_its_source() -> None:
    users = [line.strip("| ").split(" | ") for line in USERS.read_text().splitlines() if line.startswith("| [")]
    for row in users:
        assert len(row) == 4, row
        if not ran_as(row[0], results_on(TEXT)):
            assert re.fullmatch(r"source of [\d.]+|the protocol, without kpt", row[3]), row


def test_the_page_for_users_names_the_same_callers() -> None:
    users = (ROOT / "docs" / "callers.md").read_text()
    listed = {target for row in rows()[1:] for target in re.findall(r"\]\(([^)#]+)", row[0])}
    assert listed <= set(re.findall(r"\]\(((?:callers/\w+|helm|library)\.md)", users))


def test_nothing_is_listed_for_nothing() -> None:
    used = {int(number) for row in rows()[1:] for number in re.findall(r"\((\d+)\)", " ".join(row[1:]))}
    assert used == set(EVIDENCE) == set(range(1, len(EVIDENCE) + 1))
