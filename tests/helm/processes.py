"""Processes as a test says they are, instead of the real ones."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from postrender._record import replace
from postrender.helm.process import Process


@dataclass(frozen=True)
class Chain:
    """Process 0 with these ancestors, the nearest first; each is told what its parent's, folder and program are.

    ``environments`` lacks a process whose environment cannot be read, ``programs`` one that nobody may run.
    """

    above: tuple[Process, ...]
    programs: Mapping[int, str] = field(default_factory=dict)
    environments: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    working: str = ""

    def parent(self, pid: int) -> int:
        index = [0, *(process.pid for process in self.above)].index(pid)
        return self.above[index].pid if index < len(self.above) else 0

    def read(self, pid: int, up: int) -> Process | None:
        return next((replace(process, up=up) for process in self.above if process.pid == pid), None)

    def environment(self, pid: int) -> Mapping[str, str] | None:
        return self.environments.get(pid)

    def folder(self, pid: int) -> str:
        return self.working if self.read(pid, 1) else ""

    def program(self, process: Process) -> str:
        return self.programs[process.pid]


def chain(*above: tuple[str, str]) -> Chain:
    """Ancestors with these programs and command lines; the nearest is process 100, the next 101."""
    return Chain(
        tuple(
            Process(100 + index, 0, exe, tuple(shlex.split(line)), whole=True, ours=True)
            for index, (exe, line) in enumerate(above)
        )
    )
