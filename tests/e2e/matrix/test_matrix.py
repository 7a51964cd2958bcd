"""A fixed part of the matrix: some written scenarios with some Helms, and random ones by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postrender.helm.api_server import VERSION_MISSING
from postrender.planner.policy import Adopt
from tests.e2e.controlplane import ControlPlane
from tests.e2e.matrix import report
from tests.e2e.matrix.alone import Alone, wrong_errors
from tests.e2e.matrix.cells import Cell, Player
from tests.e2e.matrix.chance import draw
from tests.e2e.matrix.families import SCENARIOS
from tests.e2e.matrix.promise import Verdict, WithFilter
from tests.e2e.matrix.record import Record
from tests.e2e.matrix.shrink import shrunk
from tests.e2e.matrix.steps import COLUMNS, Column, Scenario, Thing

WRITTEN = (
    ("both kept, chart changed", "3.12.3"),
    ("both kept, failed install, then upgrade", "3.17.0"),
    ("upgrade gives the second the values of the first", "3.17.1"),
    ("kept custom resource, nested change", "3.21.4"),
    ("kept custom resource, edited live", "4.3.1 client-side"),
    ("kept custom resource, --take-ownership", "3.18.6"),
    ("kept custom resource returns in an upgrade", "3.9.4"),
    ("custom resource of an uninstalled release, --adopt orphans", "3.16.4"),
    ("kept custom resource, unchanged", "4.0.0"),
    ("kept custom resource, changed", "4.3.1"),
    ("field conflict with another manager", "4.1.0"),
    ("immutable field changes", "4.3.1"),
    ("immutable field changes", "3.21.4"),
    ("adopted, not kept, install fails, --atomic", "3.21.4"),
    ("adopted, not kept, install fails, --atomic", "3.22.0"),
    ("hook with the name of a kept object", "4.3.1"),
    ("field conflict, --atomic", "4.1.0"),
    ("twice, new", "3.12.3"),
    ("twice, new", "3.22.0"),
    ("twice, and the last one is as before", "3.22.0"),
    ("twice, adopted", "4.3.1"),
    ("twice, new", "4.3.2 client-side"),
    ("untrue release, only a remainder", "3.12.3"),
    ("untrue release, emptied map", "3.12.3"),
    ("three groups", "3.12.3"),
)
RANDOM = (0, 5, 7, 11, 13, 17)
"""Numbers of random scenarios of seed 2, with all columns."""

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def player(control_plane: ControlPlane, discovery_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Player:
    return Player(control_plane, tmp_path_factory.mktemp("matrix"), discovery_cache)


def checked(cell: Cell) -> Cell:
    assert cell.good, f"{report.lines(cell)}\n{report.steps(cell.scenario)}"
    return cell


@pytest.mark.parametrize(("name", "column"), WRITTEN)
def test_written(player: Player, name: str, column: str) -> None:
    cell = checked(player.one(BY_NAME[name], Column.parse(column)))
    assert cell.alone is not None
    assert cell.alone.predicted


@pytest.mark.parametrize("number", RANDOM)
def test_random(player: Player, number: int) -> None:
    checked(player.one(*draw(2, number, COLUMNS)))


def test_a_number_always_means_the_same_scenario() -> None:
    assert [draw(1, number, COLUMNS) for number in range(20)] == [draw(1, number, COLUMNS) for number in range(20)]


def test_shrinking_keeps_what_goes_wrong() -> None:
    def bad(scenario: Scenario) -> bool:
        return any("a" in (thing.content or {}) for thing in scenario.run.things)

    drawn = next(scenario for number in range(100) if bad(scenario := draw(1, number, COLUMNS)[0]))
    small = shrunk(drawn, bad)
    assert bad(small)
    (only,) = [thing for thing in small.run.things if "a" in thing.content]
    assert isinstance(only, Thing)
    assert len(small.refs) == 1


def cell(scenario: Scenario, column: str, **more: Any) -> Cell:
    return Cell(scenario, Column.parse(column), Alone("ok; x=1", True), WithFilter(Verdict.RIGHT), **more)


def test_a_long_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "cells"
    first, second = SCENARIOS[:2]
    good, bad = cell(first, "3.12.3"), cell(second, "3.12.3", trouble="no room left")
    for each in (good, bad):
        Record(path).add(each)
    with path.open("ab") as file:
        file.write(path.read_bytes()[:50])
    again = Record(path)
    assert again.cell(first, good.column) == good
    assert again.cell(first, Column.parse("4.3.1")) is None
    assert again.cell(replace(first, adopt=(Adopt.ORPHANS,)), good.column) is None
    assert again.cell(second, bad.column) is None
    assert Record(None).cell(first, good.column) is None


@pytest.mark.parametrize("text", [b"cno_such_module\nCell\n.", b"ctests.e2e.matrix.cells\nNoCell\n."])
def test_cells_that_older_code_wrote_are_played_again(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "cells"
    path.write_bytes(text)
    assert Record(path).cell(SCENARIOS[0], Column.parse("3.12.3")) is None


def test_the_page_does_not_depend_on_the_order_of_play() -> None:
    first, second = SCENARIOS[:2]
    played = [cell(first, "4.3.1 client-side"), cell(second, "3.12.3"), cell(first, "4.3.1"), cell(first, "3.9.4")]
    families = {"One family": (first, second)}
    page = report.page(played, families, "", ())
    assert page == report.page(played[::-1], families, "", ())
    tables = page[page.index("## One family") :]
    assert tables.startswith(
        "## One family\n\n"
        "| Helm 3 | 3.9.4 | 3.12.3 |\n|---|---|---|\n"
        f"| {first.name} | ok<br>right | – |\n| {second.name} | – | ok<br>right |\n\n"
        "| Helm 4 | 4.3.1 | 4.3.1<br>client-side |\n|---|---|---|\n"
        f"| {first.name} | ok<br>right | ok<br>right |\n\n"
    )
    assert tables.endswith(
        "## Score\n\n- 4 written cells\n- Helm alone: 4 predicted, 4 came out so\n"
        "- with the filter: 4 right, 0 right after the announced upgrade, 0 refused, 0 BROKEN\n"
    )


def test_a_new_column_is_written_beside_those_of_the_page() -> None:
    first, second = SCENARIOS[:2]
    families = {"One family": (first, second)}
    missed = Cell(first, Column.parse("4.3.1 client-side"), Alone("fails: x", False), WithFilter(Verdict.BROKEN))
    wrong = Cell(second, Column.parse("3.12.3"), Alone("ok; x=1", True, ("x",)), WithFilter(Verdict.REFUSED, "PR101"))
    gone, chance = cell(first, "4.2.0"), cell(draw(1, 0, COLUMNS)[0], "3.12.3")
    before = report.page([missed, wrong, gone, chance], families, "", ())
    assert before.endswith(
        "- 3 written cells\n- Helm alone: 2 predicted, 1 came out so\n"
        "- with the filter: 1 right, 0 right after the announced upgrade, 1 refused, 1 BROKEN\n"
        "- 1 random cells\n- Helm alone: 1 predicted, 1 came out so\n"
        "- with the filter: 1 right, 0 right after the announced upgrade, 0 refused, 0 BROKEN\n"
    )
    kept = [missed.column, wrong.column]
    new = cell(first, "3.12.3")
    assert report.page([new], families, before, kept) == report.page([missed, wrong, new, chance], families, "", ())


@pytest.mark.parametrize("value", ["0", "0x0"])
def test_a_predicted_error_is_found_in_the_words_of_each_server(value: str) -> None:
    predicted = f'cannot patch "a" with kind Shirt: {VERSION_MISSING}'
    error = (
        'cannot patch "a" with kind Shirt: shirts.example.com "a" is invalid: metadata.resourceVersion: '
        f"Invalid value: {value}: must be specified for an update"
    )
    assert wrong_errors([predicted], error) == []
    assert wrong_errors([predicted], error.replace("Version", "Name")) != []
    assert wrong_errors([predicted], error.replace("specified", "unique")) != []
    assert wrong_errors([predicted], "") == [f"predicted {predicted!r}, Helm said 'ok'"]


def test_a_predicted_error_is_found_though_the_server_prints_addresses() -> None:
    predicted = 'cannot patch "a": Spec{Min:(*intstr.IntOrString)(0x3d073e022720), Max ... y:(nil)}: not both'
    error = predicted.replace("0x3d073e022720", "0x3d073c4c68a0").replace(" ... ", ":(*int)(0x3d07), Polic")
    assert wrong_errors([predicted], error) == []
    assert wrong_errors([predicted], error.replace("Min", "Most")) != []


def test_a_predicted_error_is_found_in_the_words_of_a_helm_that_takes_it_for_a_format() -> None:
    predicted = 'cannot patch "a": Invalid value: {"MinAvailable":"50%","Max":"50%"}'
    error = f"UPGRADE FAILED: {predicted}".replace('%"', '%!"(MISSING)')
    assert wrong_errors([predicted], error) == []
    assert wrong_errors([predicted], error.replace("50", "51")) != []
