"""The steps in which a new version of another program is compared with what is known of it, and their report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPATIBILITY = ROOT / "docs" / "compatibility.md"
"""The page with the tables of tested versions."""


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
        verdict = "passed" if self.good else "failed"
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


def with_row(page: str, table: str, version: str, steps: Sequence[Step], when: str = "") -> str:
    """The page with the row of this version, in the order of versions; a row that is there is replaced.

    ``table`` is the head of the table's first column, ``when`` a date, ``""`` for today. Raises ValueError if there is
    no such table.
    """
    cells = [step.output.splitlines()[-1].strip("= ") if step.output else "" for step in steps]
    verdict = "tested" if all(step.good for step in steps) else "**differs**"
    row = f"| {version} | {when or date.today()} | {verdict} | {' | '.join(cells)} |\n"
    page = re.sub(rf"^\| {re.escape(version)} \|.*\n", "", page, flags=re.M)
    found = _rows(page, table)
    lines = sorted([*found[1].splitlines(keepends=True), row], key=lambda line: _numbers(line.split("|")[1]))
    return f"{page[: found.start(1)]}{''.join(lines)}{page[found.end(1) :]}"


def verdicts(page: str, table: str) -> dict[str, str]:
    """What the table says of each version: ``tested`` or ``**differs**``; ``table`` and errors as for ``with_row``."""
    rows = (line.strip("|").split(" | ") for line in _rows(page, table)[1].splitlines())
    return {version.strip(): verdict for version, _, verdict, *_ in rows}


def _rows(page: str, table: str) -> re.Match[str]:
    found = re.search(rf"^\| {table} \|.*\n\| --- .*\n((?:\|.*\n)*)", page, flags=re.M)
    if found is None:
        raise ValueError(f"{COMPATIBILITY.name} has no table of {table}")
    return found


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.strip().split(".")]
