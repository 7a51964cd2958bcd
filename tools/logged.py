"""Programs whose output nobody reads unless they fail: it goes to a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LOG = Path(__file__).parents[1] / "build" / "output.log"
_SHOWN = 20


def run(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a program with its output appended to ``LOG``.

    Raises CalledProcessError, after its last lines and the log's path were printed on stderr.
    """
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        start = log.tell()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env)
    if done.returncode:
        lines = LOG.read_bytes()[start:].decode(errors="replace").splitlines()
        sys.stderr.write("\n".join([*lines[-_SHOWN:], f"the whole output is in {LOG}", ""]))
        raise subprocess.CalledProcessError(done.returncode, list(command))
