"""Every case of the published tables gives the same result here, and the page has the numbers."""

from __future__ import annotations

import pytest

from tests.conformance.published.page import PAGE, reasons, row
from tests.conformance.published.result import Table
from tests.conformance.published.tables import TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.source} {table.version}")
def test_table(table: Table) -> None:
    result = table.run()
    assert result.wrong == []
    assert result.cases
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in (row(table, result), *reasons(table, result)) if line not in lines] == []


def test_the_page_has_these_tables_alone() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) == len(TABLES) + 1
