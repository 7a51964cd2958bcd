"""New payloads for the stored revisions of a release: read as a whole, kept a copy of, then written one by one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from postrender._record import Record
from postrender.cluster.interface import CommandHints, none_stored, unreadable
from postrender.errors import ClusterError, ManifestError, UsageError
from postrender.helm.storage import StoredObject, Undecodable
from postrender.models import Json, LiveObject, ReleaseName, Unknown
from postrender.operations import state_files
from postrender.text import AGAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_SET_BY_SERVER = ("resourceVersion", "managedFields", "creationTimestamp", "generation", "selfLink")


class Storage(CommandHints, Protocol):
    """Where stored revisions are read and written: a cluster."""

    def payloads(self, name: ReleaseName, driver: str) -> tuple[StoredObject, ...] | Unknown:
        """Every revision with its manifest and the object that holds it, ascending."""

    def replace_payload(self, stored: StoredObject, packed: str) -> LiveObject:
        """Replace the payload of a revision that is still as it was read; raises ClusterError."""


class NewPayload(Record):
    """A stored revision, and the ``data.release`` that it is to get."""

    stored: StoredObject
    packed: str


def read_payloads(storage: Storage, release: ReleaseName, driver: str) -> tuple[StoredObject, ...]:
    """Every revision, ascending.

    Raises ClusterError where one cannot be read, UsageError where none is stored.
    """
    answer = storage.payloads(release, driver)
    if isinstance(answer, Unknown):
        raise unreadable(release, storage.description, answer)
    if not answer:
        raise none_stored(release, storage, driver)
    return answer


@contextmanager
def editing(storage: Storage, stored: StoredObject, what: str) -> Iterator[None]:
    """Raise a ClusterError for a payload that cannot be decoded or edited; ``what`` is what was to be done to it."""
    try:
        yield
    except (Undecodable, ManifestError) as error:
        cause = error.cause if isinstance(error, ManifestError) else str(error)
        revision, key = stored.revision, stored.live.key
        raise ClusterError(
            f"cannot {what} revision {revision.revision}, and nothing was written: {cause}",
            where=f"release {revision.release}",
            next=(
                storage.typed(
                    f"helm get manifest {revision.release.name} --revision {revision.revision}",
                    revision.release.namespace,
                ),
                storage.kubectl(f"get {stored.storage.resource.qualified} {key.name} -o yaml", key.namespace),
            ),
        ) from error


def write_payloads(storage: Storage, payloads: Sequence[NewPayload], backup: str) -> None:
    """Write the old objects to the file ``backup``, then the new payloads, oldest revision first.

    Raises UsageError where the file cannot be written, and nothing was changed then; ClusterError where a revision
    could not be written, which says what was. The same call can be made again.
    """
    back_up([each.stored for each in payloads], backup)
    done: list[str] = []
    for each in payloads:
        try:
            storage.replace_payload(each.stored, each.packed)
        except ClusterError as error:
            before = f"written before it: revision {', '.join(done)}" if done else "nothing was written before it"
            raise ClusterError(
                f"{error.cause}; {before}; the old payloads are in {backup}",
                where=error.where,
                next=state_files.again_with("--backup", backup, error.next),
            ) from error
        done.append(str(each.stored.revision.revision))


def backup_path(release: ReleaseName, environ: Mapping[str, str]) -> str:
    """A new file in the user's state folder for what is going to be replaced; two within a second are two files."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder = os.path.join(state_files.folder(environ), "releases")
    return state_files.unused(os.path.join(folder, f"{release.namespace}-{release.name}-{now}.json"))


def back_up(objects: Iterable[StoredObject], path: str) -> None:
    """Write a copy of the objects that only the user may read, as a list.

    ``kubectl replace -f`` puts them back whatever was written meanwhile, and ``kubectl create -f`` where they are gone.
    Raises UsageError where it cannot be written.
    """
    items = [copy_of(each.live.body) for each in objects]
    copy = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1).encode() + b"\n"
    try:
        state_files.write_private(path, copy)
    except OSError as error:
        raise UsageError(
            f"cannot write the backup, so nothing was changed: {error.strerror or error}",
            where=path,
            next=state_files.again_with("--backup", os.path.basename(path), (AGAIN,)),
        ) from error


def copy_of(body: Json) -> Json:
    """An object as ``kubectl create -f`` and ``kubectl replace -f`` take it: without what the server sets."""
    return {**body, "metadata": {name: value for name, value in body["metadata"].items() if name not in _SET_BY_SERVER}}
