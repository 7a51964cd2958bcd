"""What came out, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

from postrender._record import Record, asdict


class Row(Record):
    """One number; ``mark`` is what it should be at most, or ``at_least``; ``None`` where nothing was promised."""

    what: str
    value: float
    unit: str
    mark: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """``ok``, by how much it is short, or ``""`` where nothing was promised."""
        if self.mark is None:
            return ""
        if self.value >= self.mark if self.at_least else self.value <= self.mark:
            return "ok"
        return f"short by {abs(self.value - self.mark):.2f}"


def machine() -> str:
    """The processor, its cores, the load, the system, Python and the day, as they are worth knowing beside a number."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} cores, {load}{platform.system()}, Python {platform.python_version()}, "
        f"{time.strftime('%Y-%m-%d')}"
    )


def markdown(rows: Iterable[Row]) -> str:
    """The table as it stands in docs/performance.md."""
    lines = ["| what | measured | limit | |", "|---|---|---|---|"]
    for row in rows:
        mark = "" if row.mark is None else f"{'≥' if row.at_least else '≤'} {row.mark:g}"
        lines.append(f"| {row.what} | {row.value:.3g} {row.unit} | {mark} | {row.verdict} |")
    return "\n".join(lines) + "\n"


def as_json(measured_on: str, rows: Iterable[Row]) -> str:
    """The same for programs."""
    numbers = [{**asdict(row), "verdict": row.verdict} for row in rows]
    return json.dumps({"machine": measured_on, "rows": numbers}, indent=2)
