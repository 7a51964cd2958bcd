"""One cell: a scenario with one Helm, alone and with the filter, each from the same start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.controlplane import ControlPlane
from tests.e2e.matrix.alone import Alone, helm_alone
from tests.e2e.matrix.promise import Verdict, WithFilter, with_filter
from tests.e2e.matrix.stage import Stage
from tests.e2e.matrix.steps import Column, Scenario

WORKERS = 3


@dataclass(frozen=True)
class Cell:
    """What came of it; ``trouble`` is why the cell could not be played."""

    scenario: Scenario
    column: Column
    alone: Alone | None = None
    filtered: WithFilter | None = None
    trouble: str = ""

    @property
    def agrees(self) -> bool:
        """Whether Helm did as predicted, or nothing was."""
        return self.alone is None or not self.alone.disagreements

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.filtered is None or self.filtered.verdict is not Verdict.BROKEN

    @property
    def good(self) -> bool:
        return self.agrees and self.kept and not self.trouble


def play(plane: ControlPlane, scenario: Scenario, column: Column, folder: Path, cache: Path) -> Cell:
    """One cell."""
    try:
        stage = Stage(plane, column, folder, cache)
        stage.set(scenario)
        alone = helm_alone(stage, scenario)
        stage.close()
        stage = Stage(plane, column, folder, cache)
        stage.set(scenario)
        filtered = with_filter(stage, scenario)
        stage.close()
    except Exception as error:
        return Cell(scenario, column, trouble=f"{type(error).__name__}: {error}")
    return Cell(scenario, column, alone, filtered)


def play_all(
    plane: ControlPlane, cells: Sequence[tuple[Scenario, Column]], folder: Path, cache: Path
) -> Iterator[Cell]:
    """All cells, in their order, some at once; those whose flags that Helm lacks are left out."""
    there = [(scenario, column) for scenario, column in cells if scenario.exists(column)]
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda cell: play(plane, cell[0], cell[1], folder, cache), there)
