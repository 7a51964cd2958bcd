"""The processes above ours. What cannot be read about one is missing, never an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from postrender.record import Record

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
    """Choose what this platform has: ``/proc`` on Linux, psutil elsewhere."""
    if sys.platform == "linux":
        from postrender.caller.procfs import ProcFS

        return ProcFS()
    from postrender.caller.psutils import Psutil

    return Psutil()


def ancestors(pid: int, processes: Processes) -> Iterator[Process]:
    """Walk from the parent of ``pid`` upwards, to the first process or to where no more can be seen.

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
