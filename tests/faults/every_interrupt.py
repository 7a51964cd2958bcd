"""``bin/attack``: interrupts at 30 moments of each command, on servers that hang at once, and at each object."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.interrupts import COMMANDS, interrupted, wrong

HANGS = {"filter": ("objects", "discovery"), "plan": ("objects",)}


@pytest.mark.parametrize("moment", range(30))
@pytest.mark.parametrize(
    ("command", "hangs"), [(command, hangs) for command in COMMANDS for hangs in HANGS.get(command, ("everything",))]
)
def test_an_interrupt_ends_it_at_once(command: str, hangs: str, moment: int, tmp_path: Path) -> None:
    ended = interrupted(command, hangs, moment * 0.005, tmp_path)
    assert wrong(ended) == [], ended
