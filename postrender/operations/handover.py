"""Live objects that go from one release to another: the metadata that is written to them, and what protects them.

An object that changes hands is protected by ``helm.sh/resource-policy: keep`` until it has its new owner: an upgrade or
a rollback that would delete the live object leaves it then (``Update``, pkg/kube/client.go of 3.12.3; ``update``,
pkg/kube/client.go of 3.22.0 and 4.3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from postrender._record import Record
from postrender.cluster.discovery import AccessRule
from postrender.cluster.interface import ClusterReader, ObjectLookup
from postrender.cluster.release_lookup import holders
from postrender.errors import ClusterError
from postrender.helm.ownership import OwnershipMetadata
from postrender.models import (
    KEEP,
    MANAGED_BY,
    RESOURCE_POLICY,
    Found,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
    Unknown,
    object_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

MOVING = "postrender/moving"
"""The annotation of an object that is protected while it changes hands: its ``keep`` is not the user's."""


class Target(ClusterReader, Protocol):
    """A cluster where metadata can be written."""

    def set_metadata(
        self,
        live: LiveObject,
        resource: Resource,
        labels: Mapping[str, str | None],
        annotations: Mapping[str, str | None],
        done: str,
    ) -> LiveObject:
        """Write labels and annotations, guarded by the resourceVersion; raises ClusterError."""

    def can_i(self, rights: Sequence[AccessRule]) -> list[bool | Unknown]:
        """True for each right that the user has."""


class LiveMetadata(Record):
    """What a change of hands writes to an object: the ownership metadata, the policy, and the mark of a protection."""

    ownership: OwnershipMetadata = OwnershipMetadata()
    policy: str | None = None
    moving: str | None = None

    @classmethod
    def of(cls, live: LiveObject) -> LiveMetadata:
        """The metadata of a live object."""
        annotations = live.annotations
        return cls(OwnershipMetadata.of(live), annotations.get(RESOURCE_POLICY), annotations.get(MOVING))

    @property
    def values(self) -> dict[str, str | None]:
        """By the key of the label and of the annotations."""
        return {**self.ownership.values, RESOURCE_POLICY: self.policy, MOVING: self.moving}

    def protected(self, why: str) -> LiveMetadata:
        """The same, kept and marked; as it is if the object is kept anyway."""
        return self if self.policy == KEEP else LiveMetadata(self.ownership, KEEP, why)

    def unprotected(self) -> LiveMetadata:
        """The same without a protection that an interrupted command left."""
        return self if self.moving is None else LiveMetadata(self.ownership)


class Change(Record):
    """One object, and its metadata now and afterwards. ``live`` is ``None`` if it is in stored manifests only."""

    resource: Resource
    key: ObjectKey
    live: LiveObject | None
    before: LiveMetadata
    after: LiveMetadata

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.key)

    @property
    def changes(self) -> bool:
        """Whether anything is to be written to the live object."""
        return self.live is not None and LiveMetadata.of(self.live) != self.after


def held_by_others(target: Target, changes: Sequence[Change], release: ReleaseName, driver: str) -> list[str]:
    """An objection for each live object that another release has in its stored manifest; raises ClusterError."""
    names = {each.key: each.name for each in changes}
    found = [each.live for each in changes if each.live is not None]
    others = holders(target, found, release, driver).found if found else {}
    return [f"{names[key]}: release {other} has it in its stored manifest (PR101)" for key, other in others.items()]


Progress = Callable[[str], None]
"""Called with a line about each write that is done."""


def protect(target: Target, changes: Iterable[Change], why: str, done: Progress) -> list[Change]:
    """Protect each object that is going to change, with the metadata it has ``before``; the objects as they are then.

    Raises ClusterError.
    """
    return [each if not each.changes else _written(target, each, each.before.protected(why), done) for each in changes]


def write_after(target: Target, changes: Iterable[Change], done: Progress) -> None:
    """Write to each object what it is to have afterwards; raises ClusterError."""
    for each in changes:
        if each.changes:
            _written(target, each, each.after, done)


def _written(target: Target, change: Change, wanted: LiveMetadata, done: Progress) -> Change:
    assert change.live is not None
    now = LiveMetadata.of(change.live)
    if now == wanted:
        return change
    ownership = wanted.ownership
    values = {key: value for key, value in wanted.values.items() if value != now.values[key]}
    what = (
        "protected from deletion"
        if wanted.moving
        else "freed of its ownership metadata"
        if ownership.release_name is None
        else f"given ownership metadata for release {ownership.release_namespace}/{ownership.release_name}"
    )
    labels = {key: value for key, value in values.items() if key == MANAGED_BY}
    annotations = {key: value for key, value in values.items() if key != MANAGED_BY}
    live = target.set_metadata(change.live, change.resource, labels, annotations, what)
    done(f"{change.name}: {what}")
    return Change(change.resource, change.key, live, change.before, change.after)


def look_up(target: ClusterReader, places: Sequence[tuple[Resource, ObjectKey]]) -> list[LiveObject | None]:
    """The metadata of each live object, ``None`` for one that does not exist; raises ClusterError if unclear."""
    wanted = [ObjectLookup(resource, key.namespace, key.name, body=False) for resource, key in places]
    found: list[LiveObject | None] = []
    for place, seen in zip(places, target.get_objects(wanted), strict=True):
        if isinstance(seen, Unknown):
            raise ClusterError(f"could not be looked up: {seen.reason}", where=object_name(*place), next=seen.next)
        found.append(seen.live if isinstance(seen, Found) else None)
    return found


def require_rights(target: Target, rights: Iterable[tuple[AccessRule, str]]) -> None:
    """Raise ClusterError that lists the rights which the user lacks; each is given with an object's name.

    A right on all objects of a kind in a namespace is asked for first, and by name where that is missing.
    """
    named: dict[AccessRule, list[str]] = {}
    for rule, name in rights:
        named.setdefault(rule, []).append(name)
    lacking = [rule for rule, answer in zip(named, target.can_i(list(named)), strict=True) if answer is False]
    single = [
        AccessRule(rule.verb, rule.group, rule.plural, rule.namespace, name) for rule in lacking for name in named[rule]
    ]
    denied = {
        (rule.verb, rule.group, rule.plural, rule.namespace): rule
        for rule, answer in zip(single, target.can_i(single) if single else (), strict=True)
        if answer is False
    }
    if not denied:
        return
    texts = [f"{rule}{f' in namespace {rule.namespace}' if rule.namespace else ''}" for rule in denied.values()]
    raise ClusterError(
        f"no right to {', to '.join(texts)}; nothing was written",
        next=tuple(
            target.kubectl(
                f"auth can-i {rule.verb} {rule.plural}{f'.{rule.group}' if rule.group else ''}", rule.namespace
            )
            for rule in denied.values()
        ),
    )


def patch_rights(changes: Iterable[Change]) -> list[tuple[AccessRule, str]]:
    """The rights for writing to the live objects."""
    return [
        (AccessRule("patch", each.resource.gvk.group, each.resource.plural, each.key.namespace), each.key.name)
        for each in changes
        if each.changes
    ]


def metadata_for(release: ReleaseName, before: LiveMetadata) -> LiveMetadata:
    """An object's metadata as an object of the release; its policy stays."""
    return LiveMetadata(OwnershipMetadata.for_release(release), before.policy)
