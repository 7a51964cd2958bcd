"""The command ``adopt``: the owners of live objects, the ownership metadata to write, and its undoing.

Fields that other field managers set can be moved to Helm's, so that its next apply decides about them. All or nothing
as far as it can be: where one object is not to be had, none is written. Whose an object is, ``ownership.classify``
alone decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from postrender import manifest as manifests
from postrender._record import Record
from postrender.cluster.interface import ClusterReader, ObjectLookup, unreadable
from postrender.cluster.release_lookup import Holders, ReleaseLookup, holders, require_free, require_gone
from postrender.errors import ClusterError, Refused, UsageError
from postrender.helm.field_set import shown
from postrender.helm.managed_fields import fields_by_manager
from postrender.helm.ownership import Ownership, OwnershipMetadata, OwnerStatus, classify, release_exists
from postrender.helm.server_side.field_managers import taken
from postrender.models import (
    OWN_FIELD_MANAGER,
    Found,
    Json,
    LiveObject,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
    object_name,
)
from postrender.text import Advice

_OURS = (Ownership.OURS, Ownership.OURS_KEPT)
_TAKEN = (Ownership.ORPHAN, Ownership.UNMANAGED)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Target(ClusterReader, Protocol):
    """A cluster, where ownership metadata can be written, and fields given to Helm's ``field_manager``."""

    @property
    def field_manager(self) -> str:
        """Helm's name among the field managers."""

    def set_ownership(
        self, live: LiveObject, resource: Resource, release: ReleaseName, metadata: OwnershipMetadata | None = None
    ) -> LiveObject:
        """Write it, guarded by the live object's resourceVersion; raises ClusterError."""

    def set_managed_fields(
        self, live: LiveObject, resource: Resource, managed_fields: Sequence[Json], *, dry_run: bool
    ) -> LiveObject:
        """Write ``metadata.managedFields``, guarded by the live object's resourceVersion; raises ClusterError."""


class TakenFields(Record):
    """The ``metadata.managedFields`` of one object before and after; ``paths`` are what is moved, by field manager."""

    before: Sequence[Json]
    after: Sequence[Json]
    paths: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Adoption(Record):
    """One object: its owner, and its ownership metadata before and after; both are one where nothing is to do.

    ``fields`` is ``None`` if no field changes its manager. An ``undone`` adoption is written in the other order.
    """

    resource: Resource
    live: LiveObject
    owner: OwnerStatus
    before: OwnershipMetadata
    after: OwnershipMetadata
    fields: TakenFields | None = None
    undone: bool = False

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.live.key)

    @property
    def changes(self) -> bool:
        """Whether anything is to be written."""
        return self.before != self.after or self.fields is not None


class AdoptionPlan(Record):
    """What would be written to each object, and how many other releases were read for who else holds it."""

    adoptions: tuple[Adoption, ...]
    holders: Holders


class AdoptionRecord(Record):
    """One object as a report has it: which one it was by its uid, what was there before, and what was written."""

    resource: Resource
    key: ObjectKey
    uid: str
    before: OwnershipMetadata
    after: OwnershipMetadata
    fields: TakenFields | None = None

    @property
    def name(self) -> str:
        """As ``Adoption.name``."""
        return object_name(self.resource, self.key)


Places = Sequence["tuple[Resource, ObjectKey]"]


def objects_of_release(target: Target, release: ReleaseName, driver: str) -> list[tuple[Resource, ObjectKey]]:
    """The objects in the newest stored manifest of a release, of kinds that are served; raises ClusterError.

    Raises UsageError where nothing is stored of it.
    """
    own = _stored(target, release, driver, manifest=True)
    if not own:
        raise UsageError(
            "no stored revision lists its objects",
            where=f"release {release}",
            next=(
                target.typed("postrender orphans", release.namespace),
                Advice(f"name the objects, such as configmaps/{release.namespace}/settings"),
            ),
        )
    manifest = manifests.read((own[-1].manifest or "").encode())
    refs = [ref for ref in manifest.objects if ref.name]
    kinds = target.resolve_kinds({ref.gvk for ref in refs})
    places = []
    for ref in refs:
        resource = kinds[ref.gvk]
        if isinstance(resource, Unknown):
            raise ClusterError(f"could not be looked up: {resource.reason}", where=str(ref.gvk), next=resource.next)
        if isinstance(resource, Resource):
            namespace = (ref.namespace or release.namespace) if resource.namespaced else ""
            places.append((resource, ObjectKey(ref.gvk.group_kind, namespace, ref.name)))
    return places


