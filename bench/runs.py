"""One command run several times: wall time, processor time and peak memory, as the operating system counts them."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from postrender.record import Record


class Cost(Record):
    """Medians of several runs: seconds of wall and processor time, bytes of peak memory, bytes of output."""

    wall: float
    cpu: float
    peak: int
    output: int


class Command(Record):
    """One contender; ``stdin`` is a file it reads from, ``exits`` the exit code that counts as done."""

    name: str
    argv: Sequence[str]
    stdin: Path | None = None
    cwd: Path | None = None
    environ: Mapping[str, str] | None = None
    exits: int = 0


def measured(commands: Sequence[Command], runs: int) -> dict[str, Cost]:
    """The cost of each, run in turn (A B C A B C ...) so that a drifting machine hurts all alike; one warm-up each.

    Raises RuntimeError, with what the command said, where one ends otherwise than it should.
    """
    seen: dict[str, list[Cost]] = {command.name: [] for command in commands}
    for turn in range(runs + 1):
        for command in commands:
            cost = _once(command)
            if turn:
                seen[command.name].append(cost)
    return {
        name: Cost(
            statistics.median(cost.wall for cost in costs),
            statistics.median(cost.cpu for cost in costs),
            max(cost.peak for cost in costs),
            costs[0].output,
        )
        for name, costs in seen.items()
    }


def _once(command: Command) -> Cost:
    environ = {**os.environ, **(command.environ or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin = command.stdin.open("rb") if command.stdin else subprocess.DEVNULL
        before = time.perf_counter()
        process = subprocess.Popen(command.argv, stdin=stdin, stdout=out, stderr=err, cwd=command.cwd, env=environ)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        if not isinstance(stdin, int):
            stdin.close()
        if process.returncode != command.exits:
            err.seek(0)
            raise RuntimeError(f"{command.name} ended with {process.returncode}:\n{err.read().decode()[-3000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.tell())
