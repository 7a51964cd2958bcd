"""The processes above ours: ``/proc`` on Linux, psutil elsewhere. What cannot be read is missing, never an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_PROC = "/proc"
_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    ``exe`` is the path of its program, ``""`` where we may not know it; ``argv`` its command line (not in ``repr``:
    it may hold secrets); ``whole`` whether that is its whole command line; ``ours`` whether the user is the one we
    run as; ``up`` how many steps above the process that was asked about it is.
    """

    pid: int
    up: int
    exe: str
    argv: tuple[str, ...] = field(repr=False)
    whole: bool
    ours: bool


def ancestors(pid: int) -> Iterator[Process]:
    """The parent of ``pid``, its parent, and so on, to the first process or the end of what can be seen."""
    seen = {pid}
    up = 0
    parent = _parent(pid)
    while parent and parent not in seen:
        seen.add(parent)
        up += 1
        process = _read(parent, up)
        if process is None:
            return
        yield process
        parent = _parent(parent)


def environment(pid: int) -> Mapping[str, str] | None:
    """The environment that process was started with; ``None`` where it cannot be read."""
    if sys.platform != "linux":
        return _psutil_environment(pid)
    data = _bytes(pid, "environ")
    if not data:
        return None
    pairs = (entry.partition(b"=") for entry in data.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def folder(pid: int) -> str:
    """The working directory of that process; ``""`` where it cannot be read."""
    if sys.platform != "linux":
        return _psutil_folder(pid)
    return _link(pid, "cwd")


def program(process: Process) -> str:
    """A path that runs the very program of that process, even where its file was replaced or deleted since."""
    return f"{_PROC}/{process.pid}/exe" if sys.platform == "linux" else process.exe


def _parent(pid: int) -> int:
    """The parent's id; 0 where there is none or it cannot be read."""
    if sys.platform != "linux":
        return _psutil_parent(pid)
    # The second field is the name in parentheses, and may itself hold blanks and parentheses.
    fields = _bytes(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0


def _read(pid: int, up: int) -> Process | None:
    if sys.platform != "linux":
        return _psutil_read(pid, up)
    try:
        ours = os.stat(f"{_PROC}/{pid}").st_uid == os.geteuid()
    except OSError:
        return None
    line = _bytes(pid, "cmdline")
    argv = tuple(os.fsdecode(argument) for argument in line[:-1].split(b"\0")) if line else ()
    return Process(pid, up, _link(pid, "exe").removesuffix(_DELETED), argv, line.endswith(b"\0"), ours)


def _bytes(pid: int, name: str) -> bytes:
    try:
        with open(f"{_PROC}/{pid}/{name}", "rb") as handle:
            return handle.read()
    except OSError:
        return b""


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"{_PROC}/{pid}/{name}")
    except OSError:
        return ""


def _psutil_parent(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return 0


def _psutil_read(pid: int, up: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        ours = process.uids().effective == os.geteuid()
    except psutil.Error:
        return None
    exe, argv = "", ()
    try:
        argv = tuple(process.cmdline())
        exe = str(process.exe())
    except psutil.Error:
        pass
    return Process(pid, up, exe, argv, bool(argv), ours)


def _psutil_environment(pid: int) -> Mapping[str, str] | None:
    import psutil

    try:
        return {str(name): str(value) for name, value in psutil.Process(pid).environ().items()}
    except psutil.Error:
        return None


def _psutil_folder(pid: int) -> str:
    import psutil

    try:
        return str(psutil.Process(pid).cwd())
    except psutil.Error:
        return ""
