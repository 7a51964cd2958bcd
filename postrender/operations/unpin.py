"""Pins taken out of every stored revision of a release."""

from __future__ import annotations

from collections.abc import Iterable

from postrender._record import Record
from postrender.helm.storage import StoredObject
from postrender.helm.storage.pins import Unpinned, unpinned
from postrender.models import ReleaseName
from postrender.operations.stored_revisions import NewPayload, Storage, editing, read_payloads, write_payloads


class RevisionPins(Record):
    """One revision, and what it is without its pins: ``None`` where it holds none."""

    stored: StoredObject
    without: Unpinned | None


def find_pins(storage: Storage, release: ReleaseName, driver: str) -> tuple[RevisionPins, ...]:
    """Every revision, ascending, with its pins; nothing is written.

    Raises ClusterError where one cannot be read or edited with proof, UsageError where none is stored.
    """
    return tuple(RevisionPins(each, _without(storage, each)) for each in read_payloads(storage, release, driver))


def _without(storage: Storage, stored: StoredObject) -> Unpinned | None:
    with editing(storage, stored, "remove the resourceVersion from"):
        return unpinned(stored.packed, wrapped=stored.storage.wrapped)


def pinned(found: Iterable[RevisionPins]) -> tuple[RevisionPins, ...]:
    """Those of the revisions that hold a pin."""
    return tuple(each for each in found if each.without is not None)


def carry_out(storage: Storage, found: Iterable[RevisionPins], backup: str) -> None:
    """Write the revisions without their pins, as ``write_payloads`` does."""
    write_payloads(storage, [NewPayload(each.stored, each.without.packed) for each in found if each.without], backup)
