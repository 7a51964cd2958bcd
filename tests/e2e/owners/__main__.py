"""Play the whole table by the library, and a part of it with the real programs. See ``bin/owners``."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.controlplane import ControlPlane
from tests.e2e.owners.play import TABLE, Row, Stage, quick, rows
from tests.tools import assets


def main(wanted: str) -> int:
    """Play the rows whose name holds ``wanted``, and print those that broke and the counts; 1 if any did."""
    chosen = [row for row in rows() if wanted in str(row)]
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory(prefix="postrender-owners-") as name:
        folder = Path(name)
        (folder / "users").mkdir()
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), folder / "users") as plane:

            def played(task: tuple[Row, bool]) -> str:
                stage = Stage(plane, task[0], folder / "stages", folder / "cache")
                return stage.play_really() if task[1] else stage.play()

            # With the real programs a row takes seconds: there, each state and action once for each driver.
            real = [row for row in quick() if wanted in str(row) and row.caller not in TABLE["unseen"]["callers"]]
            tasks = [(row, False) for row in chosen] + [(row, True) for row in real]
            with ThreadPoolExecutor(2) as pool:
                for (row, really), came in zip(tasks, pool.map(played, tasks), strict=True):
                    kept = came == row.expected
                    place = f"{row.action} {'with the real programs' if really else 'by the library'}"
                    found = counts.setdefault(place, [0, 0])
                    found[not kept] += 1
                    if not kept:
                        print(f"BROKE {row}{', really' if really else ''}: {came}, not {row.expected}", flush=True)
    for action, (held, broke) in counts.items():
        print(f"{action:32} {held + broke:4} tried {held:4} held {broke:4} broke")
    held, broke = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
    print(f"{'all':32} {held + broke:4} tried {held:4} held {broke:4} broke")
    return int(broke > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
