"""What was played, kept in a file, so that a long run that was broken off goes on where it ended."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.matrix.cells import Cell
from tests.e2e.matrix.steps import Column, Scenario


class Record:
    """A file of cells, one pickle after the other. Cells that went wrong are played again."""

    def __init__(self, path: Path | None) -> None:
        """``None`` keeps nothing."""
        self._path = path
        self._cells = {(cell.scenario.name, cell.column): cell for cell in _read(path) if cell.good} if path else {}

    def cell(self, scenario: Scenario, column: Column) -> Cell | None:
        """The cell as it was played; ``None`` where it was not, or the scenario says something else now."""
        found = self._cells.get((scenario.name, column))
        return found if found is not None and found.scenario == scenario else None

    def add(self, cell: Cell) -> None:
        """Keep a cell that was played now."""
        if self._path is not None:
            with self._path.open("ab") as file:
                pickle.dump(cell, file)


def _read(path: Path) -> Iterator[Cell]:
    if not path.exists():
        return
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except (EOFError, pickle.UnpicklingError, ImportError, AttributeError):  # The latter two: older modules.
                return
