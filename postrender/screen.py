"""Where a person reads what a post-renderer says, though Helm keeps its stderr to itself."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable

PATIENCE = 1.0
"""Seconds for a reader that does not read: a pipe nobody empties, a terminal that was stopped."""

_OPEN = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY


def show(
    text: str, pid: int, *, apart: bool = False, ours: int = 2, proc: str = "/proc", terminal: str = "/dev/tty"
) -> bool:
    """Show a text on the stderr of the process ``pid``, else on the terminal; whether anybody could see it.

    The stderr counts where it is a terminal or a pipe: in a plain file Helm's own later writes would go over it. What
    is read through our own stderr ``ours`` is not shown a second time. ``apart`` says that a program may read the
    stdout of that process: a pipe that takes both is left alone then.
    """
    if os.isatty(ours):
        return True
    theirs = f"{proc}/{pid}/fd"
    places = [(f"{theirs}/2", _terminal_or_pipe), (terminal, os.isatty)]
    for place, fits in places[apart and _one_pipe(theirs) :]:
        descriptor = _opened(place, fits)
        if descriptor is None:
            continue
        try:
            return _same(descriptor, ours) or _write(descriptor, text.encode("utf-8", "backslashreplace"))
        finally:
            os.close(descriptor)
    return False


def is_pipe(descriptor: int) -> bool:
    """Whether what is written there goes to another program."""
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _terminal_or_pipe(descriptor: int) -> bool:
    return os.isatty(descriptor) or is_pipe(descriptor)


def _one_pipe(folder: str) -> bool:
    """Whether stdout and stderr are one pipe, as after ``2>&1 |``."""
    try:
        out, err = os.stat(f"{folder}/1"), os.stat(f"{folder}/2")
    except OSError:
        return False
    return stat.S_ISFIFO(out.st_mode) and os.path.samestat(out, err)


def _opened(path: str, fits: Callable[[int], bool]) -> int | None:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None
    if fits(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _same(one: int, other: int) -> bool:
    return os.path.sameopenfile(one, other)


def _write(descriptor: int, data: bytes) -> bool:
    """Write what can be written without waiting for ever: Helm waits for us."""
    deadline = time.monotonic() + PATIENCE
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [descriptor], [], left)[1]:
                return False
        except OSError:
            return False
    return True
