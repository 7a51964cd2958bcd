"""``bin/matrix``: scenarios played with several Helms; tells where the model or the promise is wrong.

bin/matrix                            # the written scenarios
bin/matrix --random 200 --seed 7      # random ones; each is named SEED:NUMBER
bin/matrix --all --resume FILE        # all of it; what FILE holds as good is not played again
bin/matrix --replay 7:31 --shrink     # one of them again, made as small as it stays wrong
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.controlplane import ControlPlane
from tests.e2e.matrix import report
from tests.e2e.matrix.cells import Cell, Player
from tests.e2e.matrix.chance import draw
from tests.e2e.matrix.families import FAMILIES, SCENARIOS
from tests.e2e.matrix.record import Record
from tests.e2e.matrix.shrink import shrunk
from tests.e2e.matrix.steps import COLUMNS, Column, Scenario
from tests.tools import assets

PAGE = Path(__file__).parents[3] / "docs" / "helm-by-version.md"
MANY = 1000
"""How many random scenarios ``--all`` plays."""


def main(arguments: Sequence[str]) -> int:
    """0 where everything is as predicted and every promise is kept, else 1."""
    options = _parser().parse_args(arguments)
    columns = [Column.parse(text) for text in options.versions.split(",")] if options.versions else list(COLUMNS)
    played = []
    with _player() as player:
        record = Record(options.resume)
        wanted = list(_cells(options, columns))
        there = [cell for scenario, column in wanted if (cell := record.cell(scenario, column)) is not None]
        played += there
        known = {(cell.scenario.name, cell.column) for cell in there}
        left = [(scenario, column) for scenario, column in wanted if (scenario.name, column) not in known]
        for cell in player.all(left):
            played.append(cell)
            record.add(cell)
            print(report.lines(cell), flush=True)
            if not cell.good:
                print(report.steps(cell.scenario), flush=True)
            if options.shrink and not cell.good:
                smaller = _smaller(player, cell)
                print("  smaller:", report.lines(smaller), report.steps(smaller.scenario), sep="\n", flush=True)
    print(report.score(played))
    if options.write:
        PAGE.write_text(report.page(played, FAMILIES, PAGE.read_text(), (*COLUMNS, *columns)))
    return 0 if all(cell.good for cell in played) else 1


def _smaller(player: Player, cell: Cell) -> Cell:
    """The cell made small, still wrong in the same ways."""
    found = shrunk(cell.scenario, lambda request: player.one(request, cell.column).wrong == cell.wrong)
    return player.one(found, cell.column)


def _cells(options: argparse.Namespace, columns: Sequence[Column]) -> Iterator[tuple[Scenario, Column]]:
    if options.replay:
        seed, _, number = options.replay.partition(":")
        yield draw(int(seed), int(number), columns)
        return
    if options.all or not options.random:
        wanted = [each for each in SCENARIOS if any(word in each.name for word in options.scenario or [""])]
        yield from ((scenario, column) for scenario in wanted for column in columns)
    for number in range(options.random or (MANY if options.all else 0)):
        yield draw(options.seed, number, columns)


@contextmanager
def _player() -> Iterator[Player]:
    with tempfile.TemporaryDirectory(prefix="matrix-") as name:
        folder = Path(name)
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), folder) as plane:
            yield Player(plane, folder, folder / "discovery")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matrix", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--versions", help="columns, separated by commas: '3.12.3,4.3.1 client-side'")
    parser.add_argument("--scenario", action="append", help="only written scenarios whose name has this in it")
    parser.add_argument("--all", action="store_true", help=f"the written ones and {MANY} random ones")
    parser.add_argument("--random", type=int, metavar="N", help="N random scenarios, each with one of the columns")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep what was played, and go on from that")
    parser.add_argument("--replay", metavar="SEED:NUMBER", help="one random scenario (with the same --versions)")
    parser.add_argument("--shrink", action="store_true", help="make what goes wrong smaller")
    parser.add_argument("--write", action="store_true", help=f"write these cells to docs/{PAGE.name}")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
