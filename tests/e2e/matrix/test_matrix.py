"""A fixed part of the matrix: some written scenarios with some Helms, and random ones by number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.controlplane import ControlPlane
from tests.e2e.matrix import report
from tests.e2e.matrix.cells import Cell, Player
from tests.e2e.matrix.chance import draw
from tests.e2e.matrix.families import SCENARIOS
from tests.e2e.matrix.shrink import shrunk
from tests.e2e.matrix.steps import COLUMNS, Column, Scenario, Thing

WRITTEN = (
    ("H1 changed", "3.12.3"),
    ("H1 then upgrade", "3.17.0"),
    ("H2 upgrade pair", "3.17.1"),
    ("H6 deep", "3.21.4"),
    ("H6 touched", "4.3.1 client-side"),
    ("H6 taken", "3.18.6"),
    ("H8 returns", "3.9.4"),
    ("H9 orphan Shirt, adopted", "3.16.4"),
    ("H10 living, taken", "3.21.4"),
    ("H6 same", "4.0.0"),
    ("H6 changed", "4.3.1"),
    ("H18 conflict", "4.1.0"),
    ("H19 immutable", "4.3.1"),
    ("H19 immutable", "3.21.4"),
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
