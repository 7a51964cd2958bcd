"""A release compared with the cluster, object by object: what differs from what it stores, and its repair.

A failed look-up is not an absent object, and an object of another owner is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from postrender import manifest as manifests
from postrender import redact
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader, ObjectLookup, none_stored, unreadable
from postrender.cluster.offline import Offline
from postrender.cluster.release_lookup import ReleaseLookup
from postrender.errors import ClusterError, ManifestError, PostrenderError, Refused, UsageError
from postrender.helm.drift import (
    Drift,
    RepairMethod,
    RepairRequest,
    drift,
    leftovers,
    sent_by_helm,
    without_volatile_metadata,
)
from postrender.helm.fresh_install import has_null, may_hold_leftovers, with_null_values
from postrender.helm.ownership import Ownership, OwnerStatus, classify
from postrender.helm.patch import PatchError
from postrender.manifest import Manifest, ObjectRef
from postrender.models import (
    Absent,
    Found,
    GroupVersionKind,
    Json,
    LiveObject,
    NotServed,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
    object_name,
)
from postrender.planner.fresh_objects import create_request, fresh_object
from postrender.text import Hint, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class State(Enum):
    """How a live object stands to what is stored of it."""

    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    MISSING = "missing"
    FOREIGN = "someone else's"
    DELETING = "being deleted"
    UNKNOWN = "unknown"


class ObjectStatus(Record):
    """One object of a release.

    ``desired`` is what is stored as Helm would send it; ``live`` and ``after`` are bodies: what is there, and what the
    server says, tried as a dry run, that would be there after ``repair``. ``confirmed`` is false where it would not
    try. ``pinned`` is set if a resourceVersion is stored; ``why`` is a sentence about any state but drift.
    """

    resource: Resource
    key: ObjectKey
    state: State
    pinned: bool = False
    owner: OwnerStatus | None = None
    found: LiveObject | None = None
    desired: Json = None
    after: Json = None
    repair: RepairRequest | None = None
    confirmed: bool = True
    why: str = ""
    next: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.key)


class ReleaseStatus(Record):
    """A release and its objects, in the order of its manifest.

    ``revision`` is the one that was compared, ``newest`` the last one stored; ``notes`` are sentences.
    """

    revision: StoredRelease
    newest: StoredRelease
    objects: tuple[ObjectStatus, ...]
    notes: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        """How many objects stand so."""
        return sum(each.state is state for each in self.objects)

    @property
    def in_sync(self) -> bool:
        """Whether everything is as stored."""
        return all(each.state is State.IN_SYNC for each in self.objects)


def repairable(objects: Iterable[ObjectStatus]) -> tuple[ObjectStatus, ...]:
    """What ``repaired`` may be called for: this release's own objects and absent ones, where the server agreed."""
    return tuple(each for each in objects if each.repair is not None and each.confirmed)


_OURS = (Ownership.OURS, Ownership.OURS_KEPT)


class Target(ClusterReader, Protocol):
    """A cluster, where objects can be repaired too, as Helm's ``field_manager``."""

    @property
    def field_manager(self) -> str:
        """The name under which it writes."""

    def repair_object(
        self, resource: Resource, key: ObjectKey, live: LiveObject | None, request: RepairRequest, *, dry_run: bool
    ) -> LiveObject:
        """Send the request, guarded by the live object's resourceVersion; raises ClusterError."""


def verify(target: Target, release: ReleaseName, driver: str) -> ReleaseStatus:
    """Every object of the release's deployed revision, or of its newest where none is deployed.

    Raises ClusterError where the release or the kinds cannot be read, UsageError where nothing is stored of it.
    """
    revision, newest, notes = _compared(target, release, driver)
    try:
        manifest = manifests.read((revision.manifest or "").encode())
        check = _Check(target, revision, driver)
        objects = check.all(manifest)
    except ManifestError as error:
        raise ManifestError(
            f"its stored manifest cannot be read: {error.cause}",
            where=f"release {release}",
            next=target.typed(f"helm get manifest {release.name}", release.namespace),
        ) from error
    return ReleaseStatus(revision, newest, tuple(objects), (*notes, *check.notes))


def repaired(target: Target, each: ObjectStatus) -> ObjectStatus:
    """The object after it was restored to the stored manifest; raises ClusterError, which says if it was written."""
    assert each.repair is not None
    try:
        now = target.repair_object(each.resource, each.key, each.found, each.repair, dry_run=False)
    except ClusterError as error:
        raise ClusterError(_scrubbed(error.cause, each), where=error.where, next=error.next) from None
    return replace(each, state=State.IN_SYNC, found=now, repair=None)


