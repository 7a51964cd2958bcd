"""What Helm will send, as questions to the API server, and what the answers mean for the plan. Pure.

Whether the server takes a write, only the server knows: admission, immutable fields, and for server-side apply the
fields of other managers. All of it is asked before Helm, or anybody, touches anything. What is new is asked about where
something else is live: a run that ends at it would leave that half done.
"""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.cluster.interface import Accepted, Conflict, Conflicting, NotAsked, Rejected, Trial, TrialAnswer, Verb
from postrender.helm.managed_fields import MANAGER
from postrender.helm.objects import sent, stamped
from postrender.helm.patch import PatchType, apply_merge_patch, differs, patch_type
from postrender.helm.server_side.fieldset import shown, value_at
from postrender.helm.server_side.leftovers import lost
from postrender.helm.simulate import Prediction, Request
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Absent, Json, LiveObject, Severity
from postrender.planner import simulation_findings
from postrender.planner.context import Run, allowed
from postrender.planner.evaluate import comparable
from postrender.planner.facts import Facts, Item
from postrender.planner.fresh_install import ignored
from postrender.planner.policy import Policy
from postrender.planner.rewrite import Rewriting
from postrender.planner.verdict import Action, Finding, Plan, Verdict

_STAMPED = frozenset(
    (
        f".metadata.labels.{MANAGED_BY}",
        f".metadata.annotations.{RELEASE_NAME}",
        f".metadata.annotations.{RELEASE_NAMESPACE}",
    )
)
_VERBS = {PatchType.STRATEGIC: Verb.STRATEGIC, PatchType.MERGE: Verb.MERGE}


def trial_of(run: Run, index: int, rewriting: Rewriting, prediction: Prediction | None) -> Trial | None:
    """What Helm will send for the object of a run that touches what is live.

    ``None`` where it sends nothing, or nothing is known of it, or this very run changes first what the answer rests on.
    """
    item = run.facts.items[index]
    if item.hook or run.release is None or run.facts.invocation.helm is None or run.rests_on_this_run(item):
        return None
    if item.live is None:
        return _creation(run, item, rewriting)
    if run.server_side:
        return Trial(
            Verb.APPLY,
            item.resource,
            item.key,
            target(run, item, rewriting),
            force=run.forces_conflicts,
            first_own=run.makes_past_its_own,
            first_stamped=run.adopts(run.owners[index]),
            strict=True,
            client_side_past=any(_plain(entry) for entry in item.live.managed_fields),
        )
    if prediction is None or prediction.error:
        return None
    if prediction.request is Request.PATCH:
        verb = _VERBS[patch_type(item.ref.gvk, run.helm)]
        stamped_first = run.adopts(run.owners[index])
        follows = index in run.doubles and index != run.doubles[index][0]
        return Trial(verb, item.resource, item.key, prediction.patch, first_stamped=stamped_first, follows=follows)
    if prediction.request is Request.REPLACE:
        body = _at_version(target(run, item, rewriting), item.live)
        # ``replaceResource`` (pkg/kube/client.go) asks for it from 4.0.0 on.
        return Trial(Verb.REPLACE, item.resource, item.key, body, strict=run.helm.major >= 4)
    return None


def _plain(entry: Json) -> bool:
    """True if Helm set these fields by plain writes."""
    writer = (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "")
    return writer == (MANAGER, "Update", "")


def _creation(run: Run, item: Item, rewriting: Rewriting) -> Trial | None:
    """What Helm will send for an object that is not live; ``None`` where that is not certain."""
    if not isinstance(item.observation, Absent):
        return None
    applies = run.server_side and run.behaviour.server_side_creates
    return Trial(
        Verb.APPLY if applies else Verb.CREATE,
        item.resource,
        item.key,
        target(run, item, rewriting),
        force=run.forces_conflicts,
        new=True,
        strict=applies,
    )


def target(run: Run, item: Item, rewriting: Rewriting) -> Json:
    """The object as Helm builds it of what is emitted, stamped."""
    assert run.release is not None
    body = rewriting.emitted(run.facts.desired.document(item.ref))
    return stamped(sent(item.key, body), run.release, run.helm)


