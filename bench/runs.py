"""One command run several times: wall time, processor time and peak memory, as the operating system counts them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from postrender._record import Record


class Cost(Record):
    """Medians of several runs: seconds of wall and processor time, bytes of peak memory, bytes of output.

    ``quickest`` is the least wall time of any, and ``least_cpu`` the least processor time: what a machine that nobody
    shares would show, or nearly.
    """

    wall: float
    quickest: float
    cpu: float
    least_cpu: float
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
            min(cost.wall for cost in costs),
            statistics.median(cost.cpu for cost in costs),
            min(cost.cpu for cost in costs),
            max(cost.peak for cost in costs),
            costs[0].output,
        )
        for name, costs in seen.items()
    }


_LAUNCHER = """
import json, os, sys, time
before = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
wall, cpu = time.perf_counter() - before, usage.ru_utime + usage.ru_stime
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss], file)
"""
"""Linux counts in a child's peak memory what the parent held when it forked: this parent holds next to nothing."""


def _once(command: Command) -> Cost:
    environ = {**os.environ, **(command.environ or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.NamedTemporaryFile() as counted:
        stdin = command.stdin.open("rb") if command.stdin else subprocess.DEVNULL
        launcher = (sys.executable, "-I", "-S", "-c", _LAUNCHER, counted.name, *command.argv)
        subprocess.run(launcher, stdin=stdin, stdout=out, stderr=err, cwd=command.cwd, env=environ, check=True)
        if not isinstance(stdin, int):
            stdin.close()
        exit_code, wall, cpu, peak = json.load(counted)
        if exit_code != command.exits:
            err.seek(0)
            raise RuntimeError(f"{command.name} ended with {exit_code}:\n{err.read().decode()[-3000:]}")
        return Cost(wall, wall, cpu, cpu, peak * (1 if sys.platform == "darwin" else 1024), out.tell())