def plan_adoption(
    target: Target, release: ReleaseName, driver: str, places: Places, *, absent: bool, managers: Sequence[str] = ()
) -> AdoptionPlan:
    """What would be written to each object, in order; nothing is.

    With ``absent``, an object need not exist. The fields of these ``managers`` are to become Helm's.

    Raises Refused, with every objection in one message, where an object belongs to a release that is alive, is being
    deleted, or is not there; ClusterError where that is not clear.
    """
    seen = target.get_objects(
        [ObjectLookup(resource, key.namespace, key.name, body=bool(managers)) for resource, key in places]
    )
    live_releases = _live_releases(target, release, driver, places, seen)
    found, objections, codes = [], [], set()
    owners = [
        classify(each, release, stored=False, live_releases=live_releases) for each in seen if isinstance(each, Found)
    ]
    live_objects = [each.live for each in seen if isinstance(each, Found)]
    taken = [live for live, owner in zip(live_objects, owners, strict=True) if owner.ownership in _TAKEN]
    held = holders(target, taken, release, driver) if taken else Holders({}, 0)
    for (resource, key), observation in zip(places, seen, strict=True):
        name = object_name(resource, key)
        if isinstance(observation, Unknown):
            raise ClusterError(f"could not be looked up: {observation.reason}", where=name, next=observation.next)
        owner = classify(observation, release, stored=False, live_releases=live_releases)
        if owner.ownership in _TAKEN and key in held.found:
            owner = OwnerStatus(Ownership.FOREIGN, held.found[key])
        why, code = _objection(owner)
        if isinstance(observation, Found) and not why:
            before = OwnershipMetadata.of(observation.live)
            after = before if owner.ownership in _OURS else OwnershipMetadata.for_release(release)
            fields = _taken(observation.live, managers, target.field_manager)
            found.append(Adoption(resource, observation.live, owner, before, after, fields))
        elif code:
            objections.append(f"{name}: {why} ({code})")
            codes.add(code)
        elif not absent:
            objections.append(f"{name}: there is no such object")
    if objections:
        steps = [f"postrender explain {' '.join(sorted(codes))}"] if codes else []
        raise Refused("\n".join([*objections, "nothing was written"]), next=steps)
    return AdoptionPlan(tuple(found), held)


def carry_out(
    target: Target, adoptions: Iterable[Adoption], release: ReleaseName, driver: str, on_written: Callable[[str], None]
) -> None:
    """Write what is to be written, one object after the other; ``on_written`` hears of each.

    Whose the objects are is asked once more: raises Refused for one whose owner is back, ClusterError.
    """
    changes = [each for each in adoptions if each.changes]
    adopted = {each.name: each.live for each in changes if each.owner.ownership in _TAKEN}
    if adopted:
        require_free(target, adopted, release, driver)
    for each in changes:
        if each.fields is not None:
            target.set_managed_fields(each.live, each.resource, each.fields.after, dry_run=True)
    for number, each in enumerate(changes):
        if each.name in adopted and number:
            require_gone(target, each.name, each.live, release, driver)
        live = each.live
        if each.undone:
            live = _with_metadata(target, each, release, live)
        # What is written later has an entry of its own among the managers, which the other order would drop.
        if each.fields is not None:
            live = target.set_managed_fields(live, each.resource, each.fields.after, dry_run=False)
        if not each.undone:
            _with_metadata(target, each, release, live)
        on_written(each.name)


def _with_metadata(target: Target, each: Adoption, release: ReleaseName, live: LiveObject) -> LiveObject:
    return live if each.before == each.after else target.set_ownership(live, each.resource, release, each.after)


def _taken(live: LiveObject, managers: Sequence[str], helm: str) -> TakenFields | None:
    """The fields of these managers as Helm's; ``None`` if none of them set any."""
    if not managers:
        return None
    before = after = managed_fields(live)
    owned = fields_by_manager(live.body)
    for manager in managers:
        after = taken(after, manager, helm)
    paths = {
        manager: tuple(shown(path) for path in owned[manager, ""].leaves())
        for manager in managers
        if (manager, "") in owned
    }
    return None if after == before else TakenFields(before, after, paths)


def managed_fields(live: LiveObject) -> Sequence[Json]:
    """The entries of ``metadata.managedFields`` of an object that was read whole."""
    entries: Sequence[Json] = (live.body.get("metadata") or {}).get("managedFields") or ()
    return entries


