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

WORKERS = 4


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
        """Whether Helm did as predicted, or nothing was predicted."""
        return self.alone is None or not self.alone.disagreements

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.filtered is None or self.filtered.verdict is not Verdict.BROKEN

    @property
    def wrong(self) -> tuple[bool, bool, bool]:
        """In which ways it went wrong."""
        return (not self.agrees, not self.kept, bool(self.trouble))

    @property
    def good(self) -> bool:
        return not any(self.wrong)


class Player:
    """Plays cells on one control plane."""

    def __init__(self, plane: ControlPlane, folder: Path, cache: Path) -> None:
        self._plane = plane
        self._folder = folder
        self._cache = cache

    def all(self, cells: Sequence[tuple[Scenario, Column]]) -> Iterator[Cell]:
        """All cells, in their order, some at once; those whose flags that Helm lacks are left out."""
        there = [(scenario, column) for scenario, column in cells if scenario.exists(column)]
        with ThreadPoolExecutor(WORKERS) as pool:
            yield from pool.map(lambda cell: self.one(*cell), there)

    def one(self, scenario: Scenario, column: Column) -> Cell:
        """One cell."""
        try:
            with Stage(self._plane, column, self._folder, self._cache) as stage:
                stage.set(scenario)
                alone = helm_alone(stage, scenario)
            with Stage(self._plane, column, self._folder, self._cache) as stage:
                stage.set(scenario)
                filtered = with_filter(stage, scenario)
        except Exception as error:
            return Cell(scenario, column, trouble=f"{type(error).__name__}: {error}")
        return Cell(scenario, column, alone, filtered)
