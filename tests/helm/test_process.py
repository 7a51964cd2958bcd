"""Processes above ours: real ones, and proc file systems that hold what is hard to arrange."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from postrender.helm.process import Process, Processes, ProcFS, Psutil, ancestors, here

linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc to read")
READERS = [pytest.param(ProcFS(), id="procfs", marks=linux), pytest.param(Psutil(), id="psutil")]

SCRIPT = "import sys; print(flush=True); sys.stdin.read()"
ARGUMENTS = ["-c", SCRIPT, "", "two words", "--kube-token=t", "ü", "line\nbreak", ""]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[int]:
    """A process with odd arguments, its own folder and its own environment."""
    environment = {"HELM_NAMESPACE": "web", "EMPTY": "", "EQUALS": "a=b"}
    with subprocess.Popen(
        [sys.executable, *ARGUMENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as process:
        # Linux shows no arguments for a moment after the call has returned: what runs has to have said so.
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process.pid


@pytest.mark.parametrize("processes", READERS)
def test_a_real_process(processes: Processes, child: int, tmp_path: Path) -> None:
    assert processes.parent(child) == os.getpid()
    process = processes.read(child, 3)
    assert process is not None
    assert process.pid == child
    assert process.up == 3
    assert process.exe == os.path.realpath(sys.executable)
    assert process.argv[1:] == tuple(ARGUMENTS)
    assert process.whole
    assert process.ours
    assert "--kube-token" not in repr(process)
    environment = processes.environment(child)
    assert environment is not None
    assert {name: environment[name] for name in ("HELM_NAMESPACE", "EMPTY", "EQUALS")} == {
        "HELM_NAMESPACE": "web",
        "EMPTY": "",
        "EQUALS": "a=b",
    }
    assert os.path.realpath(processes.folder(child)) == os.path.realpath(tmp_path)
    assert os.path.samefile(processes.program(process), sys.executable)


@linux
def test_both_readers_agree_on_our_own_ancestors() -> None:
    ours, theirs = (list(ancestors(os.getpid(), reader)) for reader in (ProcFS(), Psutil()))
    assert [process.pid for process in ours] == [process.pid for process in theirs]
    assert ours[0].pid == os.getppid()
    assert [process.up for process in ours] == list(range(1, len(ours) + 1))


@pytest.mark.parametrize("processes", READERS)
def test_what_is_gone_is_missing(processes: Processes) -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    gone = process.pid
    assert processes.parent(gone) == 0
    assert processes.read(gone, 1) is None
    assert processes.environment(gone) is None
    assert processes.folder(gone) == ""
    assert list(ancestors(gone, processes)) == []


def test_this_platforms_reader() -> None:
    assert type(here()) is (ProcFS if sys.platform == "linux" else Psutil)


def proc(root: Path, pid: int, **files: bytes) -> None:
    (root / str(pid)).mkdir(parents=True)
    for name, data in files.items():
        if name in ("exe", "cwd"):
            (root / str(pid) / name).symlink_to(os.fsdecode(data))
        else:
            (root / str(pid) / name).write_bytes(data)


def test_a_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    proc(tmp_path, 7, stat=b"7 (a) S 99 (b) R 5 7 7 0 -1")
    assert ProcFS(str(tmp_path)).parent(7) == 5


def test_a_deleted_program_keeps_its_name(tmp_path: Path) -> None:
    proc(tmp_path, 7, exe=b"/opt/helm (deleted)", cmdline=b"helm\0install\0")
    process = ProcFS(str(tmp_path)).read(7, 1)
    assert process == Process(7, 1, "/opt/helm", ("helm", "install"), whole=True, ours=True)
    assert process is not None
    assert ProcFS(str(tmp_path)).program(process) == f"{tmp_path}/7/exe"


@pytest.mark.parametrize(
    ("line", "argv", "whole"),
    [
        (b"", (), False),
        (b"helm\0install\0shop\0./ch", ("helm", "install", "shop", "./ch"), False),
        (b"helm\0install\0\0", ("helm", "install", ""), True),
        (b"helm\0-n\0\xff\0", ("helm", "-n", "\udcff"), True),
    ],
)
def test_command_lines(line: bytes, argv: tuple[str, ...], whole: bool, tmp_path: Path) -> None:
    proc(tmp_path, 7, cmdline=line)
    assert ProcFS(str(tmp_path)).read(7, 1) == Process(7, 1, "", argv, whole=whole, ours=True)


def test_what_may_not_be_read_is_missing(tmp_path: Path) -> None:
    """Another user's process shows its command line, but neither its program nor its environment."""
    proc(tmp_path, 7, stat=b"7 (helm) S 1 7", cmdline=b"helm\0install\0")
    reader = ProcFS(str(tmp_path))
    assert reader.environment(7) is None
    assert reader.folder(7) == ""
    process = reader.read(7, 1)
    assert process is not None
    assert process.exe == ""


def test_a_loop_ends(tmp_path: Path) -> None:
    for pid, parent in ((7, 8), (8, 9), (9, 7)):
        proc(tmp_path, pid, stat=b"%d (a) S %d 1" % (pid, parent))
    assert [process.pid for process in ancestors(7, ProcFS(str(tmp_path)))] == [8, 9]


def test_the_end_of_a_container(tmp_path: Path) -> None:
    proc(tmp_path, 7, stat=b"7 (a) S 1 1")
    proc(tmp_path, 1, stat=b"1 (helm) S 0 1", cmdline=b"helm\0install\0")
    assert [process.pid for process in ancestors(7, ProcFS(str(tmp_path)))] == [1]


def test_hidden_processes_end_the_walk(tmp_path: Path) -> None:
    proc(tmp_path, 7, stat=b"7 (a) S 5 1")
    assert list(ancestors(7, ProcFS(str(tmp_path)))) == []


def test_the_environment_of_a_process(tmp_path: Path) -> None:
    proc(tmp_path, 7, environ=b"A=1\0nonsense\0B=\0C=a=b\0")
    expected: Mapping[str, str] = {"A": "1", "B": "", "C": "a=b"}
    assert ProcFS(str(tmp_path)).environment(7) == expected
