"""The command ``move``: objects out of one release's stored manifests, and their metadata to another release.

The order of the writes: each object is protected, the stored manifests lose it (newest revision first, so that no
rollback deletes it), and only then it gets the other release's ownership metadata. Until the last write the objects
belong to the old release, so that an installation of the new one is refused, and no upgrade or rollback of the old one
deletes them. Every step can be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from postrender import manifest as manifests
from postrender._record import Record
from postrender.cluster.discovery import AccessRule
from postrender.cluster.interface import unreadable
from postrender.cluster.release_lookup import ReleaseLookup, holders
from postrender.errors import ClusterError, ManifestError, Refused
from postrender.helm.ownership import DRIVERS
from postrender.helm.storage import StoredObject, decode, revisions_to_read
from postrender.helm.storage.payload import Payload
from postrender.manifest import ObjectRef
from postrender.models import (
    GroupKind,
    Json,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
    object_name,
)
from postrender.operations import handover, object_names
from postrender.operations.handover import Change, LiveMetadata, Progress, look_up, metadata_for
from postrender.operations.stored_revisions import NewPayload, editing, read_payloads
from postrender.text import AGAIN, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Target(handover.Target, Protocol):
    """A cluster where metadata and stored revisions can be written."""

    def payloads(self, name: ReleaseName, driver: str) -> tuple[StoredObject, ...] | Unknown:
        """Every revision with its manifest and the object that holds it, ascending."""

    def replace_payload(self, stored: StoredObject, packed: str) -> LiveObject:
        """Replace the payload of a revision that is still as it was read; raises ClusterError."""


class Request(Record):
    """What is to be moved, from which release to which.

    ``objects`` are names and patterns, ``selector`` is a label selector, and ``every`` means all objects of the
    release. With ``newest``, only the revisions that an upgrade and an uninstall start from lose them.
    """

    source: ReleaseName
    goal: ReleaseName
    driver: str
    objects: tuple[str, ...] = ()
    selector: str = ""
    every: bool = False
    newest: bool = False


class RecordedObject(Record):
    """One object as the record of a move has it: which one it was, and what was there before."""

    resource: Resource
    key: ObjectKey
    uid: str
    before: LiveMetadata
    after: LiveMetadata


class RecordedRevision(Record):
    """One revision as it was, the whole Secret or ConfigMap, and the digest of the payload that it got."""

    revision: int
    digest: str
    stored: Json


class MoveRecord(Record):
    """All that is needed to undo a move; ``newest`` is the newest revision of the release that lost the objects."""

    cluster: str
    source: ReleaseName
    goal: ReleaseName
    driver: str
    newest: int
    objects: tuple[RecordedObject, ...]
    revisions: tuple[RecordedRevision, ...]


class MovePlan(Record):
    """What would be written. ``payloads`` are the new ones, newest revision first; ``revisions`` all that are stored.

    ``held`` are the revisions that have each object, ``left`` those that keep some (with ``newest``), ``goal`` the
    stored revisions of the release that gets them, and ``resumed`` the objects of an interrupted move.
    """

    source: ReleaseName
    goal: ReleaseName
    changes: tuple[Change, ...]
    payloads: tuple[NewPayload, ...]
    revisions: tuple[StoredRelease, ...]
    held: Mapping[ObjectKey, tuple[int, ...]]
    left: tuple[int, ...]
    unqualified: tuple[str, ...]
    goal_exists: bool
    resumed: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nothing is to be written."""
        return not self.payloads and not any(each.changes for each in self.changes)


class Revision(Record):
    """One stored revision, its manifest, and the objects in it of kinds that are served."""

    stored: StoredObject
    payload: Payload
    refs: Mapping[ObjectKey, tuple[ObjectRef, ...]]


