"""How an API server is taken in among the tested ones."""

from __future__ import annotations

import pytest

from tools.adopt_kubernetes import PAGE, commands, main, with_row
from tools.builtin import differences, table, unknown
from tools.steps import Step

FLAG = ("", "Flag", "flags", True, False)


def test_a_row_stands_in_the_order_of_versions_and_once() -> None:
    page = "| --- | --- | --- | --- | --- | --- | --- | --- |\n| 1.37.2 | before | tested |\n\nMore.\n"
    steps = [Step("Kinds", (), "a\n== 5 kinds ==", good, 1) for good in (True, False)]
    page = with_row(page, "1.9.1", "2026-01-01", steps[:1])
    page = with_row(page, "1.37.2", "2026-01-02", steps)
    assert page.splitlines()[1:] == [
        "| 1.9.1 | 2026-01-01 | tested | 5 kinds |",
        "| 1.37.2 | 2026-01-02 | **differs** | 5 kinds | 5 kinds |",
        "",
        "More.",
    ]


def test_the_page_has_the_table() -> None:
    assert "| 1.0.0 | today | tested |" in with_row(PAGE.read_text(encoding="utf-8"), "1.0.0", "today", [])


def test_every_step_has_a_cell() -> None:
    names = [title for title, _ in commands(random=1, fresh=1, seed=1)]
    assert names[0] == "Kinds"
    assert names[-1] == "End-to-end tests"
    assert len(names) == 5


def test_kinds_of_several_servers_are_one_table() -> None:
    newer = (*FLAG[:4], True)
    served = {
        "1.30.14": {FLAG, ("a", "Old", "olds", False, False)},
        "1.37.2": {newer, ("a", "New", "news", True, True)},
    }
    assert [row for row in table(served) if row[0] in ("", "a")] == [
        newer,
        ("a", "New", "news", True, True),
        ("a", "Old", "olds", False, False),
    ]
    assert differences(served) == [
        "1.30.14 -> 1.37.2: Flag was ('flags', True, False) and is ('flags', True, True)",
        "1.30.14 -> 1.37.2: new New.a",
        "1.30.14 -> 1.37.2: no Old.a",
    ]
    assert unknown({newer}, {newer}) == []
    assert unknown({newer}, {FLAG}) == [f"{newer} is {FLAG} in the table"]


def test_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["newest"])
    assert capsys.readouterr().err.endswith(
        "adopt-kubernetes: error: VERSION: no version of Kubernetes; one is 1.37.2\n"
    )
