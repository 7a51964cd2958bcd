"""Processes as psutil shows them, for platforms without ``/proc``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

import psutil

from postrender.caller.processes import Process
from postrender.record import Record


class Psutil(Record):
    """``Processes`` read through psutil."""

    def parent(self, pid: int) -> int:
        """The parent's id; 0 where there is none or it cannot be read."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).ppid())
        return 0

    def read(self, pid: int, up: int) -> Process | None:
        """One process; the program and the command line are read apart, since either may be refused."""
        try:
            process = psutil.Process(pid)
            ours = process.uids().effective == os.geteuid()
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
        with contextlib.suppress(psutil.Error):
            return {str(name): str(value) for name, value in psutil.Process(pid).environ().items()}
        return None

    def folder(self, pid: int) -> str:
        """The working directory."""
        with contextlib.suppress(psutil.Error):
            return str(psutil.Process(pid).cwd())
        return ""

    def program(self, process: Process) -> str:
        """The path it was started from."""
        return process.exe
