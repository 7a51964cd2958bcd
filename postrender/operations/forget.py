"""The command ``forget``: the stored revisions of a release deleted, its objects left as they are.

The ownership metadata goes first, then the revisions, the oldest first: as long as one is stored, upgrades and
uninstalls of the release work as before, and the same command finds what is left to do.
"""

from __future__ import annotations

from postrender._record import Record
from postrender.cluster.discovery import AccessRule
from postrender.cluster.interface import LIST, unreadable
from postrender.errors import Refused
from postrender.helm.ownership import OwnershipMetadata
from postrender.helm.storage import Storage, StoredObject, storage
from postrender.models import Json, LiveObject, ReleaseName, Unknown, object_name
from postrender.operations import handover, move
from postrender.operations.handover import Change, LiveMetadata, Progress, look_up
from postrender.operations.move import RecordedObject
from postrender.operations.stored_revisions import copy_of, read_payloads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Target(move.Target, Protocol):
    """A cluster where stored revisions can be deleted and created."""

    def delete(self, stored: StoredObject) -> None:
        """Delete the object of a revision that is still as it was read; raises ClusterError."""

    def create_stored(self, kept: Storage, body: Json, done: str) -> LiveObject:
        """Create the object of a revision; raises ClusterError."""


class ForgetRecord(Record):
    """All that is needed to bring a release back: ``revisions`` are its Secrets or ConfigMaps, ascending."""

    cluster: str
    release: ReleaseName
    driver: str
    objects: tuple[RecordedObject, ...]
    revisions: tuple[Json, ...]


class ForgetPlan(Record):
    """What would be written: the metadata of the objects, and the revisions to be deleted, ascending."""

    release: ReleaseName
    changes: tuple[Change, ...]
    revisions: tuple[StoredObject, ...]


class RestorePlan(Record):
    """What would be written to bring a release back: its revisions, newest first, and the metadata of its objects."""

    release: ReleaseName
    changes: tuple[Change, ...]
    revisions: tuple[Json, ...]
    kept: Storage


def plan_forget(target: Target, release: ReleaseName, driver: str, *, keep_metadata: bool) -> ForgetPlan:
    """What would be written, in order; nothing is.

    Raises Refused if a Helm may be at work on the release, ClusterError if it cannot be read or rights are missing,
    UsageError if nothing is stored of it.
    """
    stored = read_payloads(target, release, driver)
    move.require_settled(target, release, [each.revision for each in stored])
    resources, _ = move.read_revisions(target, release, stored)
    places = [(resource, key) for key, resource in resources.items()]
    changes = []
    for (resource, key), live in zip(
        places, () if keep_metadata else look_up(target, places), strict=not keep_metadata
    ):
        if live is not None and live.owner == release and not live.deleting:
            before = LiveMetadata.of(live).unprotected()
            changes.append(Change(resource, key, live, before, LiveMetadata(OwnershipMetadata(), before.policy)))
    kept = stored[0].storage.resource
    rights = [
        (AccessRule("delete", kept.gvk.group, kept.plural, release.namespace), each.live.key.name) for each in stored
    ]
    handover.require_rights(target, [*rights, *handover.patch_rights(changes)])
    return ForgetPlan(release, tuple(changes), stored)


def record_of(plan: ForgetPlan, cluster: str, driver: str, begun: ForgetRecord | None = None) -> ForgetRecord:
    """The record that brings the release back; what an interrupted command did before the plan is in it too."""
    objects = {
        each.key: RecordedObject(each.resource, each.key, each.live.uid, each.before, each.after)
        for each in plan.changes
        if each.live is not None
    }
    revisions = {each.live.key.name: copy_of(each.live.body) for each in plan.revisions}
    if begun is not None:
        objects |= {each.key: each for each in begun.objects}
        revisions = {each["metadata"]["name"]: each for each in begun.revisions} | revisions
    return ForgetRecord(cluster, plan.release, driver, tuple(objects.values()), tuple(revisions.values()))


def carry_out(target: Target, plan: ForgetPlan, done: Progress) -> None:
    """Write all of it; raises ClusterError."""
    handover.write_after(target, plan.changes, done)
    for each in plan.revisions:
        target.delete(each)
        done(f"revision {each.revision.revision} of release {plan.release}: deleted")


def plan_restore(target: Target, record: ForgetRecord) -> RestorePlan:
    """What would be written to bring the release back; nothing is.

    Raises Refused, with every objection in one message, if it has other revisions by now, or if another release or tool
    has one of its objects; ClusterError if that is not clear.
    """
    release = record.release
    kept = storage(record.driver)
    if isinstance(kept, Unknown):
        raise unreadable(release, target.description, kept)
    stored = target.payloads(release, record.driver)
    if isinstance(stored, Unknown):
        raise unreadable(release, target.description, stored)
    by_name = {each.live.key.name: each for each in stored}
    old = {each["metadata"]["name"]: each for each in record.revisions}
    objections = [
        f"release {release}: its revision {each.revision.revision} is another one by now"
        for name, each in by_name.items()
        if name not in old or each.packed != old[name]["data"]["release"]
    ]
    lives = look_up(target, [(each.resource, each.key) for each in record.objects])
    changes = []
    for each, live in zip(record.objects, lives, strict=True):
        if live is None or live.uid != each.uid:
            continue
        if live.owner not in (None, release):
            objections.append(f"{object_name(each.resource, each.key)}: owned by release {live.owner} (PR101)")
        changes.append(Change(each.resource, each.key, live, each.before, each.before))
    objections += handover.held_by_others(target, changes, release, record.driver)
    if objections:
        raise Refused(
            "\n".join([*dict.fromkeys(objections), "nothing was written"]), next=target.typed(LIST, release.namespace)
        )
    missing = [body for name, body in old.items() if name not in by_name]
    rights = [
        (AccessRule("create", kept.resource.gvk.group, kept.resource.plural, release.namespace), "")
        for _ in missing[:1]
    ]
    handover.require_rights(target, [*rights, *handover.patch_rights(changes)])
    return RestorePlan(release, tuple(changes), tuple(reversed(missing)), kept)


def restore(target: Target, plan: RestorePlan, done: Progress) -> None:
    """Write all of it, the newest revision first, and the metadata last; raises ClusterError."""
    for body in plan.revisions:
        name = body["metadata"]["name"]
        target.create_stored(plan.kept, body, f"created for release {plan.release}")
        done(f"{plan.kept.resource.qualified}/{plan.release.namespace}/{name}: restored")
    handover.write_after(target, plan.changes, done)
