"""The steps in which a new version of another program is compared with what is known of it, and their report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    """One command, what it printed, whether it found nothing, and how long it took in minutes."""

    title: str
    command: Sequence[str]
    output: str
    good: bool
    minutes: float

    def __str__(self) -> str:
        """As a section of the report."""
        typed = " ".join(f"'{part}'" if " " in part else part for part in self.command)
        verdict = "nothing differs" if self.good else "differs"
        head = f"## {self.title}: {verdict}\n\n`python {typed}`, {self.minutes:.1f} minutes\n"
        return f"{head}\n```text\n{self.output}\n```\n"


def run(title: str, arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Step:
    """One step, played now, with more variables in its environment."""
    print(f"{title} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        output, _ = program.communicate()
    lines = [line for line in output.splitlines() if not re.match(r"ok  |    (alone|filter): ", line)]
    return Step(title, arguments, "\n".join(lines), program.returncode == 0, (time.monotonic() - began) / 60)


def report(title: str, steps: Sequence[Step], path: Path) -> str:
    """Write the report, and summarise it: a line for each step and the path below the root."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([f"# {title}\n", *map(str, steps)]), encoding="utf-8")
    lines = [
        f"{'ok  ' if step.good else 'BAD '} {step.title}: {step.output.splitlines()[-1] if step.output else ''}"
        for step in steps
    ]
    return "\n".join([*lines, str(path.relative_to(ROOT))])
