"""``bin/nightly``: what is played with fresh seeds every night, about an hour of two cores.

    bin/nightly                       # all of it, with today's date as the seed; what is weekly on Sundays only
    bin/nightly whole                 # one part, on any day
    bin/nightly --scale 0.1 model     # a tenth of the random cells

Adds a line to docs/nightly.md; what is played on the same day of the same commit goes into one line. What a part
printed, with each failing scenario made small, is in build/nightly/DATE/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime, timezone
from pathlib import Path

from tools.builtin import SERVERS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "nightly.md"
WEEKLY = ("packages", "whole", "mutations")
"""The parts that take longer than the rest together: played on Sundays, and when named."""
_PYTHON = (sys.executable, "-m")


def parts(seed: int, scale: float) -> dict[str, list[str]]:
    """The command of each part by name."""

    def scaled(count: int) -> str:
        return str(max(1, round(count * scale)))

    numbered = ("--seed", str(seed))
    return {
        "model": [*_PYTHON, "tests.e2e.matrix", "--random", scaled(300), *numbered, "--shrink"],
        "fresh": [*_PYTHON, "tests.conformance", "-n", scaled(150), *numbered, "--minimise", "3"],
        "fuzz": ["bin/fuzz", scaled(600)],
        "kills": ["bin/kills"],
        "faults": ["bin/attack"],
        "callers": ["bin/callers"],
        "image": [*_PYTHON, "pytest", "-q", "tests/release/every_image.py"],
        "servers": [*_PYTHON, "tools.adopt_kubernetes", *SERVERS, "--quick", scaled(20), *numbered],
        "packages": [*_PYTHON, "pytest", "-q", "tests/release/every_arm64.py", "tests/release/every_musl.py"],
        "whole": ["bin/test", "-q", "--whole", "-m", "one_in"],
        "mutations": [*_PYTHON, "tests.tools.mutations"],
    }


def played_on(day: date) -> list[str]:
    """The parts of that day."""
    return [name for name in parts(0, 1) if name not in WEEKLY or day.isoweekday() == 7]


def play(command: Sequence[str], log: Path) -> str:
    """What the table says of a part: ``ok, 12 min``, ``failed, 3 min``. Its output goes to ``log``."""
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    minutes = (time.monotonic() - began) / 60
    return f"{'**failed**' if done.returncode else 'ok'}, {minutes:.0f} min"


def with_result(page: str, head: Sequence[str], part: str, result: str) -> str:
    """The page with the result of a part in the last line of its table; in a new line if that has another ``head``.

    ``head`` is the date, the commit and the scale. So parts that are played one by one make one line.
    """
    names = list(parts(0, 1))
    *before, last = page.rstrip().splitlines()
    cells = [each.strip() for each in last.strip("|").split("|")]
    if cells[: len(head)] != list(head):
        before, cells = [*before, last], [*head, *("–" for _ in names)]
    cells[len(head) + names.index(part)] = result
    return "\n".join([*before, f"| {' | '.join(cells)} |\n"])


def main(arguments: Sequence[str]) -> int:
    """0 if every part found nothing."""
    now = datetime.now(timezone.utc)
    known = list(parts(0, 1))
    parser = argparse.ArgumentParser(
        prog="nightly", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("part", nargs="*", metavar="PART", help=f"only these (choose: {', '.join(known)})")
    parser.add_argument("--seed", type=int, default=int(f"{now:%Y%m%d}"))
    parser.add_argument("--scale", type=float, default=1, help="factor for the counts of random scenarios (default: 1)")
    options = parser.parse_args(arguments)
    if unknown := set(options.part) - set(known):
        parser.error(f"invalid value '{min(unknown)}' for PART (choose: {', '.join(known)})")
    folder = ROOT / "build" / "nightly" / f"{now:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout.strip()
    head = (f"{now:%Y-%m-%d}", commit, f"{options.scale:g}")
    chosen = options.part or played_on(now)
    good = True
    for name, command in parts(options.seed, options.scale).items():
        if name in chosen:
            result = play(command, folder / f"{name}.txt")
            good = good and "failed" not in result
            print(f"{name}: {result} ({folder / name}.txt)", flush=True)
            PAGE.write_text(with_result(PAGE.read_text(encoding="utf-8"), head, name, result), encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