def _at_version(body: Json, live: LiveObject) -> Json:
    """A replacement takes the live version where it has none: ``Helper.Replace`` (k8s.io/cli-runtime, pkg/resource)."""
    if body["metadata"].get("resourceVersion"):
        return body
    return {**body, "metadata": {**body["metadata"], "resourceVersion": live.resource_version}}


def again(trial: Trial, answer: TrialAnswer) -> Trial | None:
    """The trial to be asked next, where the answer only told of conflicts that Helm will not meet."""
    if isinstance(answer, Conflicting) and not _met(trial, answer):
        return replace(trial, force=True)
    return None


def server_result(live: LiveObject, patch: Json, answer: TrialAnswer) -> Json:
    """What the server says would be there once ``patch`` was sent; ``None`` where that is not known."""
    if not isinstance(answer, Accepted):
        return None
    sent = apply_merge_patch(live.body, patch)
    return answer.live if differs(comparable(answer.live), comparable(sent)) else sent


def _met(trial: Trial, answer: Conflicting) -> tuple[Conflict, ...]:
    """The conflicts that are left when Helm comes."""
    return tuple(
        conflict
        for conflict in answer.conflicts
        if not (trial.first_own and conflict.by_update and conflict.manager == MANAGER)
        and not (trial.first_stamped and conflict.field in _STAMPED)
    )


def trials(plan: Plan) -> list[Trial]:
    """All that is to be asked, in stream order."""
    return [verdict.trial for verdict in plan.verdicts if verdict.trial is not None]


def answered(plan: Plan, facts: Facts, policy: Policy, answers: Sequence[TrialAnswer]) -> Plan:
    """The plan with what the answers to ``trials`` add: refusals, and what could not be asked as a note."""
    left = iter(answers)
    verdicts = tuple(
        verdict if verdict.trial is None else _apply_result(verdict, item, facts, policy, verdict.trial, next(left))
        for verdict, item in zip(plan.verdicts, facts.items, strict=True)
    )
    unasked = [
        (trial.name, answer)
        for trial, answer in zip(trials(plan), answers, strict=True)
        if isinstance(answer, NotAsked) and answer.reason
    ]
    return replace(plan, verdicts=verdicts, notes=(*plan.notes, *simulation_findings.not_asked(unasked)))


def _apply_result(
    verdict: Verdict, item: Item, facts: Facts, policy: Policy, trial: Trial, answer: TrialAnswer
) -> Verdict:
    prediction = tried(item, trial, answer, verdict.prediction)
    if verdict.apply is not None and prediction is not None and not prediction.error:
        prediction = replace(prediction, live=apply_merge_patch(prediction.live, verdict.apply))
    if isinstance(answer, Accepted) and (gone := _unexpected(item, facts, answer)):
        finding = allowed(simulation_findings.removed([shown(path) for path in gone]), policy)
        verdict = replace(verdict, findings=(*verdict.findings, finding))
    if isinstance(answer, Conflicting):
        finding = simulation_findings.conflicts(_met(trial, answer), verdict.name)
    elif isinstance(answer, Rejected):
        finding = simulation_findings.rejected(answer.message, verdict.name, new=trial.new)
    elif isinstance(answer, Accepted) and answer.left:
        finding = simulation_findings.client_side_fields_stay([shown(path) for path in answer.left])
    elif trial.verb is Verb.APPLY and not trial.new and (gone := _lost(item, trial, prediction)):
        finding = simulation_findings.dropped(gone)
    elif kept := _kept_by_server(verdict, item, facts, trial, answer):
        finding = simulation_findings.dropped(kept)
    else:
        return replace(verdict, prediction=prediction)
    return with_finding(replace(verdict, prediction=prediction), allowed(finding, policy))


def with_finding(verdict: Verdict, finding: Finding) -> Verdict:
    """The verdict with a finding more; refused if that is an error."""
    verdict = replace(verdict, findings=(*verdict.findings, finding))
    if finding.severity is not Severity.ERROR:
        return verdict
    return replace(verdict, actions=(Action.REFUSE,), edits=(), adopt=None, apply=None)


