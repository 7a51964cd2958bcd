"""``bin/matrix``: play scenarios with several Helms and tell where the model or the promise is wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.controlplane import ControlPlane
from tests.e2e.matrix.cells import Cell, play_all
from tests.e2e.matrix.families import SCENARIOS
from tests.e2e.matrix.steps import COLUMNS, Column, Scenario
from tests.tools import assets


def main(arguments: Sequence[str]) -> int:
    """0 where everything agrees and every promise is kept, else 1."""
    options = _parser().parse_args(arguments)
    columns = [Column.parse(text) for text in options.versions.split(",")] if options.versions else list(COLUMNS)
    scenarios = [each for each in SCENARIOS if any(word in each.name for word in options.scenario or [""])]
    cells = [(scenario, column) for scenario in scenarios for column in columns]
    played = list(_played(cells))
    _score(played)
    return 0 if all(cell.good for cell in played) else 1


def _played(cells: Sequence[tuple[Scenario, Column]]) -> list[Cell]:
    played = []
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), Path(folder)) as plane:
            for cell in play_all(plane, cells, Path(folder), Path(folder) / "discovery"):
                played.append(cell)
                _tell(cell)
    return played


def _tell(cell: Cell) -> None:
    print(f"{'ok ' if cell.good else 'BAD'} {cell.scenario.name} [{cell.column}]", flush=True)
    if cell.alone:
        print(f"      alone: {cell.alone.outcome}{'' if cell.alone.predicted else ' (not predicted)'}")
        for each in cell.alone.disagreements:
            print(f"        DISAGREES {each}")
    if cell.filtered:
        print(f"      filter: {cell.filtered.verdict.value} {cell.filtered.remark}")
        for each in cell.filtered.wrong:
            print(f"        BROKEN {each}")
    if cell.trouble:
        print(f"      TROUBLE {cell.trouble}", flush=True)


def _score(played: Sequence[Cell]) -> None:
    predicted = [cell for cell in played if cell.alone and cell.alone.predicted]
    print(
        f"{len(played)} cells; predicted {len(predicted)}, "
        f"as predicted {sum(cell.agrees for cell in predicted)}; "
        f"promise kept {sum(cell.kept and not cell.trouble for cell in played)}; "
        f"trouble {sum(bool(cell.trouble) for cell in played)}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__, allow_abbrev=False)
    parser.add_argument("--versions", help="columns, separated by commas: 3.12.3,4.3.1 client-side")
    parser.add_argument("--scenario", action="append", help="only scenarios whose name has this in it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
