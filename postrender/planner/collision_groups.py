"""The outcome for every object that Helm will update client-side, each group of lookalikes apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from postrender._record import replace
from postrender.helm.matching import identity
from postrender.helm.objects import ManifestObject, build_object, stamped
from postrender.helm.ownership import Ownership
from postrender.helm.patch.json_values import sharing
from postrender.helm.simulate import Prediction, Update
from postrender.helm.versions import Matching
from postrender.models import SECRET, Json, LiveObject, ReleaseName
from postrender.planner.context import PlanContext
from postrender.planner.evaluate import simulate_group
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.rewrite import CollisionGroup, DocumentRewrite, GroupMember, RewriteOutcome
from postrender.planner.search import solve


def solve_groups(context: PlanContext, release: ReleaseName) -> dict[int, RewriteOutcome]:
    """The outcomes by index; a group of which nothing is live has none, since Helm only creates."""
    found: dict[int, RewriteOutcome] = {}
    for indices, group in _groups(context, release, live=True):
        found.update(zip(indices, solve(group), strict=True))
    return found


def predict_unfiltered(facts: Facts) -> tuple[Prediction | None, ...]:
    """What becomes of each object where Helm gets the stream as it came in, and finds nobody else's object in the way.

    ``None`` where nothing is predicted: nobody looked, Helm's version or the release is not known, Helm applies
    server-side, a hook.
    """
    found: dict[int, Prediction] = {}
    invocation = facts.invocation
    if invocation.helm is not None and invocation.release is not None:
        context = PlanContext(facts, Policy(), invocation.helm)
        for indices, group in () if context.server_side else _groups(context, invocation.release, live=False):
            found.update(zip(indices, simulate_group(group, [DocumentRewrite()] * len(indices)), strict=True))
    return tuple(found.get(index) for index in range(len(facts.items)))


def _groups(context: PlanContext, release: ReleaseName, *, live: bool) -> Iterator[tuple[list[int], CollisionGroup]]:
    """The groups of lookalikes, single objects included, with the indices of their members.

    With ``live``, only those of which something is live: the documents of the others need not be read.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(context.facts.items):
        if not item.hook and item.observation is not None:
            groups.setdefault(identity(Matching.KIND, item.ref.gvk, item.key), []).append(index)
    stored: dict[Hashable, list[ManifestObject]] = {}
    for entry in context.facts.previous_objects:
        stored.setdefault(identity(Matching.KIND, entry.gvk, entry.key), []).append(entry)
    for same, indices in groups.items():
        if live and all(context.facts.items[index].live is None for index in indices):
            continue
        yield indices, _group(context, release, indices, stored.get(same, []))


def _group(
    context: PlanContext, release: ReleaseName, indices: list[int], stored: list[ManifestObject]
) -> CollisionGroup:
    items = [context.facts.items[index] for index in indices]
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
            item.key: sharing(_body(context, release, item.live, context.owners[index]), body)
            for index, item, body in zip(indices, items, wanted, strict=True)
            if item.live is not None
        },
        helm=context.helm,
        matching=behaviour.matching,
        shared=not behaviour.adopts_copies,
        force=context.facts.invocation.force and (context.upgrade or behaviour.force_on_adoption),
        three_way=context.taken_by_helm and not context.upgrade and behaviour.three_way_on_take_ownership,
        status_apart=frozenset(item.ref.gvk for item in items if item.resource.status_apart),
    )
    members = [
        GroupMember(_entry(context, item, body), context.proposed_rewrite(index))
        for index, item, body in zip(indices, items, wanted, strict=True)
    ]
    drift = context.policy.on_drift
    stores_live, apply = drift is OnDrift.STORE, drift is OnDrift.APPLY
    return CollisionGroup(
        members,
        update,
        release,
        stores_live=stores_live,
        apply=apply,
        server_results=context.facts.server_results,
        fresh=context.facts.fresh,
        postponed=context.facts.postponed,
    )


def _entry(context: PlanContext, item: DesiredObject, body: Json) -> ManifestObject:
    """The chart's object; of a Secret with which keys the document has in ``stringData``."""
    if item.key.group_kind != SECRET:
        return ManifestObject(item.ref.gvk, item.key, body)
    return replace(build_object(item.ref.gvk, item.key, context.facts.desired.document(item.ref)), body=body)


def _body(context: PlanContext, release: ReleaseName, live: LiveObject, owner: Ownership | None) -> Json:
    """The live body as Helm will find it: stamped where postrender is going to stamp it first."""
    if live.body is None:
        raise ValueError(f"no body was read for {live.key}")
    return stamped(live.body, release) if context.adopts(owner) else live.body
