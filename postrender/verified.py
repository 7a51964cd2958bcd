"""What was found of a stored release: a state an object, and all of them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from postrender.drift import Mending
from postrender.identity import ObjectKey, Resource, object_name
from postrender.live import Json, LiveObject, StoredRelease
from postrender.ownership import Ownership
from postrender.record import Record


class State(Enum):
    """How a live object stands to what is stored of it."""

    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    MISSING = "missing"
    FOREIGN = "someone else's"
    DELETING = "being deleted"
    UNKNOWN = "unknown"


class Checked(Record):
    """One object of a release.

    ``desired`` is what is stored as Helm would send it; ``live`` and ``after`` are bodies: what is there, and what the
    server says, tried as a dry run, that would be there after ``mending``. ``confirmed`` is false where it would not
    try. ``pinned`` tells that a resourceVersion is stored, ``why`` is a sentence about anything but drift.
    """

    resource: Resource
    key: ObjectKey
    state: State
    pinned: bool = False
    owner: Ownership | None = None
    found: LiveObject | None = None
    desired: Json = None
    after: Json = None
    mending: Mending | None = None
    confirmed: bool = True
    why: str = ""
    next: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.key)


class Verified(Record):
    """A release and its objects, in the order of its manifest.

    ``revision`` is the one that was compared, ``newest`` the last one stored; ``notes`` are sentences.
    """

    revision: StoredRelease
    newest: StoredRelease
    objects: tuple[Checked, ...]
    notes: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        """How many objects stand so."""
        return sum(each.state is state for each in self.objects)

    @property
    def in_sync(self) -> bool:
        """Whether everything is as stored."""
        return all(each.state is State.IN_SYNC for each in self.objects)


def mendable(objects: Iterable[Checked]) -> tuple[Checked, ...]:
    """What ``mended`` may be called for: this release's own objects and absent ones, where the server agreed."""
    return tuple(each for each in objects if each.mending is not None and each.confirmed)
