"""What ``bin/bench --write`` makes of docs/performance.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import searching
from bench.page import MARKER, PAGE, updated
from bench.table import Row
from tests.cli.test_filter import ROOT
from tests.wire.server import Server

ROWS = [Row("ten documents", 24.04, "ms", 25), Row("kustomize takes", 13.5, "times as long", 14, at_least=True)]


def test_the_page_keeps_its_text_and_gets_the_machine_and_the_table() -> None:
    page = f"# Performance\n\nText.\n\n{MARKER}\nMeasured on another one.\n\n| old |\n"
    expected = f"""\
# Performance

Text.

{MARKER}
Measured on a Xeon, 2 cores, load 0.1, Linux, Python 3.11.7, 2026-11-29.

| what | measured | limit | |
|---|---|---|---|
| ten documents | 24 ms | ≤ 25 | ok |
| kustomize takes | 13.5 times as long | ≥ 14 | short by 0.50 |
"""
    machine = "a Xeon, 2 cores, load 0.1, Linux, Python 3.11.7, 2026-11-29"
    assert updated(page, machine, ROWS) == expected
    assert updated(expected, machine, ROWS) == expected


def test_the_page_has_its_marker() -> None:
    assert PAGE.read_text().count(MARKER) == 1


def test_a_page_without_a_marker_is_left_alone() -> None:
    with pytest.raises(ValueError, match=r"^the page has no marker$"):
        updated("# Performance\n", "a Xeon", ROWS)


def test_only_a_whole_run_is_written() -> None:
    command = [sys.executable, "-m", "bench", "--write", "rewriting"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "bin/bench: error: --write needs all parts")


def test_what_is_measured_of_orphans_is_what_is_meant(tmp_path: Path) -> None:
    with Server() as server:
        server.behaviours[:] = [searching.Pages(searching.ORPHANS + 1)]
        command = searching.orphans_command("orphans", searching.kubeconfig_of(server, tmp_path / "kubeconfig"))
        done = subprocess.run(command.argv, capture_output=True, text=True)
    assert done.returncode == command.exits == searching.FOUND, done.stdout + done.stderr
    assert len(json.loads(done.stdout)["orphans"]) == searching.ORPHANS
