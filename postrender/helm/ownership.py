"""Who owns a live object, by the label and the two annotations that Helm checks before an import.

They decide, as they do for Helm (``checkOwnership``, pkg/action/validate.go); whether the release they name still
exists is looked up in its stored revisions.
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

DRIVERS = ("secret", "configmap")
"""Where a cluster may hold an owner's revisions, whatever driver the caller has: its owner had one of its own."""


class Standing(Enum):
    """The classes of ownership."""

    ABSENT = "absent"
    OURS = "in this release"
    OURS_KEPT = "kept by this release"
    ORPHAN = "kept by a release that is gone"
    FOREIGN = "owned by another release"
    UNMANAGED = "without a Helm owner"
    TERMINATING = "being deleted"
    UNKNOWN = "unknown"


class Ownership(Record):
    """A standing, and the release the live object names where it names one."""

    standing: Standing
    release: ReleaseName | None = None


def release_exists(revisions: Iterable[StoredRelease], typed: Typed = unflagged) -> bool | Unknown:
    """Whether a release still exists: some revision is stored that is not a mere record of an uninstall.

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
            typed(f"helm uninstall {name.name}", name.namespace)
            + "   (if it is uninstalled: this deletes its history)",
        ),
    )


def classify(
    observation: Observation,
    release: ReleaseName | None,
    *,
    stored: bool,
    living: Mapping[ReleaseName, bool],
) -> Ownership:
    """Whose the observed object is, seen from ``release`` (``None``: a release that has no name yet).

    ``stored`` tells whether the release that is upgraded from already holds the object. ``living`` answers for every
    other release that a found object names; raises KeyError for one it has no answer for, since a guess could take an
    object from a living owner.
    """
    if isinstance(observation, (Absent, NotServed)):
        return Ownership(Standing.ABSENT)
    if isinstance(observation, Unknown):
        return Ownership(Standing.UNKNOWN)
    found: Found = observation
    live = found.live
    owner = live.owner
    if live.deleting:
        return Ownership(Standing.TERMINATING, owner)
    other = owner if owner != release else None
    if other is not None and living[other]:
        return Ownership(Standing.FOREIGN, owner)
    if stored:
        # An upgrade does not ask whose an object is that its stored manifest holds (performUpgrade, upgrade.go).
        return Ownership(Standing.OURS, owner)
    if owner is None or not live.managed_by_helm:
        return Ownership(Standing.UNMANAGED, owner)
    return Ownership(Standing.ORPHAN if other else Standing.OURS_KEPT, owner)


class Stamps(Record):
    """The three values as they are on an object; ``None`` where one is not there."""

    managed_by: str | None = None
    release_name: str | None = None
    release_namespace: str | None = None

    @property
    def values(self) -> dict[str, str | None]:
        """By the key of the label and of the annotations."""
        return {
            MANAGED_BY: self.managed_by,
            RELEASE_NAME: self.release_name,
            RELEASE_NAMESPACE: self.release_namespace,
        }


def stamps_of(live: LiveObject) -> Stamps:
    """Those of a live object."""
    annotations = live.annotations
    return Stamps(live.labels.get(MANAGED_BY), annotations.get(RELEASE_NAME), annotations.get(RELEASE_NAMESPACE))


def stamps_for(release: ReleaseName) -> Stamps:
    """Those of an object of a release."""
    return Stamps("Helm", release.name, release.namespace)
