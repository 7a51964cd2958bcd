"""What the program does when a standard stream is closed, full or gone, and when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.test_filter import LIVE, OFFLINE, RENDERED, ROOT

PROGRAM = (sys.executable, "-m", "postrender")


def shell(redirection: str, *arguments: str, stdin: bytes = RENDERED) -> subprocess.CompletedProcess[bytes]:
    """The program with one redirection, such as ``>&-``."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *PROGRAM, *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(
    ("redirection", "arguments", "message"),
    [
        ("<&-", OFFLINE, "manifests are expected on stdin, and stdin is closed\nhint: postrender --help\n"),
        (
            "<&-",
            ("plan", "-", *LIVE),
            "manifests are expected on stdin, and stdin is closed\nhint: postrender plan --help\n",
        ),
        ("<&-", ("krm",), "a ResourceList is expected on stdin, and stdin is closed\nhint: postrender krm --help\n"),
        ("<&-", ("lint",), "manifests are expected on stdin, and stdin is closed\nhint: postrender lint --help\n"),
        (
            "<&-",
            ("adopt", "new", "configmaps/a"),
            "cannot prompt for confirmation: stdin is not a terminal\nhint: postrender adopt new configmaps/a --yes\n",
        ),
        (">&-", OFFLINE, "stdout: is closed, and nothing could be shown there\nhint: postrender --help\n"),
        (">&-", ("explain",), "stdout: is closed, and nothing could be shown there\nhint: postrender --help\n"),
        (">/dev/full", OFFLINE, "stdout: cannot be written: No space left on device\nhint: df -h\n"),
        (">/dev/full", ("explain",), "stdout: cannot be written: No space left on device\nhint: df -h\n"),
        (">/dev/full", ("explain", "PR101"), "stdout: cannot be written: No space left on device\nhint: df -h\n"),
        (">/dev/full", ("lint",), "stdout: cannot be written: No space left on device\nhint: df -h\n"),
    ],
)
def test_a_stream_that_cannot_be_used(redirection: str, arguments: tuple[str, ...], message: str) -> None:
    done = shell(redirection, *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"error: {message}")


def test_a_closed_stderr_changes_nothing_of_the_manifests() -> None:
    done = shell("2>&-", *OFFLINE)
    assert (done.returncode, done.stdout) == (0, shell("", *OFFLINE).stdout)


def test_a_reader_that_went_away_hears_no_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*PROGRAM, "explain"], stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_interrupt_says_what_to_do() -> None:
    """Stdin stays open, so that the filter waits for manifests."""
    running = subprocess.Popen(
        [*PROGRAM, *OFFLINE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    _wait_until_it_reads(running.pid)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    again = f"postrender {' '.join(OFFLINE)}"
    assert (running.returncode, out, err.decode()) == (130, b"", f"\nerror: interrupted\nhint: {again}\n")


def _wait_until_it_reads(pid: int) -> None:
    """Wait until a process sleeps in a read of its stdin (proc_pid_syscall(5); read is 0 on x86-64, 63 on arm64)."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/syscall") as file:
            call = file.read().split()
        if call[0] in ("0", "63") and call[1] == "0x0":
            return
        time.sleep(0.01)


DROPPED = """
import signal, sys, time
from postrender.cli import main as cli

class Object:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # Python drops an exception of a finalizer

def main(arguments):
    Object()
    time.sleep(30)
    return 0

cli.main = main
cli.run()
"""


def test_an_interrupt_that_python_drops_is_raised_again() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, b"\nerror: interrupted\nhint: postrender\n")
    assert time.monotonic() - began < 10
