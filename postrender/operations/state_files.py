"""The user's state folder, and files in it that only the user may read."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from postrender.text import AGAIN


def folder(environ: Mapping[str, str]) -> str:
    """``$XDG_STATE_HOME/postrender``, by default ``~/.local/state/postrender``; it may not exist yet.

    A relative ``$XDG_STATE_HOME`` counts as not set (XDG Base Directory Specification 0.8).
    """
    base = environ.get("XDG_STATE_HOME", "")
    state = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "postrender")


def write_private(path: str, data: bytes) -> None:
    """Write a new file that nobody else may read, and see it on the disk; its folder is made where it is missing.

    Raises OSError, also where the file is there already.
    """
    make_private(os.path.dirname(path))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: str, data: bytes) -> None:
    """Write a file that nobody else may read, as a whole, over the one that is there; a link stays one.

    What is no plain file (a pipe, ``/dev/fd/3``) is written to. Raises OSError.
    """
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:
            device.write(data)
        return
    make_private(os.path.dirname(path))
    # No name that was there before: a process that was killed left it, and in a container ours has the same number.
    unfinished = f"{path}.{os.urandom(8).hex()}"
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    finally:
        if os.path.lexists(unfinished):
            os.unlink(unfinished)


def make_private(path: str) -> None:
    """Make a folder, and those above it that are missing, for the user alone.

    ``os.makedirs`` gives its mode to the last folder only, since Python 3.7.
    """
    if path and not os.path.isdir(path):
        make_private(os.path.dirname(path))
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not os.path.isdir(path):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None


def unused(path: str) -> str:
    """The path, or the next one beside it that no file has."""
    import itertools

    stem, ending = os.path.splitext(path)
    names = itertools.chain([path], (f"{stem}-{count}{ending}" for count in itertools.count(2)))
    return next(name for name in names if not os.path.exists(name))


def again_with(flag: str, path: str, steps: Sequence[str]) -> tuple[str, ...]:
    """Hints in which a command that is run again writes another new file than ``path``, which may be there now."""
    import shlex

    return tuple(f"{flag} {shlex.quote(unused(path))}" if step == AGAIN else step for step in steps)
