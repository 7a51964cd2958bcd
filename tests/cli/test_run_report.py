"""Showing a text past Helm: real pseudo-terminals, pipes and files in the place of its stderr."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from postrender.cli import run_report

TEXT = "kept\nand shown ✔\n"


class Screen:
    """A terminal: what programs write to ``path`` is read as bytes."""

    def __init__(self) -> None:
        self.reader, self.writer = pty.openpty()
        tty.setraw(self.writer)
        os.set_blocking(self.reader, False)
        self.path = os.ttyname(self.writer)

    def read(self) -> str:
        try:
            return os.read(self.reader, 100_000).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def terminal() -> Iterator[Screen]:
    made = Screen()
    yield made
    os.close(made.reader)
    os.close(made.writer)


@pytest.fixture
def ours() -> Iterator[int]:
    """Our stderr: the pipe through which Helm listens."""
    reader, writer = os.pipe()
    yield writer
    os.close(reader)
    os.close(writer)


def process(folder: Path, stderr: str | Path) -> str:
    """A proc file system in which process 7 has this stderr."""
    place = folder / "proc" / "7" / "fd"
    place.mkdir(parents=True)
    (place / "2").symlink_to(stderr)
    return str(folder / "proc")


def test_a_terminal_is_written_to(tmp_path: Path, terminal: Screen, ours: int) -> None:
    assert run_report.show(TEXT, 7, ours=ours, proc=process(tmp_path, terminal.path), terminal="/nowhere")
    assert terminal.read() == TEXT


def test_a_pipe_is_written_to_and_not_the_terminal_too(tmp_path: Path, terminal: Screen, ours: int) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run_report.show(TEXT, 7, ours=ours, proc=process(tmp_path, tmp_path / "pipe"), terminal=terminal.path)
    assert os.read(reader, 1000).decode() == TEXT
    os.close(reader)
    assert terminal.read() == ""


def test_a_plain_file_is_left_alone_and_the_terminal_takes_it(tmp_path: Path, terminal: Screen, ours: int) -> None:
    (tmp_path / "log").write_text("helm's\n")
    assert run_report.show(TEXT, 7, ours=ours, proc=process(tmp_path, tmp_path / "log"), terminal=terminal.path)
    assert (tmp_path / "log").read_text() == "helm's\n"
    assert terminal.read() == TEXT


def test_the_null_device_is_no_screen(tmp_path: Path, ours: int) -> None:
    assert not run_report.show(TEXT, 7, ours=ours, proc=process(tmp_path, "/dev/null"), terminal="/dev/null")


def test_a_stderr_that_cannot_be_opened_leaves_the_terminal(tmp_path: Path, terminal: Screen, ours: int) -> None:
    assert run_report.show(TEXT, 7, ours=ours, proc=str(tmp_path / "none"), terminal=terminal.path)
    assert terminal.read() == TEXT


def test_nobody_to_see_it(tmp_path: Path, ours: int) -> None:
    assert not run_report.show(TEXT, 7, ours=ours, proc=str(tmp_path / "none"), terminal="/nowhere")


def test_nothing_twice_where_our_stderr_is_a_terminal(tmp_path: Path, terminal: Screen) -> None:
    assert run_report.show(TEXT, 7, ours=terminal.writer, proc=process(tmp_path, terminal.path), terminal=terminal.path)
    assert terminal.read() == ""


def test_nothing_twice_where_both_are_one_pipe(tmp_path: Path, ours: int) -> None:
    theirs = process(tmp_path, f"/proc/{os.getpid()}/fd/{ours}")
    assert run_report.show(TEXT, 7, ours=ours, proc=theirs, terminal="/nowhere")
    reader = os.open(f"/proc/{os.getpid()}/fd/{ours}", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    os.close(reader)


def test_a_pipe_that_takes_stdout_too_is_left_to_programs(tmp_path: Path, terminal: Screen, ours: int) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    proc = process(tmp_path, tmp_path / "pipe")
    (tmp_path / "proc" / "7" / "fd" / "1").symlink_to(tmp_path / "pipe")
    assert run_report.show(TEXT, 7, apart=True, ours=ours, proc=proc, terminal=terminal.path)
    assert terminal.read() == TEXT
    assert run_report.show(TEXT, 7, ours=ours, proc=proc, terminal="/nowhere")
    assert os.read(reader, 1000).decode() == TEXT
    os.close(reader)


def test_a_terminal_that_takes_stdout_too_is_written_to(tmp_path: Path, terminal: Screen, ours: int) -> None:
    proc = process(tmp_path, terminal.path)
    (tmp_path / "proc" / "7" / "fd" / "1").symlink_to(terminal.path)
    assert run_report.show(TEXT, 7, apart=True, ours=ours, proc=proc, terminal="/nowhere")
    assert terminal.read() == TEXT


def test_a_pipe_that_nobody_empties_does_not_hold_us_up(
    tmp_path: Path, ours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_report, "PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    long = "x" * 1_000_000
    assert not run_report.show(long, 7, ours=ours, proc=process(tmp_path, tmp_path / "pipe"), terminal="/nowhere")
    assert os.read(reader, 10) == b"x" * 10
    os.close(reader)


def test_a_pipe_without_a_reader(tmp_path: Path, ours: int) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not run_report.show(TEXT, 7, ours=ours, proc=process(tmp_path, tmp_path / "pipe"), terminal="/nowhere")