def plan_move(target: Target, request: Request, begun: MoveRecord | None = None) -> MovePlan:
    """What would be written, in order; nothing is. ``begun`` is an interrupted move between the same releases.

    Raises Refused, with every objection in one message, for an object that belongs to another release, is a hook, or is
    being deleted, and for a release at which a Helm is at work; ClusterError if that is not clear or rights are
    missing; UsageError for names that fit nothing.
    """
    source, goal = request.source, request.goal
    stored = read_payloads(target, source, request.driver)
    require_settled(target, source, [each.revision for each in stored])
    goal_revisions = _goal_revisions(target, goal)
    resources, revisions = read_revisions(target, source, stored)
    places = {key: resources[key] for each in reversed(revisions) for key in each.refs}
    resumed = {each.key: each.resource for each in begun.objects} if begun else {}
    chosen = {**resumed, **_chosen(target, request, {**resumed, **places})}
    lives = look_up(target, [(resource, key) for key, resource in chosen.items()])
    kept = {each.key: each.before for each in begun.objects} if begun else {}
    changes = [
        _change(resource, key, live, goal, kept.get(key))
        for (key, resource), live in zip(chosen.items(), lives, strict=True)
    ]
    _require_movable(target, request, changes, revisions)
    bare = [StoredRelease(source, each.revision.revision, each.revision.status) for each in stored]
    read = {each.revision for each in revisions_to_read(bare)}
    rewritten = [each for each in revisions if not request.newest or each.stored.revision.revision in read]
    payloads = list(_payloads(target, rewritten, chosen))
    held = {key: tuple(each.stored.revision.revision for each in revisions if key in each.refs) for key in chosen}
    plan = MovePlan(
        source,
        goal,
        tuple(changes),
        tuple(reversed(payloads)),
        tuple(each.revision for each in stored),
        held,
        tuple(
            each.stored.revision.revision
            for each in revisions
            if each not in rewritten and any(key in each.refs for key in chosen)
        ),
        tuple(_unqualified(revisions[-1], chosen)) if source.namespace != goal.namespace else (),
        goal_exists=bool(goal_revisions) and goal_revisions[-1].status != "uninstalled",
        resumed=len(resumed),
    )
    handover.require_rights(target, [*_storage_rights(plan.payloads), *handover.patch_rights(plan.changes)])
    return plan


def record_of(plan: MovePlan, cluster: str, driver: str, begun: MoveRecord | None = None) -> MoveRecord:
    """The record that undoes a plan, and what an interrupted move wrote before it."""
    objects = {
        each.key: RecordedObject(each.resource, each.key, each.live.uid, each.before, each.after)
        for each in plan.changes
        if each.live is not None
    }
    revisions = {
        each.stored.revision.revision: RecordedRevision(
            each.stored.revision.revision, digest(each.packed), each.stored.live.body
        )
        for each in plan.payloads
    }
    if begun is not None:
        objects |= {each.key: each for each in begun.objects}
        # The same revision may be written again, after another Helm wrote it: the first copy is what was there.
        old = {each.revision: each.stored for each in begun.revisions}
        revisions = {
            **{each.revision: each for each in begun.revisions},
            **{
                number: RecordedRevision(number, each.digest, old.get(number, each.stored))
                for number, each in revisions.items()
            },
        }
    return MoveRecord(
        cluster,
        plan.source,
        plan.goal,
        driver,
        plan.revisions[-1].revision,
        tuple(objects.values()),
        tuple(revisions[number] for number in sorted(revisions)),
    )


def digest(packed: str) -> str:
    """The digest of a payload, as a record has it."""
    return hashlib.sha256(packed.encode()).hexdigest()


def carry_out(target: Target, plan: MovePlan, driver: str, done: Progress) -> None:
    """Write all of it, in an order in which no moment is a danger for the objects; ``done`` hears of each write.

    Raises ClusterError, also where a Helm worked on the release meanwhile; the same plan can be made again then.
    """
    changes = handover.protect(target, plan.changes, f"{plan.source} to {plan.goal}", done)
    for each in plan.payloads:
        target.replace_payload(each.stored, each.packed)
        done(f"revision {each.stored.revision.revision} of release {plan.source}: rewritten")
    _require_unchanged(target, plan, driver)
    handover.write_after(target, changes, done)


def plan_undo(target: Target, record: MoveRecord) -> MovePlan:
    """What would be written to have everything as it was before a move, a whole one or an interrupted one.

    Raises Refused, with every objection in one message, if the release has other revisions by now, or an object is
    another one, has another owner, or is in the manifest of an installed release; ClusterError if that is not clear.
    """
    source, goal = record.source, record.goal
    stored = read_payloads(target, source, record.driver)
    revisions = [each.revision for each in stored]
    require_settled(target, source, revisions)
    lives = look_up(target, [(each.resource, each.key) for each in record.objects])
    objections, changes = [], []
    if revisions[-1].revision != record.newest:
        objections.append(f"release {source}: its newest revision was {record.newest}, and is {revisions[-1].revision}")
    by_number = {each.revision.revision: each for each in stored}
    payloads = []
    for old in record.revisions:
        current, before = by_number.get(old.revision), old.stored["data"]["release"]
        if current is None or (digest(current.packed) != old.digest and current.packed != before):
            objections.append(f"release {source}: its revision {old.revision} is no longer what was written")
        elif current.packed != before:
            payloads.append(NewPayload(current, before))
    for each, live in zip(record.objects, lives, strict=True):
        name = object_name(each.resource, each.key)
        if live is None or live.uid != each.uid:
            objections.append(f"{name}: the moved object no longer exists")
            continue
        now = LiveMetadata.of(live)
        if now.unprotected().ownership not in (each.before.ownership, each.after.ownership):
            objections.append(f"{name}: its ownership metadata is no longer what was written")
        changes.append(Change(each.resource, each.key, live, each.before, each.before))
    objections += handover.held_by_others(target, changes, source, record.driver)
    if objections:
        raise Refused(
            "\n".join([*objections, "nothing was written"]),
            next=Hint(back(target, source, goal, [each.name for each in changes]), "to move the objects back instead"),
        )
    return MovePlan(goal, source, tuple(changes), tuple(payloads), tuple(revisions), {}, (), (), goal_exists=True)


