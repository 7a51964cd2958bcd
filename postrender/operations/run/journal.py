"""What is kept of a run while it is under way, so that a second call knows of one that was interrupted.

A lock goes with it, which the Helm that is run inherits: it is held as long as either of them runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from postrender._record import Record
from postrender.errors import UsageError
from postrender.models import ReleaseName
from postrender.operations import state_files
from postrender.settings.table import unseen_beside


class RunState(Record):
    """How far a run is: which revision was the newest before it, 0 for none, and for which step a Helm is at work.

    ``command`` is the digest of what was called, ``helm`` is ``""`` between the steps.
    """

    before: int
    command: str
    helm: str = ""


class Journal(Record):
    """The files of one release's runs: ``path`` exists while one is under way. ``lock`` is a file descriptor."""

    path: str
    lock: int

    def plan(self, step: str) -> str:
        """Where the filter leaves the plan of one step, as JSON."""
        return f"{self.path.removesuffix('.json')}.{step}.plan.json"

    def new_plan(self, step: str) -> str:
        """The same place, with no plan of an earlier run in it."""
        path = self.plan(step)
        self._forget(path)
        self._forget(unseen_beside(path))
        return path

    def note(self, noted: RunState) -> None:
        """Write down how far a run is, over what was noted before; raises UsageError."""
        data = {"before": noted.before, "command": noted.command, "helm": noted.helm}
        try:
            state_files.replace_private(self.path, json.dumps(data).encode())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def noted(self, command: str) -> RunState | None:
        """What a run of that command noted which was interrupted; ``None`` where none was."""
        try:
            with open(self.path, "rb") as file:
                data = json.load(file)
            found = RunState(int(data["before"]), data["command"], str(data["helm"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if found.command == command else None

    def end(self) -> None:
        """Note that the run came to an end, whichever."""
        self._forget(self.path)

    def _forget(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return


@contextmanager
def journal(release: ReleaseName, cluster: str, environ: Mapping[str, str]) -> Iterator[tuple[Journal, bool]]:
    """The journal of a release in a cluster, and whether another run is at work on it; raises UsageError.

    Takes the lock if it is free; otherwise ``wait`` waits for it.
    """
    folder = os.path.join(state_files.folder(environ), "runs", cluster_folder(cluster), release.namespace)
    path = os.path.join(folder, f"{release.name}.json")
    try:
        state_files.make_private(folder)
        lock = os.open(os.path.join(folder, f"{release.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield Journal(path, lock), not _locked(lock)
    finally:
        os.close(lock)


def wait(found: Journal) -> None:
    """Wait until the other run, or the Helm that an interrupted one left, has come to an end."""
    fcntl.flock(found.lock, fcntl.LOCK_EX)


def unwritable(path: str, error: OSError) -> UsageError:
    """The error for a state folder that cannot be written."""
    return UsageError(
        f"cannot write its state there: {error.strerror}; set XDG_STATE_HOME to another folder",
        where=path,
        next=f"ls -ld {shlex.quote(_nearest(path))}",
    )


def _nearest(path: str) -> str:
    """The path, or the nearest folder above it that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def cluster_folder(cluster: str) -> str:
    """A folder's name for a cluster: its description may hold any character."""
    import hashlib

    return hashlib.sha256(cluster.encode()).hexdigest()[:16]
