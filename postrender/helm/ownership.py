"""The owner of a live object, by the label and the two annotations that Helm checks before it adopts an object.

The check is Helm's (``checkOwnership``, pkg/action/validate.go). Whether the release that they name is still installed
is decided by its stored revisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from postrender._record import Record
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Absent,
    Found,
    LiveObject,
    NotServed,
    Observation,
    ReleaseName,
    StoredRelease,
    Typed,
    Unknown,
    unflagged,
)
from postrender.text import Hint

DRIVERS = ("secret", "configmap")
"""Where a cluster may hold an owner's revisions, whatever driver the caller has: its owner had one of its own."""


class Ownership(Enum):
    """Whose a live object is, seen from one release."""

    ABSENT = "absent"
    OURS = "in this release"
    OURS_KEPT = "kept by this release"
    ORPHAN = "owned by an uninstalled release"
    FOREIGN = "owned by another release"
    UNMANAGED = "without a Helm owner"
    TERMINATING = "being deleted"
    UNKNOWN = "unknown"


class OwnerStatus(Record):
    """Whose a live object is, and the release that it names as its owner, if it names one."""

    ownership: Ownership
    release: ReleaseName | None = None


def release_exists(revisions: Iterable[StoredRelease], typed: Typed = unflagged) -> bool | Unknown:
    """True if a release is installed: some revision is stored that is not a mere record of an uninstall.

    ``helm uninstall --keep-history`` leaves revisions whose newest says ``uninstalled``, and since 3.14 no other that
    says ``deployed`` (``Run``, pkg/action/uninstall.go). One that does so is no proof of either: an older Helm left it,
    or the newest is none of Helm's. ``typed`` adds the flags that reach the cluster to a command.
    """
    ordered = sorted(revisions, key=lambda revision: revision.revision)
    if not ordered or ordered[-1].status != "uninstalled":
        return bool(ordered)
    older = next((each for each in ordered if each.status == "deployed" or each.status.startswith("pending-")), None)
    if older is None:
        return False
    name = older.release
    return Unknown(
        f"its revision {ordered[-1].revision} is uninstalled, and its revision {older.revision} is {older.status}",
        (
            typed(f"helm history {name.name}", name.namespace),
            Hint(
                typed(f"helm uninstall {name.name}", name.namespace),
                "if the release is uninstalled; this deletes its history",
            ),
        ),
    )


def classify(
    observation: Observation, release: ReleaseName | None, *, stored: bool, live_releases: Mapping[ReleaseName, bool]
) -> OwnerStatus:
    """Whose the observed object is, seen from ``release`` (``None``: a release that has no name yet).

    ``stored`` is set if the revision that is upgraded from has the object. ``live_releases`` maps each other
    release that a found object names to whether it is installed. Raises KeyError for one that it lacks: a guess could
    take an object from an installed release.
    """
    if isinstance(observation, (Absent, NotServed)):
        return OwnerStatus(Ownership.ABSENT)
    if isinstance(observation, Unknown):
        return OwnerStatus(Ownership.UNKNOWN)
    found: Found = observation
    live = found.live
    owner = live.owner
    if live.deleting:
        return OwnerStatus(Ownership.TERMINATING, owner)
    other = owner if owner != release else None
    if other is not None and live_releases[other]:
        return OwnerStatus(Ownership.FOREIGN, owner)
    if stored:
        # An upgrade does not ask whose an object is that its stored manifest holds (performUpgrade, upgrade.go).
        return OwnerStatus(Ownership.OURS, owner)
    if owner is None or not live.managed_by_helm:
        return OwnerStatus(Ownership.UNMANAGED, owner)
    return OwnerStatus(Ownership.ORPHAN if other else Ownership.OURS_KEPT, owner)


class OwnershipMetadata(Record):
    """The label and the two annotations by which Helm knows an object's owner; ``None`` for one that is missing."""

    managed_by: str | None = None
    release_name: str | None = None
    release_namespace: str | None = None

    @classmethod
    def of(cls, live: LiveObject) -> OwnershipMetadata:
        """The ownership metadata of a live object."""
        annotations = live.annotations
        return cls(live.labels.get(MANAGED_BY), annotations.get(RELEASE_NAME), annotations.get(RELEASE_NAMESPACE))

    @classmethod
    def for_release(cls, release: ReleaseName) -> OwnershipMetadata:
        """The ownership metadata of an object that the release owns."""
        return cls("Helm", release.name, release.namespace)

    @property
    def values(self) -> dict[str, str | None]:
        """By the key of the label and of the annotations."""
        return {MANAGED_BY: self.managed_by, RELEASE_NAME: self.release_name, RELEASE_NAMESPACE: self.release_namespace}
