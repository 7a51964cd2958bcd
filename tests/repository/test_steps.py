"""The rows of tested versions."""

from __future__ import annotations

import pytest

from tools.steps import COMPATIBILITY, Step, with_row


def test_a_row_stands_in_the_order_of_versions_and_once() -> None:
    page = "| Helm | 3.9 |\n\n| Helm | date |\n| --- | --- |\n| 1.37.2 | before | tested |\n\nMore.\n"
    steps = [Step("Kinds", (), "a\n== 5 kinds ==", good, 1) for good in (True, False)]
    page = with_row(page, "Helm", "1.9.1", steps[:1], "2026-01-01")
    page = with_row(page, "Helm", "1.37.2", steps, "2026-01-02")
    assert page.splitlines()[4:] == [
        "| 1.9.1 | 2026-01-01 | tested | 5 kinds |",
        "| 1.37.2 | 2026-01-02 | **differs** | 5 kinds | 5 kinds |",
        "",
        "More.",
    ]


@pytest.mark.parametrize("table", ["Helm", "API server"])
def test_the_page_has_the_tables(table: str) -> None:
    page = COMPATIBILITY.read_text(encoding="utf-8")
    assert "| 1.0.0 | today | tested |" in with_row(page, table, "1.0.0", [], "today")


def test_a_page_without_the_table() -> None:
    with pytest.raises(ValueError, match=r"^compatibility\.md has no table of Helm$"):
        with_row("| Helm | 3.9 |\n", "Helm", "3.22.0", [])
