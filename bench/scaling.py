"""Twice the stream in twice the time, for shapes in which one thing is very long."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.rewriting import STAMP
from bench.runs import Command, measured
from bench.shapes import long_key, long_list
from bench.table import Row

ITEMS = 25_000
LENGTH = 1_000_000


def rows(runs: int) -> list[Row]:
    """The promises about growth, measured."""
    python = sys.executable
    filter = (python, "-I", str(Path(python).with_name("postrender")))
    plain = ("--offline", *STAMP[3:])
    inputs = {
        "half the items": long_list(ITEMS),
        "items": long_list(2 * ITEMS),
        "half a key": long_key(LENGTH),
        "key": long_key(2 * LENGTH),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, data in inputs.items():
            (folder / label).write_bytes(data)
        costs = measured(
            [
                Command("bare", (python, "-c", "pass")),
                *(Command(label, (*filter, *STAMP), folder / label) for label in inputs),
                Command("passed on", (*filter, *plain), folder / "items"),
            ],
            runs,
        )
    bare = costs["bare"].cpu
    grown = {
        label: (costs[label].cpu - bare) / (costs[half].cpu - bare)
        for label, half in (("items", "half the items"), ("key", "half a key"))
    }
    return [
        Row(f"a List of {2 * ITEMS} objects, passed on: processor time", costs["passed on"].cpu, "s", 6),
        Row("the same, ownership metadata added to all of them: processor time", costs["items"].cpu, "s"),
        Row("the same, against half of it", grown["items"], "times", 2.5),
        Row(f"a plain key of {2 * LENGTH} bytes, against half of it: processor time", grown["key"], "times", 2.5),
    ]
