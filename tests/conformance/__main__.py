"""``bin/fresh``: adopted equals fresh, asked of a real API server.

bin/fresh --seed 7 -n 200 --helm 3.12.3,4.3.1     # random cases; each is named SEED:NUMBER
bin/fresh --seed 7 --only 31 --helm 4.3.1         # one of them again, with everything that was seen of it
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from postrender.helm.versions import NEWEST_TESTED
from tests.conformance import customs, report
from tests.conformance.cases import Deck, Start
from tests.conformance.objects import sources
from tests.conformance.play import Player, Result, Verdict
from tests.conformance.server import Server
from tests.conformance.shrink import shrunk
from tests.e2e.controlplane import ControlPlane, serve
from tests.tools import assets


def main(arguments: Sequence[str]) -> int:
    """0 where every promise was kept and every prediction came true, else 1."""
    options = _parser().parse_args(arguments)
    starts = [Start(each) for each in options.start.split(",")] if options.start else list(Start)
    results: list[Result] = []
    began = time.monotonic()
    try:
        for result in _played(options, starts):
            results.append(result)
    except KeyboardInterrupt:
        print("interrupted; what was played until then:")
    found = report.classes(results)
    print(f"\n{found}\n\n{report.table(results)}")
    print(f"{len(results)} cases, {(time.monotonic() - began) / max(len(results), 1):.2f} s each")
    if options.findings:
        options.findings.write_text(f"{found}\n")
    return 0 if all(each.good or each.verdict is Verdict.TROUBLE for each in results) else 1


def _played(options: argparse.Namespace, starts: Sequence[Start]) -> Iterator[Result]:
    """The results, as they come; what is wrong is printed at once.

    A change that the server refuses itself (a field that cannot be changed) has only one right end, and shows less:
    for each of these one more case is drawn, so that as many as were asked for could have come out as charted.
    """
    with tempfile.TemporaryDirectory(prefix="fresh-") as name:
        folder = Path(name)
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), folder) as plane:
            serve(plane.api, customs.definitions())
            server = Server(plane.api)
            drawn_from = sources(server)
            if options.source:
                drawn_from = {name: drawn_from[name] for name in options.source.split(",")}
            print(f"cases from {', '.join(drawn_from)}", flush=True)
            for version in options.helm.split(","):
                deck = Deck(server, options.seed, drawn_from, apply=version.startswith("4."), starts=starts)
                small: set[str] = set()
                batch = 1 if options.only else options.batch
                player = Player(plane, version, folder, folder / "discovery", batch, filter=not options.alone)
                numbers: Sequence[int] = range(options.count)
                if options.only:
                    numbers = [int(each) for each in options.only.split(",")]
                while numbers:
                    refused = 0
                    for result in player.all([deck.draw(number) for number in numbers]):
                        yield result
                        refused += result.verdict is Verdict.IMMUTABLE
                        if options.only:
                            print(report.whole(result), flush=True)
                        elif options.verbose or (not result.good and result.verdict is not Verdict.TROUBLE):
                            print(report.line(result), flush=True)
                        what = report.classes([result])[:60]
                        if what and what not in small and len(small) < options.minimise:
                            small.add(what)
                            print(f"smaller: {report.whole(shrunk(result, player, server), live=False)}", flush=True)
                    following = numbers[-1] + 1
                    numbers = () if options.only else range(following, following + refused)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fresh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "-n", "--count", type=int, default=50, help="how many cases whose change the server takes, with each Helm"
    )
    parser.add_argument(
        "--helm", default=",".join(map(str, NEWEST_TESTED.values())), help="versions, separated by commas"
    )
    parser.add_argument("--only", metavar="NUMBERS", help="only these, alone, with everything that was seen of them")
    parser.add_argument("--start", help=f"only these, separated by commas: {', '.join(each.value for each in Start)}")
    parser.add_argument(
        "--source", help="only objects from these, separated by commas: charts, schemas, customs, secrets"
    )
    parser.add_argument(
        "--minimise", type=int, default=0, metavar="N", help="make N cases that fail small, with each Helm"
    )
    parser.add_argument("--batch", type=int, default=8, help="how many cases share a chart")
    parser.add_argument("--alone", action="store_true", help="judge Helm alone, without the filter")
    parser.add_argument("--verbose", action="store_true", help="print the cases that came out right, too")
    parser.add_argument("--findings", type=Path, metavar="FILE", help="write the classes of what went wrong there")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