def require_settled(target: Target, verified: ReleaseStatus) -> None:
    """Raise Refused where a Helm may be at work on the release: it would write to the same objects."""
    last = verified.newest
    if last.status.startswith("pending-"):
        raise Refused(
            f"has a pending operation (revision {last.revision}, {last.status}); another helm process may be running. "
            "Nothing was changed",
            where=f"release {last.release}",
            next=(
                target.typed(f"helm history {last.release.name}", last.release.namespace),
                Hint(
                    target.typed(f"helm rollback {last.release.name}", last.release.namespace),
                    "if no helm process is running",
                ),
            ),
        )


def require_unchanged(target: Target, verified: ReleaseStatus, driver: str) -> None:
    """Raise Refused if another revision is the newest by now: what is to be written is no longer what is stored.

    To be asked right before each write, since a Helm may have begun meanwhile. Raises ClusterError.
    """
    before = verified.newest
    now = target.get_revisions(before.release, manifest=False, driver=driver)
    if isinstance(now, Unknown):
        raise unreadable(before.release, target.description, now)
    if not now or (now[-1].revision, now[-1].status) != (before.revision, before.status):
        newest = f"{now[-1].revision} ({now[-1].status})" if now else "none"
        raise Refused(
            f"its newest revision is {newest} by now, and was {before.revision} ({before.status})",
            where=f"release {before.release}",
            next=target.typed(f"postrender verify {before.release.name} --fix", before.release.namespace),
        )


def _compared(
    target: Target, release: ReleaseName, driver: str
) -> tuple[StoredRelease, StoredRelease, tuple[str, ...]]:
    own = target.get_revisions(release, manifest=True, driver=driver)
    if isinstance(own, Unknown):
        raise unreadable(release, target.description, own)
    if not own:
        raise none_stored(release, target, driver)
    last = own[-1]
    if last.status == "uninstalled":
        raise UsageError(
            "it is uninstalled, and only its history is kept",
            where=f"release {release}",
            next=target.typed("postrender orphans", release.namespace),
        )
    deployed = [revision for revision in own if revision.status == "deployed"]
    if not deployed:
        return last, last, (f"no revision is deployed; revision {last.revision} ({last.status}) is compared",)
    if deployed[-1] == last:
        return last, last, ()
    note = f"revision {last.revision} is {last.status}; revision {deployed[-1].revision}, the deployed one, is compared"
    return deployed[-1], last, (note,)


