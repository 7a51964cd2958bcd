"""Interrupts at a few moments; ``bin/attack`` tries 30 of each command and each server that hangs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.interrupts import interrupted, wrong


@pytest.mark.parametrize(
    ("command", "hangs", "delay"),
    [
        ("filter", "objects", 0.0),
        ("filter", "objects", 0.05),
        ("plan", "discovery", 0.01),
        ("orphans", "everything", 0),
    ],
)
def test_an_interrupt_ends_it_at_once(command: str, hangs: str, delay: float, tmp_path: Path) -> None:
    ended = interrupted(command, hangs, delay, tmp_path)
    assert wrong(ended) == [], ended