def _kept_by_server(
    verdict: Verdict, item: Item, facts: Facts, trial: Trial, answer: TrialAnswer
) -> tuple[tuple[str, ...], ...]:
    """The paths that the server keeps as they are, though it takes Helm's client-side patch."""
    fresh = facts.fresh.get(verdict.key)
    if fresh is None or trial.verb is Verb.APPLY or not isinstance(answer, Accepted) or verdict.prediction is None:
        return ()
    return ignored(item, facts.desired(item.ref), fresh, verdict.prediction.live, answer.live)


def _unexpected(item: Item, facts: Facts, answer: Accepted) -> list[tuple[str, ...]]:
    """What goes though it was not in the stored manifest: that a field of it left the chart is no surprise."""
    stored = facts.stored_body(item.key)
    return [path for path in answer.removed if value_at(stored, path) is None]


def _lost(item: Item, trial: Trial, prediction: Prediction | None) -> list[tuple[str, ...]]:
    """The chart's fields that will not be there; of built-in kinds the server leaves out what is empty anyhow."""
    if prediction is None or patch_type(item.ref.gvk) is not PatchType.MERGE:
        return []
    return lost(trial.body, prediction.live)


def tried(item: Item, trial: Trial, answer: TrialAnswer, prediction: Prediction | None) -> Prediction | None:
    """The prediction with what the server answered; server-side apply to what is live has none but the server's."""
    if item.live is None:
        if not isinstance(answer, Rejected):
            return prediction
        applied = trial.body if trial.verb is Verb.APPLY else None
        return Prediction(
            Request.CREATE, None, applied, error=f"failed to create resource: {answer.message}", ends=True
        )
    if trial.verb is Verb.APPLY:
        return _applied(item, item.live, trial, answer)
    if prediction is not None and isinstance(answer, Accepted) and not trial.follows:
        # The server's own result, with its defaults; the ownership metadata that is written first is not in it.
        return replace(prediction, live=_owned_as(prediction.live, answer.live) if trial.first_stamped else answer.live)
    if prediction is None or not isinstance(answer, Rejected):
        return prediction
    intro = f'cannot patch "{item.key.name}" with kind {item.ref.gvk.kind}'
    if trial.verb is Verb.REPLACE:
        intro = "failed to replace object"
    return replace(prediction, live=item.live.body, error=f"{intro}: {answer.message}")


def _owned_as(predicted: Json, answered: Json) -> Json:
    """The server's result with the predicted ownership metadata."""
    metadata = dict(answered["metadata"])
    for place, keys in (("labels", (MANAGED_BY,)), ("annotations", (RELEASE_NAME, RELEASE_NAMESPACE))):
        known = predicted["metadata"].get(place) or {}
        owned = {key: known[key] for key in keys if key in known}
        if owned:
            metadata[place] = {**(metadata.get(place) or {}), **owned}
    return {**answered, "metadata": metadata}


def _applied(item: Item, live: LiveObject, trial: Trial, answer: TrialAnswer) -> Prediction | None:
    if isinstance(answer, NotAsked):
        return None
    if isinstance(answer, Accepted):
        return Prediction(Request.APPLY, answer.live, trial.body)
    if isinstance(answer, Rejected):
        return Prediction(Request.APPLY, live.body, trial.body, answer.message)
    return Prediction(Request.APPLY, live.body, trial.body, conflicted(item, len(_met(trial, answer))))


def conflicted(item: Item, count: int) -> str:
    """What Helm says where so many fields are another manager's (``patchResourceServerSide``, pkg/kube/client.go)."""
    gvk = f"{item.ref.gvk.group}/{item.ref.gvk.version}, Kind={item.ref.gvk.kind}"
    where = f"{item.key.namespace}/{item.key.name} {gvk}"
    failed = f"Apply failed with {count} conflict{'s' * (count != 1)}"
    return f"conflict occurred while applying object {where}: {failed}"