class _Check:
    """What the objects of one release share."""

    def __init__(self, target: Target, revision: StoredRelease, driver: str) -> None:
        self._target = target
        self._release = revision.release
        self._server_side = revision.apply_method == "ssa"
        self._owners = ReleaseLookup(target, driver)
        self._fresh: dict[ObjectKey, Json] = {}
        self.notes: tuple[str, ...] = ()

    def all(self, manifest: Manifest) -> list[ObjectStatus]:
        refs = [ref for ref in manifest.objects if ref.name]
        kinds = self._target.resolve_kinds({ref.gvk for ref in refs})
        offline = Offline()
        items = []
        for ref in refs:
            answer = kinds[ref.gvk]
            resource = answer if isinstance(answer, Resource) else offline.resource(ref.gvk)
            namespace = (ref.namespace or self._release.namespace) if resource.namespaced else ""
            items.append((ref, resource, ObjectKey(ref.gvk.group_kind, namespace, ref.name), answer))
        asked = [
            ObjectLookup(resource, key.namespace, key.name, body=True)
            for _, resource, key, answer in items
            if isinstance(answer, Resource)
        ]
        observed = iter(self._target.get_objects(asked))
        seen = [(*each, next(observed) if each[3] is each[1] else each[3]) for each in items]
        bodies = [sent_by_helm(ref.gvk, key, manifest.value(ref), self._release) for ref, _, key, *_ in seen]
        self._compare_with_new_objects(
            [
                (resource, key, body, found.live.body)
                for (_, resource, key, _, found), body in zip(seen, bodies, strict=True)
                if isinstance(found, Found)
            ]
        )
        return [
            self._one(ref, resource, key, body, found)
            for (ref, resource, key, _, found), body in zip(seen, bodies, strict=True)
        ]

    def _compare_with_new_objects(self, found: list[tuple[Resource, ObjectKey, Json, Json]]) -> None:
        """Dry-run the creation of each object, which shows the server's defaults."""
        requests = [
            create_request(resource, key, body)
            for resource, key, body, live in found
            if has_null(body) or may_hold_leftovers(live, body, self._target.field_manager)
        ]
        unknown: dict[str, list[str]] = {}
        for request, answer in zip(requests, self._target.dry_run(requests), strict=True):
            fresh = fresh_object(request, answer)
            if isinstance(fresh, str):
                unknown.setdefault(fresh, []).append(request.name)
            else:
                self._fresh[request.about] = fresh
        self.notes = tuple(
            f"fields of older manifests could not be checked in {shorten(names)}: {why}"
            for why, names in unknown.items()
        )

    def _one(
        self, ref: ObjectRef, resource: Resource, key: ObjectKey, desired: Json, seen: Observation | Resource
    ) -> ObjectStatus:
        assert not isinstance(seen, Resource)
        each = ObjectStatus(resource, key, State.UNKNOWN, "metadata.resourceVersion" in ref.server_set, desired=desired)
        if isinstance(seen, Unknown):
            return replace(each, why=seen.reason, next=seen.next)
        if isinstance(seen, NotServed):
            command = self._target.typed(f"postrender unserved {self._release.name}", self._release.namespace)
            return replace(each, state=State.MISSING, why="its API is no longer served", next=(command,))
        if isinstance(seen, Absent):
            return self._tried(
                replace(each, state=State.MISSING), Drift(RepairRequest(RepairMethod.CREATE, desired), desired)
            )
        assert isinstance(seen, Found)
        return self._found(replace(each, found=seen.live), ref.gvk, seen)

    def _found(self, each: ObjectStatus, gvk: GroupVersionKind, seen: Found) -> ObjectStatus:
        owner = seen.live.owner
        exists = False if owner in (None, self._release) else self._owners.owner_exists(seen.live)
        if isinstance(exists, Unknown):
            why = f"its owner is release {owner}, and whether it is installed is unknown: {exists.reason}"
            return replace(each, state=State.FOREIGN, why=why, next=exists.next)
        known = {owner: exists} if owner else {}
        status = classify(seen, self._release, stored=False, live_releases=known)
        each = replace(each, owner=status)
        if status.ownership is Ownership.TERMINATING:
            return replace(each, state=State.DELETING)
        if status.ownership not in _OURS:
            return replace(each, state=State.FOREIGN, why=_described_owner(status), next=self._hand_over(each))
        try:
            fresh = self._fresh.get(each.key)
            desired, found = each.desired, None
            if fresh is not None:
                desired = with_null_values(each.desired, fresh, ())
                found = leftovers(desired, seen.live.body, fresh, self._target.field_manager)
            found = found or drift(gvk, desired, seen.live.body, server_side=self._server_side)
        except PatchError as error:
            return replace(each, why=f"it cannot be compared: {error}")
        if found is None:
            return replace(each, state=State.IN_SYNC, after=seen.live.body)
        return self._tried(replace(each, state=State.DRIFTED), found)

    def _hand_over(self, each: ObjectStatus) -> tuple[str, ...]:
        if each.owner is not None and each.owner.ownership is Ownership.FOREIGN:
            return ("postrender explain PR101",)
        return (
            self._target.typed(f"postrender adopt {self._release.name}", self._release.namespace) + f" {each.name}",
        )

    def _tried(self, each: ObjectStatus, found: Drift) -> ObjectStatus:
        """With the server's own word on what would be there: it knows defaults and how a value is written."""
        live = each.found.body if each.found else None
        try:
            after = self._target.repair_object(each.resource, each.key, each.found, found.repair, dry_run=True).body
        except PostrenderError as error:
            why = f"not confirmed by the server: {_scrubbed(error.cause, each)}"
            return replace(each, after=found.after, repair=found.repair, confirmed=False, why=why)
        if live is not None and without_volatile_metadata(after) == without_volatile_metadata(live):
            return replace(each, state=State.IN_SYNC, after=live)
        return replace(each, after=after, repair=found.repair)


def _scrubbed(text: str, each: ObjectStatus) -> str:
    """What a server says of a Secret, without the values that it may quote."""
    bodies = (each.desired, each.found.body if each.found else None)
    return redact.scrubbed(text, frozenset().union(*(redact.values(body, each.key.group_kind) for body in bodies)))


def _described_owner(owner: OwnerStatus) -> str:
    if owner.ownership is Ownership.FOREIGN:
        return f"it is owned by installed release {owner.release}"
    if owner.ownership is Ownership.ORPHAN:
        return f"it names uninstalled release {owner.release} as its owner"
    return "its ownership metadata does not name this release"
