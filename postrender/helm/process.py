"""The Helm that called, found among the processes above ours, and callers that ignore a post-renderer's exit code.

Linux shows processes in ``/proc`` (proc(5)), other platforms through psutil. What cannot be read about a process is
missing, never an error.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping

from postrender._record import Record
from postrender.helm.command_line import CommandLine, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Process(Record, hidden=("argv",)):
    """One process.

    ``up`` counts steps from the process that was asked about: 1 is its parent. ``exe`` is the path of the program,
    ``""`` where it may not be known; ``argv`` the command line (left out of ``repr``: it may hold secrets), ``whole``
    whether that is all of it. ``ours`` says that it runs as the same user as we do.
    """

    pid: int
    up: int
    exe: str
    argv: tuple[str, ...]
    whole: bool
    ours: bool


class Processes(Protocol):
    """Where facts about processes are read."""

    def parent(self, pid: int) -> int:
        """The parent's id; 0 where there is none or it cannot be read."""

    def read(self, pid: int, up: int) -> Process | None:
        """One process; ``None`` where not even its owner can be read."""

    def environment(self, pid: int) -> Mapping[str, str] | None:
        """The environment that a process was started with; ``None`` where it cannot be read."""

    def folder(self, pid: int) -> str:
        """The working directory of a process; ``""`` where it cannot be read."""

    def program(self, process: Process) -> str:
        """A path that runs the program of that process."""


def here() -> Processes:
    """The reader of processes for this platform: ``/proc`` on Linux, psutil elsewhere.

    The one-file program has no psutil, which is compiled for each platform: nothing can be read then.
    """
    if sys.platform == "linux":
        return ProcFS()
    from importlib.util import find_spec

    return Psutil() if find_spec("psutil") else ProcFS(os.devnull)


def ancestors(pid: int, processes: Processes) -> Iterator[Process]:
    """The ancestors of ``pid``, nearest first, up to the first process or one that cannot be read.

    In a container that is the container's first process.
    """
    seen = {pid}
    parent = processes.parent(pid)
    while parent and parent not in seen:
        seen.add(parent)
        process = processes.read(parent, len(seen) - 1)
        if process is None:
            return
        yield process
        parent = processes.parent(parent)


_NAME = r"helm(?:[-_]?v?\d+(?:\.\d+)*)?(?:[-_](?:linux|darwin|windows)[-_][a-z0-9]+)?(?:\.exe)?"


class Helm(Record):
    """A Helm among our ancestors that runs install, upgrade or template.

    ``named`` says that the program itself is called helm, and not only its command line: no other program is ever run.
    """

    process: Process
    line: CommandLine
    named: bool

    @property
    def origin(self) -> str:
        """``parent helm (pid 123)``."""
        return f"parent helm (pid {self.process.pid})"


def find(pid: int, processes: Processes) -> Helm | None:
    """The nearest ancestor of ``pid`` that is a Helm and renders a chart.

    A Helm that does something else (``helm diff``, which runs another Helm) is passed over. So is a script called
    helm: its program is the shell, and the real Helm that it runs is nearer to us.
    """
    for ancestor in ancestors(pid, processes):
        named = is_helm(ancestor.exe)
        if named or (ancestor.argv and is_helm(ancestor.argv[0])):
            line = parse(ancestor.argv[1:], whole=ancestor.whole)
            if line is not None:
                return Helm(ancestor, line, named)
    return None


_PROVIDERS = ("terraform-provider-helm", "pulumi-resource-kubernetes")


def provider(pid: int, processes: Processes) -> Process | None:
    """The nearest ancestor of ``pid`` that is a provider of Terraform or Pulumi with Helm in it.

    Such a Helm calls itself as its program is called (``getManagedFieldsManager``, pkg/kube/client.go).
    """
    return next(
        (
            each
            for each in ancestors(pid, processes)
            if each.argv and os.path.basename(each.argv[0]).startswith(_PROVIDERS)
        ),
        None,
    )


def is_helm(path: str) -> bool:
    """True if a program is called helm: ``helm``, ``helm3``, ``helm-v3.12.3``, ``helm-linux-amd64``, ``helm.exe``.

    A link called helm does not make it one: what counts is the file it leads to.
    """
    name = os.path.basename(path)
    return name.startswith("helm") and re.fullmatch(_NAME, name) is not None


_DELETED = " (deleted)"


