"""The outcome for every object that Helm will update client-side, each group of lookalikes apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from postrender._record import replace
from postrender.helm.matching import identity
from postrender.helm.objects import Entry, built, stamped
from postrender.helm.ownership import Ownership
from postrender.helm.patch.json_values import sharing
from postrender.helm.simulate import Prediction, Update
from postrender.helm.versions import Matching
from postrender.models import SECRET, Json, LiveObject, ReleaseName
from postrender.planner.context import Run
from postrender.planner.evaluate import simulated
from postrender.planner.facts import Facts, Item
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.rewrite import Group, Member, Outcome, Rewriting
from postrender.planner.search import rewrite


def outcomes(run: Run, release: ReleaseName) -> dict[int, Outcome]:
    """The outcomes by index; a group of which nothing is live has none, since Helm only creates."""
    found: dict[int, Outcome] = {}
    for indices, group in _groups(run, release, live=True):
        found.update(zip(indices, rewrite(group), strict=True))
    return found


def predictions(facts: Facts) -> tuple[Prediction | None, ...]:
    """What becomes of each object where Helm gets the stream as it came in, and finds nobody else's object in the way.

    ``None`` where nothing is predicted: nobody looked, Helm's version or the release is not known, Helm applies
    server-side, a hook.
    """
    found: dict[int, Prediction] = {}
    invocation = facts.invocation
    if invocation.helm is not None and invocation.release is not None:
        run = Run(facts, Policy(), invocation.helm)
        for indices, group in () if run.server_side else _groups(run, invocation.release, live=False):
            found.update(zip(indices, simulated(group, [Rewriting()] * len(indices)), strict=True))
    return tuple(found.get(index) for index in range(len(facts.items)))


def _groups(run: Run, release: ReleaseName, *, live: bool) -> Iterator[tuple[list[int], Group]]:
    """The groups of lookalikes, single objects included, with the indices of their members.

    With ``live``, only those of which something is live: the documents of the others need not be read.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(run.facts.items):
        if not item.hook and item.observation is not None:
            groups.setdefault(identity(Matching.KIND, item.ref.gvk, item.key), []).append(index)
    stored: dict[Hashable, list[Entry]] = {}
    for entry in run.facts.stored:
        stored.setdefault(identity(Matching.KIND, entry.gvk, entry.key), []).append(entry)
    for same, indices in groups.items():
        if live and all(run.facts.items[index].live is None for index in indices):
            continue
        yield indices, _group(run, release, indices, stored.get(same, []))


def _group(run: Run, release: ReleaseName, indices: list[int], stored: list[Entry]) -> Group:
    items = [run.facts.items[index] for index in indices]
    first = run.facts.desired(items[0].ref)
    wanted = [sharing(run.facts.desired(item.ref), first) for item in items]
    held = {(entry.gvk, entry.key) for entry in stored}
    behaviour = run.behaviour
    frame = Update(
        targets=(),
        stored=stored,
        adopted=[
            place for place, item in enumerate(items) if item.live is not None and (item.ref.gvk, item.key) not in held
        ],
        live={
            item.key: sharing(_body(run, release, item.live, run.owners[index]), body)
            for index, item, body in zip(indices, items, wanted, strict=True)
            if item.live is not None
        },
        helm=run.helm,
        matching=behaviour.matching,
        shared=not behaviour.adopts_copies,
        force=run.facts.invocation.force and (run.upgrade or behaviour.force_on_adoption),
        three_way=run.taken_by_helm and not run.upgrade and behaviour.three_way_on_take_ownership,
        status_apart=frozenset(item.ref.gvk for item in items if item.resource.status_apart),
    )
    members = [
        Member(_entry(run, item, body), run.proposed_rewrite(index))
        for index, item, body in zip(indices, items, wanted, strict=True)
    ]
    drift = run.policy.on_drift
    store, apply = drift is OnDrift.STORE, drift is OnDrift.APPLY
    return Group(
        members,
        frame,
        release,
        store=store,
        apply=apply,
        server_results=run.facts.server_results,
        fresh=run.facts.fresh,
        postponed=run.facts.postponed,
    )


def _entry(run: Run, item: Item, body: Json) -> Entry:
    """The chart's object; of a Secret with which keys the document has in ``stringData``."""
    if item.key.group_kind != SECRET:
        return Entry(item.ref.gvk, item.key, body)
    return replace(built(item.ref.gvk, item.key, run.facts.desired.document(item.ref)), body=body)


def _body(run: Run, release: ReleaseName, live: LiveObject, owner: Ownership | None) -> Json:
    """The live body as Helm will find it: stamped where postrender is going to stamp it first."""
    if live.body is None:
        raise ValueError(f"no body was read for {live.key}")
    return stamped(live.body, release) if run.adopts(owner) else live.body