def undo(target: Target, plan: MovePlan, done: Progress) -> None:
    """Write all of it, the metadata first and oldest revisions before newer ones; raises ClusterError."""
    changes = handover.protect(target, plan.changes, f"{plan.source} to {plan.goal}", done)
    for each in plan.payloads:
        target.replace_payload(each.stored, each.packed)
        done(f"revision {each.stored.revision.revision} of release {plan.goal}: restored")
    handover.write_after(target, changes, done)


def back(target: Target, source: ReleaseName, goal: ReleaseName, names: Sequence[str]) -> str:
    """The command that moves objects from ``goal`` to ``source``."""
    other = f" --to-namespace {source.namespace}" if source.namespace != goal.namespace else ""
    text = f"postrender move {' '.join(names) or 'OBJECT'} --from {goal.name} --to {source.name}{other}"
    return target.typed(text, goal.namespace)


def require_settled(target: Target, release: ReleaseName, revisions: Sequence[StoredRelease]) -> None:
    """Raise Refused if a Helm may be at work on a release."""
    newest = revisions[-1]
    if newest.status.startswith("pending-") or newest.status == "uninstalling":
        raise Refused(
            f"has a pending operation (revision {newest.revision}, {newest.status}); another helm process may "
            "be running. Nothing was changed",
            where=f"release {release}",
            next=target.typed(f"helm history {release.name}", release.namespace),
        )


def _require_unchanged(target: Target, plan: MovePlan, driver: str) -> None:
    answer = target.get_revisions(plan.source, manifest=False, driver=driver)
    if isinstance(answer, Unknown):
        raise unreadable(plan.source, target.description, answer)
    known = {each.revision: each.status for each in plan.revisions}
    newest = plan.revisions[-1].revision
    # A revision that is stored but cannot be decoded is not among those that are known, as Helm skips it.
    if any(each.revision > newest or known.get(each.revision, each.status) != each.status for each in answer):
        raise ClusterError(
            "a Helm worked on it meanwhile, so the objects still belong to it",
            where=f"release {plan.source}",
            next=(AGAIN, target.typed(f"helm history {plan.source.name}", plan.source.namespace)),
        )


def _goal_revisions(target: Target, goal: ReleaseName) -> tuple[StoredRelease, ...]:
    """The revisions of the release that gets the objects, in the driver that has some."""
    for driver in DRIVERS:
        answer = target.get_revisions(goal, manifest=True, driver=driver)
        if isinstance(answer, Unknown):
            raise unreadable(goal, target.description, answer)
        if answer:
            require_settled(target, goal, answer)
            return answer
    return ()


def read_revisions(
    target: Target, release: ReleaseName, stored: Sequence[StoredObject]
) -> tuple[dict[ObjectKey, Resource], list[Revision]]:
    """The objects of every revision, and how each is served; what is not served cannot be live."""
    payloads = []
    for each in stored:
        with editing(target, each, "read"):
            payloads.append(Payload(each.packed, wrapped=each.storage.wrapped))
    gvks = {ref.gvk for payload in payloads for ref in payload.manifest.objects}
    answers = target.resolve_kinds(gvks) if gvks else {}
    resources: dict[ObjectKey, Resource] = {}
    revisions = []
    for each, payload in zip(stored, payloads, strict=True):
        refs: dict[ObjectKey, tuple[ObjectRef, ...]] = {}
        for ref in payload.manifest.objects:
            resource = answers[ref.gvk]
            if isinstance(resource, Unknown):
                raise ClusterError(f"could not be looked up: {resource.reason}", where=str(ref.gvk), next=resource.next)
            if isinstance(resource, Resource) and ref.name:
                key = _key(ref, resource, release.namespace)
                resources[key] = resource
                refs[key] = (*refs.get(key, ()), ref)
        revisions.append(Revision(each, payload, refs))
    return resources, revisions


def _key(ref: ObjectRef, resource: Resource, namespace: str) -> ObjectKey:
    return ObjectKey(ref.gvk.group_kind, (ref.namespace or namespace) if resource.namespaced else "", ref.name)


