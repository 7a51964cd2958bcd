"""What the model says is live after a run of Helm alone: all of it, half of it, or what is left once it was undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from postrender._record import replace
from postrender.cluster.interface import ClusterReader, Conflicts, DryRunRequest, DryRunResult, Verb
from postrender.helm.invocation import Invocation
from postrender.helm.objects import ManifestObject, build_object, identity, with_helm_metadata
from postrender.helm.simulate import Prediction, Request, Update, simulate
from postrender.models import KEEP, RESOURCE_POLICY, GroupVersionKind, Json, ObjectKey, StoredRelease
from postrender.operations.filter.dry_runs import run_dry_runs
from postrender.planner.context import PlanContext
from postrender.planner.dry_run import prediction_after
from postrender.planner.evaluate import versioned
from postrender.planner.facts import DesiredObject, Facts, base_revision
from postrender.planner.policy import Policy
from postrender.planner.removals import removals

Id: TypeAlias = tuple[GroupVersionKind, ObjectKey]


@dataclass
class Ending:
    """``live`` is every object that was looked at, ``None`` for one that is not there; ``patches`` the last one sent.

    ``open`` are objects of which nothing is said: Helm makes those of one kind at once, and ends at the first that
    fails. ``untold`` are those whose patch holds what only the server sets.
    """

    live: dict[Id, Json]
    patches: dict[Id, Json] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    open: set[Id] = field(default_factory=set)
    untold: set[Id] = field(default_factory=set)

    def goes_on(self, at: Id, prediction: Prediction) -> bool:
        """Take in what becomes of one object; whether Helm goes on to the next."""
        if prediction.patch:
            self.patches[at] = prediction.patch
        if prediction.request is Request.APPLY and prediction.live is None:
            self.untold.add(at)
        if prediction.aborts_run:
            self.errors = [prediction.error]  # What was collected before is not told.
        elif prediction.error:
            self.errors.append(prediction.error)
        elif prediction.live is not None:
            self.live[at] = prediction.live
        return not prediction.aborts_run


def ending(
    facts: Facts,
    predicted: Sequence[tuple[DesiredObject, Prediction]],
    before: Mapping[Id, Json],
    source: ClusterReader,
) -> Ending:
    """From what the model says of each object of the stream to what is live once Helm has ended."""
    invocation = facts.invocation
    assert invocation.helm is not None
    run = PlanContext(facts, Policy(), invocation.helm)
    items = (*facts.items, *facts.removed)
    end = Ending({id_of(item): before[id_of(item)] for item in items if not item.hook})
    twice = {id_of(planned.item) for planned in run.objects if planned.documents and planned.item.live is None}
    end.untold.update(twice)
    if not run.updates:
        predicted = _made_at_once(run, end, predicted, twice)
    for item, prediction in predicted:
        if not end.goes_on(id_of(item), prediction):
            break
    if not end.errors:
        for verdict in removals(run):
            if verdict.prediction is not None and verdict.prediction.request is Request.DELETE:
                _delete(end, items, (verdict.ref.gvk, verdict.key))
    elif not run.touches_live:
        end.open.update(id_of(item) for item in facts.items)
    if end.errors and invocation.atomic:
        _rolled_back(run, end, source) if run.upgrade else _uninstalled(run, end)
    wanted = {item.live.uid for item in facts.items if item.live}
    # What leaves the chart in one version only is looked at in the other.
    end.open.update(id_of(item) for item in facts.removed if item.live and item.live.uid in wanted)
    return end


def _made_at_once(
    run: PlanContext, end: Ending, predicted: Sequence[tuple[DesiredObject, Prediction]], twice: set[Id]
) -> list[tuple[DesiredObject, Prediction]]:
    """The predictions but for what is there twice, of which either one may come first."""
    end.open.update(twice)
    if twice and not run.server_side:
        end.errors.append("already exists")
    return [(item, prediction) for item, prediction in predicted if id_of(item) not in twice]


def id_of(item: DesiredObject) -> Id:
    """What an object is known by here."""
    return item.ref.gvk, item.key


def _delete(end: Ending, items: Iterable[DesiredObject], at: Id) -> None:
    """The object is gone by whatever version of its kind it is known."""
    uids = {item.live.uid for item in items if item.live and id_of(item) == at}
    for item in items:
        if id_of(item) == at or (item.live and item.live.uid in uids):
            end.live[id_of(item)] = None


def _uninstalled(run: PlanContext, end: Ending) -> None:
    """All that the manifest holds goes, but for what it has any policy for.

    ``failRelease`` (pkg/action/install.go), ``filterManifestsToKeep`` (pkg/action/resource_policy.go).
    """
    for item in run.facts.items:
        if not item.hook and RESOURCE_POLICY not in item.ref.annotations:
            end.live[id_of(item)] = None
            end.open.discard(id_of(item))


def _rolled_back(run: PlanContext, end: Ending, source: ClusterReader) -> None:
    """The last revision that succeeded comes back, by an update from the one that failed.

    ``failRelease`` (pkg/action/upgrade.go), ``performRollback`` (pkg/action/rollback.go).
    """
    before = base_revision(run.facts.invocation, run.facts.revisions)
    assert before is not None
    if before.status == "failed":
        return
    assert run.release is not None
    failed = [
        build_object(item.ref.gvk, item.key, run.facts.desired(item.ref)) for item in run.facts.items if not item.hook
    ]
    targets = [
        ManifestObject(entry.gvk, entry.key, with_helm_metadata(entry.body, run.release))
        for entry in run.facts.previous_objects
    ]
    apply = _applies(run.facts.invocation, before)
    errors = len(end.errors)
    answers = _asked(run, end, targets, source) if apply else {}
    for entry, simulated in zip(targets, simulate(_update(run, end, failed, targets)), strict=True):
        asked = answers.get((entry.gvk, entry.key))
        ends_here = simulated.aborts_run or simulated.request is Request.CREATE
        if not end.goes_on((entry.gvk, entry.key), simulated if ends_here or asked is None else asked):
            return
    if len(end.errors) > errors:
        return
    matching = run.behaviour.matching
    there = {identity(matching, entry.gvk, entry.key) for entry in targets}
    for item in run.facts.items:
        body = end.live.get(id_of(item))
        if item.hook or body is None or identity(matching, item.ref.gvk, item.key) in there:
            continue
        if ((body.get("metadata") or {}).get("annotations") or {}).get(RESOURCE_POLICY) != KEEP:
            _delete(end, (*run.facts.items, *run.facts.removed), id_of(item))


def _applies(invocation: Invocation, before: StoredRelease) -> bool:
    """Whether the rollback applies server-side: ``auto`` as the revision was applied that comes back."""
    assert invocation.helm is not None
    if invocation.helm.major < 4 or invocation.server_side == "false":
        return False
    return invocation.server_side == "true" or before.apply_method == "ssa"


def _update(
    run: PlanContext, end: Ending, failed: Sequence[ManifestObject], targets: Sequence[ManifestObject]
) -> Update:
    by_key: Mapping[ObjectKey, Json] = {key: body for (_, key), body in end.live.items() if body is not None}
    status_apart = {item.ref.gvk for item in (*run.facts.items, *run.facts.removed) if item.resource.status_apart}
    return Update(
        targets=targets,
        stored=failed,
        adopted=(),
        live={key: versioned(body) for key, body in by_key.items()},
        helm=run.helm,
        matching=run.behaviour.matching,
        force=run.facts.invocation.force,
        status_apart=frozenset(status_apart),
    )


def _asked(
    run: PlanContext, end: Ending, targets: Sequence[ManifestObject], source: ClusterReader
) -> dict[Id, Prediction]:
    """What the server says to the older manifests where they meet what was live before the run.

    Whatever the run that fails had applied until then is Helm's own, and goes with what comes back. What it took away
    is nobody's any more, so that no conflict is met there.
    """
    items = {id_of(item): item for item in (*run.facts.items, *run.facts.removed) if item.live is not None}
    asked = [
        (
            items[at],
            DryRunRequest(
                Verb.APPLY,
                items[at].resource,
                at[1],
                entry.body,
                force=run.forces_conflicts,
                migrates_field_manager=True,
            ),
        )
        for entry in targets
        if (at := (entry.gvk, entry.key)) in items
    ]
    answers = run_dry_runs([request for _, request in asked], source)
    gone = [_without_gone(answer, end.live.get(id_of(item))) for (item, _), answer in zip(asked, answers, strict=True)]
    forced = run_dry_runs(
        [replace(request, force=True) for (_, request), left in zip(asked, gone, strict=True) if left is None], source
    )
    again = iter(forced)
    answers = [next(again) if left is None else left for left in gone]
    found = {
        id_of(item): prediction_after(item, request, answer, None)
        for (item, request), answer in zip(asked, answers, strict=True)
    }
    return {at: prediction for at, prediction in found.items() if prediction is not None}


def _without_gone(answer: DryRunResult, live: Json) -> DryRunResult | None:
    """The answer without the conflicts in fields that are not there any more; ``None`` where no conflict is left."""
    if not isinstance(answer, Conflicts):
        return answer
    left = tuple(conflict for conflict in answer.conflicts if _holds(live, conflict.field))
    return replace(answer, conflicts=left) if left else None


def _holds(body: Json, field: str) -> bool:
    """Whether a field such as ``.spec.color`` is there; of what is in a list nothing is told, so that it is."""
    if not field or isinstance(body, list):
        return True
    if not isinstance(body, dict):
        return False
    rests = ((value, field[len(key) + 1 :]) for key, value in body.items() if field.startswith(f".{key}"))
    return any(_holds(value, rest) for value, rest in rests if rest[:1] in ("", ".", "["))
