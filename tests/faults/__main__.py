"""Try the whole table, two rows at once; exits with 1 if anything broke. See ``bin/attack``."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.hints import Chosen
from tests.faults.play import Outcome, Row, judge, play, rows

CHOSEN = Chosen()


def tried(row: Row) -> tuple[Row, Outcome, list[str]]:
    """One row, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="postrender-fault-") as folder:
        outcome = play(row, Path(folder), CHOSEN)
    return row, outcome, judge(row, outcome)


def main(wanted: str) -> int:
    """Try the rows whose name holds ``wanted``, and print them and the counts."""
    chosen = [row for row in rows() if wanted in str(row)]
    counts: dict[str, list[int]] = {}
    dead_ends = executed = worked = 0
    with ThreadPoolExecutor(2) as pool:
        for row, outcome, wrong in pool.map(tried, chosen):
            print(f"{'BROKE' if wrong else 'held '} {outcome.code:4} {len(outcome.writes)} writes  {row}", flush=True)
            for each in wrong:
                print(f"        {each}\n        {outcome.stderr[-600:]!r}", flush=True)
            found = counts.setdefault(row.group, [0, 0])
            found[bool(wrong)] += 1
            executed += len(outcome.hints)
            worked += sum(not hint.wrong for hint in outcome.hints)
            dead_ends += any(hint.wrong for hint in outcome.hints) or "it ends in nothing to type" in wrong
    for group, (held, broke) in counts.items():
        print(f"{group:16} {held + broke:4} tried {held:4} held {broke:4} broke")
    held, broke = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
    print(f"{'all':16} {held + broke:4} tried {held:4} held {broke:4} broke")
    print(f"hints: {executed} executed {worked} worked; {dead_ends} dead ends")
    return int(broke > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