class ProcFS(Record):
    """``Processes`` read from a proc file system."""

    root: str = "/proc"

    def parent(self, pid: int) -> int:
        """The fourth field of ``stat``; the second, the name, may hold blanks and parentheses of its own."""
        fields = self._bytes(pid, "stat").rpartition(b")")[2].split()
        return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0

    def read(self, pid: int, up: int) -> Process | None:
        """One process; every argument on its command line ends with a zero byte, or it is incomplete."""
        try:
            ours = os.stat(f"{self.root}/{pid}").st_uid == os.geteuid()
        except OSError:
            return None
        line = self._bytes(pid, "cmdline")
        whole = line.endswith(b"\0")
        arguments = line.removesuffix(b"\0").split(b"\0") if line else []
        exe = self._link(pid, "exe").removesuffix(_DELETED)
        return Process(pid, up, exe, tuple(map(os.fsdecode, arguments)), whole, ours)

    def environment(self, pid: int) -> Mapping[str, str] | None:
        """What the process was started with; changes it made to its own environment since are not seen."""
        data = self._bytes(pid, "environ")
        if not data:
            return None
        entries = (os.fsdecode(entry).partition("=") for entry in data.split(b"\0"))
        return {name: value for name, equals, value in entries if equals}

    def folder(self, pid: int) -> str:
        """The working directory."""
        return self._link(pid, "cwd")

    def program(self, process: Process) -> str:
        """The link to the very file that runs, which works even where its path was replaced or deleted since."""
        return f"{self.root}/{process.pid}/exe"

    def _bytes(self, pid: int, name: str) -> bytes:
        try:
            with open(f"{self.root}/{pid}/{name}", "rb") as handle:
                return handle.read()
        except OSError:
            return b""

    def _link(self, pid: int, name: str) -> str:
        try:
            return os.readlink(f"{self.root}/{pid}/{name}")
        except OSError:
            return ""


class Psutil(Record):
    """``Processes`` read through psutil, which is imported by each method: Linux does without it."""

    def parent(self, pid: int) -> int:
        """The parent's id; 0 where there is none or it cannot be read."""
        import contextlib

        import psutil

        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).ppid())
        return 0

    def read(self, pid: int, up: int) -> Process | None:
        """One process; the program and the command line are read apart, since either may be refused."""
        import contextlib

        import psutil

        try:
            process = psutil.Process(pid)
            if hasattr(process, "uids"):
                ours = process.uids().effective == os.geteuid()
            else:
                # Windows has no numbers for users, and shows the name of a process's user to an administrator only.
                ours = process.username() == psutil.Process().username()
        except psutil.AccessDenied:
            ours = False
        except psutil.Error:
            return None
        exe = ""
        argv: tuple[str, ...] = ()
        with contextlib.suppress(psutil.Error):
            exe = str(process.exe())
        with contextlib.suppress(psutil.Error):
            argv = tuple(map(str, process.cmdline()))
        return Process(pid, up, exe, argv, bool(argv), ours)

    def environment(self, pid: int) -> Mapping[str, str] | None:
        """What the process was started with."""
        import contextlib

        import psutil

        with contextlib.suppress(psutil.Error):
            return {str(name): str(value) for name, value in psutil.Process(pid).environ().items()}
        return None

    def folder(self, pid: int) -> str:
        """The working directory."""
        import contextlib

        import psutil

        with contextlib.suppress(psutil.Error):
            return str(psutil.Process(pid).cwd())
        return ""

    def program(self, process: Process) -> str:
        """The path it was started from."""
        return process.exe


UNREADABLE = "{ postrender failed, and its caller does not look at exit codes; what it said is on stderr\n"
"""What no YAML reader takes: the brace stays open."""


def ignores_exit_code(pid: int, processes: Processes) -> bool:
    """True if the process runs under Skaffold, which ignores a post-renderer's exit code.

    It reads what comes out and never waits for the end (``runFilter``, cmd/skaffold/app/cmd/filter.go of 2.24.0). An
    empty output then reaches Helm as an empty chart, and ``helm upgrade`` deletes every object of the release.
    """
    for ancestor in ancestors(pid, processes):
        names = (ancestor.exe, *ancestor.argv[:1])
        if any(os.path.basename(name).startswith("skaffold") for name in names):
            return True
        if is_helm(ancestor.exe):
            return False
    return False