def _chosen(target: Target, request: Request, places: Mapping[ObjectKey, Resource]) -> dict[ObjectKey, Resource]:
    """The objects that the request names."""
    if request.every:
        return dict(places)
    chosen = object_names.named(target, request.source, request.objects, places)
    if request.selector:
        chosen |= object_names.labelled(target, request.source, request.selector, places)
    return chosen


def _change(
    resource: Resource, key: ObjectKey, live: LiveObject | None, goal: ReleaseName, begun: LiveMetadata | None
) -> Change:
    if live is None:
        return Change(resource, key, None, LiveMetadata(), LiveMetadata())
    now = LiveMetadata.of(live)
    before = begun if begun is not None and now.moving is not None else now.unprotected()
    return Change(resource, key, live, before, metadata_for(goal, before))


def _require_movable(
    target: Target,
    request: Request,
    changes: Sequence[Change],
    revisions: Sequence[Revision],
) -> None:
    source = request.source
    own = {key for each in revisions for key in each.refs}
    hooks = _hooks([each.stored for each in revisions])
    owners = ReleaseLookup(target, request.driver)
    objections, codes = [], set()
    for each in changes:
        why, code = _objection(each, source, request.goal, own, hooks, owners)
        if why:
            objections.append(f"{each.name}: {why}{f' ({code})' if code else ''}")
            codes.add(code)
    found = [each.live for each in changes if each.live is not None]
    besides = [(source, request.driver), *((request.goal, driver) for driver in DRIVERS)]
    others = holders(target, found, request.goal, request.driver, besides).found if found else {}
    names = {each.key: each.name for each in changes}
    for key, other in others.items():
        objections.append(f"{names[key]}: release {other} has it in its stored manifest (PR101)")
        codes.add("PR101")
    if objections:
        steps = [f"postrender explain {' '.join(sorted(codes - {''}))}"] if codes - {""} else []
        raise Refused("\n".join([*objections, "nothing was written"]), next=steps)


def _objection(
    each: Change,
    source: ReleaseName,
    goal: ReleaseName,
    own: set[ObjectKey],
    hooks: set[tuple[GroupKind, str, str]],
    owners: ReleaseLookup,
) -> tuple[str, str]:
    """Why an object cannot be moved, and the code for it; ``("", "")`` if it can."""
    key, live = each.key, each.live
    if (key.group_kind, key.namespace or source.namespace, key.name) in hooks:
        return f"a hook of release {source} has the same name, and would delete it", "PR502"
    if live is None:
        return ("", "") if key in own else ("there is no such object", "")
    if live.deleting:
        return "is being deleted, and will be gone", "PR106"
    owner = live.owner
    if owner in (source, goal) or (owner is None and key in own):
        return "", ""
    if owner is None:
        return f"not in a stored manifest of release {source}, and without a Helm owner", "PR103"
    exists = owners.owner_exists(live)
    if isinstance(exists, Unknown):
        raise ClusterError(
            f"its owner is release {owner}, and whether it is installed is unknown: {exists.reason}",
            where=each.name,
            next=exists.next,
        )
    if exists:
        return f"owned by installed release {owner}", "PR101"
    return ("", "") if key in own else (f"kept by release {owner}, which is gone", "PR102")


def _hooks(stored: Iterable[StoredObject]) -> set[tuple[GroupKind, str, str]]:
    """The hooks of a release, in every revision."""
    found = set()
    for each in stored:
        for hook in decode(each.packed, wrapped=each.storage.wrapped).get("hooks") or ():
            try:
                refs = manifests.read(str(hook.get("manifest") or "").encode()).objects
            except ManifestError:
                continue
            found |= {(ref.gvk.group_kind, ref.namespace or each.revision.release.namespace, ref.name) for ref in refs}
    return found


def _payloads(
    target: Target, revisions: Iterable[Revision], chosen: Mapping[ObjectKey, Resource]
) -> Iterator[NewPayload]:
    for each in revisions:
        refs = [ref for key in chosen for ref in each.refs.get(key, ())]
        if refs:
            with editing(target, each.stored, "rewrite"):
                yield NewPayload(each.stored, each.payload.edited((), refs).packed)


def _unqualified(newest: Revision, chosen: Mapping[ObjectKey, Resource]) -> Iterator[str]:
    """The objects that have their namespace from their release."""
    for key, resource in chosen.items():
        if key.namespace and any(not ref.namespace for ref in newest.refs.get(key, ())):
            yield object_name(resource, key)


def _storage_rights(payloads: Iterable[NewPayload]) -> Iterator[tuple[AccessRule, str]]:
    for each in payloads:
        resource, key = each.stored.storage.resource, each.stored.live.key
        yield AccessRule("update", resource.gvk.group, resource.plural, key.namespace), key.name
