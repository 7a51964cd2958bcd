"""Commands of several writes that may be interrupted: which record the next call goes on with, and a lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from postrender._record import Record
from postrender.operations import state_files
from postrender.operations.run.journal import cluster_folder, unwritable


class Unfinished(Record):
    """The file that names the record of an interrupted command; it exists while one is under way."""

    path: str

    def record(self) -> str:
        """The record of an interrupted command, ``""`` for none."""
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except OSError:
            return ""

    def begin(self, record: str) -> None:
        """Note the record of a command, before its first write; raises UsageError."""
        try:
            state_files.replace_private(self.path, os.path.abspath(record).encode(errors="surrogateescape"))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def end(self, record: str) -> None:
        """Note that the command with that record came to its end, or was undone."""
        if self.record() == os.path.abspath(record):
            os.unlink(self.path)


@contextmanager
def unfinished(command: str, name: str, cluster: str, environ: Mapping[str, str]) -> Iterator[Unfinished]:
    """What is unfinished of a command in a cluster; ``name`` says which of its calls. Waits for another one's end.

    Raises UsageError if the user's state folder cannot be written.
    """
    folder = os.path.join(state_files.folder(environ), command, cluster_folder(cluster))
    try:
        state_files.make_private(folder)
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Unfinished(os.path.join(folder, f"{name}.unfinished"))
    finally:
        os.close(lock)
