"""``bin/bench [--runs N] [--json FILE] [--write | PART ...]``: measure, print the table, write what is asked for."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from bench.page import PAGE, updated
from bench.table import Row, as_json, machine, markdown

PARTS = ("rewriting", "scaling", "deciding", "lookups", "comparing", "adding", "searching", "starting")


def main() -> int:
    """Run the parts asked for; a number that is short of its mark is said, not an error."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; none: all")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command (default 5)")
    parser.add_argument("--json", type=Path, help="file to write the numbers to")
    parser.add_argument("--write", action="store_true", help="write the table of all parts into docs/performance.md")
    options = parser.parse_args()
    if options.write and options.parts:
        parser.error("--write needs all parts")
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    # Of the start: afterwards the load is our own.
    where = machine()
    rows: list[Row] = []
    for part in options.parts or PARTS:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        rows += import_module(f"bench.{part}").rows(options.runs)
    print(f"{where}\n\n{markdown(rows)}", end="")
    if options.write:
        PAGE.write_text(updated(PAGE.read_text(), where, rows))
    if options.json:
        options.json.write_text(as_json(where, rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
