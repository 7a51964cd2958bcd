"""Processes as Linux shows them (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Mapping

from postrender.caller.processes import Process
from postrender.record import Record

_DELETED = " (deleted)"


class ProcFS(Record):
    """``Processes`` read from a proc file system."""

    root: str = "/proc"

    def parent(self, pid: int) -> int:
        """The fourth field of ``stat``; the second, the name, may hold blanks and parentheses of its own."""
        fields = self._bytes(pid, "stat").rpartition(b")")[2].split()
        return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0

    def read(self, pid: int, up: int) -> Process | None:
        """One process; every argument on its command line ends with a zero byte, or it is not whole."""
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