def _same_managers(left: Iterable[Json], right: Iterable[Json]) -> bool:
    """True if the entries are the same but for their times, their order, and entries of our own."""
    return _entries(left) == _entries(right)


def _entries(managed: Iterable[Json]) -> list[str]:
    kept = ({name: value for name, value in entry.items() if name != "time"} for entry in managed)
    return sorted(json.dumps(entry, sort_keys=True) for entry in kept if entry.get("manager") != OWN_FIELD_MANAGER)


def undo(target: Target, release: ReleaseName, driver: str, written: Sequence[AdoptionRecord]) -> tuple[Adoption, ...]:
    """What would be written to have everything as it was; nothing is.

    Raises Refused where an object is not the one that was written, has other metadata by now, or is held by the
    release, which has been installed or upgraded since; ClusterError where that is not clear.
    """
    held = _held(target, release, driver)
    seen = target.get_objects(
        [
            ObjectLookup(each.resource, each.key.namespace, each.key.name, body=each.fields is not None)
            for each in written
        ]
    )
    found, objections = [], []
    for each, observation in zip(written, seen, strict=True):
        if isinstance(observation, Unknown):
            raise ClusterError(f"could not be looked up: {observation.reason}", where=each.name, next=observation.next)
        if not isinstance(observation, Found) or observation.live.uid != each.uid:
            objections.append(f"{each.name}: the adopted object no longer exists")
            continue
        if each.key in held:
            objections.append(f"{each.name}: installed release {release} has it in its stored manifest (PR101)")
            continue
        live = observation.live
        metadata = OwnershipMetadata.of(live)
        fields = (
            None if each.fields is None or _same_managers(managed_fields(live), each.fields.before) else each.fields
        )
        if metadata not in (each.before, each.after):
            objections.append(f"{each.name}: its ownership metadata is no longer what was written")
        elif fields is not None and not _same_managers(managed_fields(live), fields.after):
            objections.append(f"{each.name}: its field managers are no longer those that were written")
        elif metadata != each.before or fields is not None:
            back = None if fields is None else TakenFields(fields.after, fields.before)
            owner = OwnerStatus(Ownership.OURS_KEPT, release)
            found.append(Adoption(each.resource, live, owner, metadata, each.before, back, undone=True))
    if objections:
        raise Refused("\n".join([*objections, "nothing was written"]))
    return tuple(found)


def _objection(owner: OwnerStatus) -> tuple[str, str]:
    if owner.ownership is Ownership.FOREIGN:
        return f"owned by installed release {owner.release}; not adopted", "PR101"
    if owner.ownership is Ownership.TERMINATING:
        return "is being deleted", "PR106"
    return ("", "") if owner.ownership in (*_OURS, *_TAKEN) else ("is not there", "")


def _live_releases(
    target: ClusterReader, release: ReleaseName, driver: str, places: Places, seen: Iterable[Observation]
) -> dict[ReleaseName, bool]:
    owners = ReleaseLookup(target, driver)
    live_releases: dict[ReleaseName, bool] = {}
    for (resource, key), observation in zip(places, seen, strict=True):
        owner = observation.live.owner if isinstance(observation, Found) else None
        if not isinstance(observation, Found) or owner is None or owner == release:
            continue
        answer = owners.owner_exists(observation.live)
        if isinstance(answer, Unknown):
            raise ClusterError(
                f"its owner is release {owner}, and whether it is installed is unknown: {answer.reason}",
                where=object_name(resource, key),
                next=answer.next,
            )
        live_releases[owner] = answer or live_releases.get(owner, False)
    return live_releases


def _held(target: Target, release: ReleaseName, driver: str) -> frozenset[ObjectKey]:
    """The objects in the stored manifest of an installed release."""
    exists = release_exists(_stored(target, release, driver, manifest=False), target.typed)
    if isinstance(exists, Unknown):
        raise unreadable(release, target.description, exists)
    if not exists:
        return frozenset()
    return frozenset(key for _, key in objects_of_release(target, release, driver))


def _stored(target: ClusterReader, release: ReleaseName, driver: str, *, manifest: bool) -> tuple[StoredRelease, ...]:
    own = target.get_revisions(release, manifest=manifest, driver=driver)
    if isinstance(own, Unknown):
        raise unreadable(release, target.description, own)
    return own
