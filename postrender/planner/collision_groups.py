"""The objects that Helm updates client-side, in groups that share Kind, namespace and name."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from postrender._record import replace
from postrender.helm.objects import ManifestObject, build_object, identity, with_helm_metadata
from postrender.helm.patch.json_values import sharing
from postrender.helm.simulate import Update
from postrender.helm.versions import Matching
from postrender.models import SECRET, Json, LiveObject, ReleaseName
from postrender.planner.context import PlanContext, PlannedObject
from postrender.planner.facts import DesiredObject
from postrender.planner.policy import OnDrift
from postrender.planner.rewrite import CollisionGroup, GroupMember, RewriteOutcome
from postrender.planner.search import solve


def solve_groups(context: PlanContext, release: ReleaseName) -> list[PlannedObject]:
    """The objects of the stream with their outcomes; a group that Helm only creates has none."""
    found: dict[int, RewriteOutcome] = {}
    for members, group in groups(context, release, live=True):
        found.update(zip(map(id, members), solve(group), strict=True))
    return [replace(planned, outcome=found.get(id(planned))) for planned in context.objects]


def groups(
    context: PlanContext, release: ReleaseName, *, live: bool
) -> Iterator[tuple[list[PlannedObject], CollisionGroup]]:
    """The objects of the stream grouped by Kind, namespace and name; most groups have one member.

    With ``live``, only groups of which something is live: the documents of the others need not be read.
    """
    by_kind: dict[Hashable, list[PlannedObject]] = {}
    for planned in context.objects:
        item = planned.item
        if not item.hook and item.observation is not None:
            by_kind.setdefault(identity(Matching.KIND, item.ref.gvk, item.key), []).append(planned)
    stored: dict[Hashable, list[ManifestObject]] = {}
    for entry in context.facts.previous_objects:
        stored.setdefault(identity(Matching.KIND, entry.gvk, entry.key), []).append(entry)
    for same, members in by_kind.items():
        if live and all(planned.item.live is None for planned in members):
            continue
        yield members, _group(context, release, members, stored.get(same, []))


def _group(
    context: PlanContext, release: ReleaseName, group: list[PlannedObject], stored: list[ManifestObject]
) -> CollisionGroup:
    items = [planned.item for planned in group]
    first = context.facts.desired(items[0].ref)
    wanted = [sharing(context.facts.desired(item.ref), first) for item in items]
    held = {(entry.gvk, entry.key) for entry in stored}
    behaviour = context.behaviour
    update = Update(
        targets=(),
        stored=stored,
        adopted=[
            place for place, item in enumerate(items) if item.live is not None and (item.ref.gvk, item.key) not in held
        ],
        live={
            planned.item.key: sharing(_body(planned, planned.item.live, release), body)
            for planned, body in zip(group, wanted, strict=True)
            if planned.item.live is not None
        },
        helm=context.helm,
        matching=behaviour.matching,
        shared=not behaviour.adopts_copies,
        force=context.facts.invocation.force and (context.upgrade or behaviour.force_on_adoption),
        three_way=context.taken_by_helm and not context.upgrade and behaviour.three_way_on_take_ownership,
        status_apart=frozenset(item.ref.gvk for item in items if item.resource.status_apart),
    )
    members = [
        GroupMember(_entry(context, planned.item, body), planned.proposed)
        for planned, body in zip(group, wanted, strict=True)
    ]
    drift = context.policy.on_drift
    stores_live, apply = drift is OnDrift.STORE, drift is OnDrift.APPLY
    return CollisionGroup(
        members,
        update,
        release,
        context.facts.invocation.field_manager,
        stores_live=stores_live,
        apply=apply,
        server_results=context.facts.server_results,
        fresh=context.facts.fresh,
        postponed=context.facts.postponed,
    )


def _entry(context: PlanContext, item: DesiredObject, body: Json) -> ManifestObject:
    """The chart's object; for a Secret with the keys that its document has in ``stringData``."""
    if item.key.group_kind != SECRET:
        return ManifestObject(item.ref.gvk, item.key, body)
    return replace(build_object(item.ref.gvk, item.key, context.facts.desired.document(item.ref)), body=body)


def _body(planned: PlannedObject, live: LiveObject, release: ReleaseName) -> Json:
    """The live object as Helm will find it: with the ownership metadata if postrender writes that first."""
    if live.body is None:
        raise ValueError(f"no body was read for {live.key}")
    return with_helm_metadata(live.body, release) if planned.adopted else live.body
