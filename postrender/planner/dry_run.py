"""The requests that Helm will send, as dry runs, and what the server's results mean for the plan. Pure.

Whether the server takes a write, only the server knows: admission, immutable fields, and for server-side apply the
fields of other managers. All of it is asked before Helm, or anybody, touches anything. What is new is asked about where
something else is live: a run that ends at it would leave that half done.
"""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.cluster.interface import (
    Accepted,
    Conflict,
    Conflicts,
    DryRunRequest,
    DryRunResult,
    Rejected,
    Skipped,
    Verb,
)
from postrender.helm.field_set import shown, value_at
from postrender.helm.objects import sent, with_helm_metadata
from postrender.helm.patch import PatchType, apply_merge_patch, differs, patch_type
from postrender.helm.server_side.leftovers import lost
from postrender.helm.simulate import Prediction, Request
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Absent, Json, LiveObject, Severity
from postrender.planner import simulation_findings
from postrender.planner.context import PlannedObject, allowed
from postrender.planner.evaluate import comparable
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.fresh_objects import ignored
from postrender.planner.policy import Policy
from postrender.planner.verdict import Action, Finding, Plan, Verdict

_STAMPED = frozenset(
    (
        f".metadata.labels.{MANAGED_BY}",
        f".metadata.annotations.{RELEASE_NAME}",
        f".metadata.annotations.{RELEASE_NAMESPACE}",
    )
)
_VERBS = {PatchType.STRATEGIC: Verb.STRATEGIC, PatchType.MERGE: Verb.MERGE}


def dry_run_request(planned: PlannedObject) -> DryRunRequest | None:
    """The dry run for what Helm will send for the object.

    ``None`` if Helm sends nothing, if its request is not known, and if this run first changes what the answer depends
    on.
    """
    found = _request(planned)
    return replace(found, field_manager=planned.context.facts.invocation.field_manager) if found else None


def _request(planned: PlannedObject) -> DryRunRequest | None:
    context, item, prediction = planned.context, planned.item, planned.prediction
    if item.hook or context.release is None or context.facts.invocation.helm is None or context.depends_on_stream(item):
        return None
    if item.live is None:
        return _creation(planned)
    if context.server_side:
        return DryRunRequest(
            Verb.APPLY,
            item.resource,
            item.key,
            target(planned),
            force=context.forces_conflicts,
            migrates_field_manager=context.upgrades_field_manager,
            ownership_written_first=planned.adopted,
            strict_validation=True,
            has_client_side_fields=any(
                _plain(entry, context.facts.invocation.field_manager) for entry in item.live.managed_fields
            ),
        )
    if prediction is None or prediction.error:
        return None
    if prediction.request is Request.PATCH:
        verb = _VERBS[patch_type(item.ref.gvk, context.helm)]
        return DryRunRequest(
            verb,
            item.resource,
            item.key,
            prediction.patch,
            ownership_written_first=planned.adopted,
            follows=not planned.first_document,
        )
    if prediction.request is Request.REPLACE:
        body = _at_version(target(planned), item.live)
        # ``replaceResource`` (pkg/kube/client.go) asks for it from 4.0.0 on.
        return DryRunRequest(Verb.REPLACE, item.resource, item.key, body, strict_validation=context.helm.major >= 4)
    return None


def _plain(entry: Json, manager: str) -> bool:
    """True if this field manager, Helm's, set the fields by updates, not by server-side apply."""
    writer = (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "")
    return writer == (manager, "Update", "")


def _creation(planned: PlannedObject) -> DryRunRequest | None:
    """What Helm will send for an object that is not live; ``None`` if it is not certain that it is not."""
    context, item = planned.context, planned.item
    if not isinstance(item.observation, Absent):
        return None
    applies = context.server_side and context.behaviour.server_side_creates
    return DryRunRequest(
        Verb.APPLY if applies else Verb.CREATE,
        item.resource,
        item.key,
        target(planned),
        force=context.forces_conflicts,
        creates=True,
        strict_validation=applies,
    )


def target(planned: PlannedObject) -> Json:
    """The object as Helm builds it from the rewritten document, with the ownership metadata."""
    context, item = planned.context, planned.item
    assert context.release is not None
    body = planned.rewrite.emitted(context.facts.desired.document(item.ref))
    return with_helm_metadata(sent(item.key, body), context.release, context.helm)


def _at_version(body: Json, live: LiveObject) -> Json:
    """The body with the live resourceVersion if it has none: ``Helper.Replace`` (k8s.io/cli-runtime, pkg/resource)."""
    if body["metadata"].get("resourceVersion"):
        return body
    return {**body, "metadata": {**body["metadata"], "resourceVersion": live.resource_version}}


def retry_with_force(request: DryRunRequest, answer: DryRunResult) -> DryRunRequest | None:
    """The request with force, if its answer has only conflicts that Helm itself will not meet; else ``None``."""
    if isinstance(answer, Conflicts) and not _remaining_conflicts(request, answer):
        return replace(request, force=True)
    return None


def server_result(live: LiveObject, patch: Json, answer: DryRunResult) -> Json:
    """The object as the server would store it after ``patch``; ``None`` if the result says nothing of it."""
    if not isinstance(answer, Accepted):
        return None
    sent = apply_merge_patch(live.body, patch)
    return answer.live if differs(comparable(answer.live), comparable(sent)) else sent


def _remaining_conflicts(request: DryRunRequest, answer: Conflicts) -> tuple[Conflict, ...]:
    """The conflicts that Helm itself will meet: those without its own entries and without ownership metadata."""
    return tuple(
        conflict
        for conflict in answer.conflicts
        if not (request.migrates_field_manager and conflict.by_update and conflict.manager == request.field_manager)
        and not (request.ownership_written_first and conflict.field in _STAMPED)
    )


def requests_of(plan: Plan) -> list[DryRunRequest]:
    """The dry runs of the plan, in stream order."""
    return [verdict.dry_run for verdict in plan.verdicts if verdict.dry_run is not None]


def apply_results(plan: Plan, facts: Facts, policy: Policy, answers: Sequence[DryRunResult]) -> Plan:
    """The plan with the results of ``requests_of(plan)``: refusals, warnings, and a note on skipped requests."""
    left = iter(answers)
    verdicts = tuple(
        verdict if verdict.dry_run is None else _apply_result(verdict, item, facts, policy, verdict.dry_run, next(left))
        for verdict, item in zip(plan.verdicts, facts.items, strict=True)
    )
    unasked = [
        (request.name, answer)
        for request, answer in zip(requests_of(plan), answers, strict=True)
        if isinstance(answer, Skipped) and answer.reason
    ]
    return replace(plan, verdicts=verdicts, notes=(*plan.notes, *simulation_findings.not_asked(unasked)))


def _apply_result(
    verdict: Verdict, item: DesiredObject, facts: Facts, policy: Policy, request: DryRunRequest, answer: DryRunResult
) -> Verdict:
    prediction = prediction_after(item, request, answer, verdict.prediction)
    if verdict.apply is not None and prediction is not None and not prediction.error:
        prediction = replace(prediction, live=apply_merge_patch(prediction.live, verdict.apply))
    if isinstance(answer, Accepted) and (gone := _unexpected(item, facts, answer)):
        finding = allowed(simulation_findings.removed([shown(path) for path in gone]), policy)
        verdict = replace(verdict, findings=(*verdict.findings, finding))
    if isinstance(answer, Conflicts) and policy.applied_elsewhere:
        return verdict
    if isinstance(answer, Conflicts):
        conflicts = _remaining_conflicts(request, answer)
        finding = simulation_findings.conflicts(conflicts, verdict.name, facts.invocation)
    elif isinstance(answer, Rejected):
        finding = simulation_findings.rejected(answer.message, verdict.name, creates=request.creates)
    elif isinstance(answer, Accepted) and answer.left:
        finding = simulation_findings.client_side_fields_stay([shown(path) for path in answer.left])
    elif request.verb is Verb.APPLY and not request.creates and (gone := _lost(item, request, prediction)):
        finding = simulation_findings.dropped(gone)
    elif kept := _kept_by_server(verdict, item, facts, request, answer):
        finding = simulation_findings.dropped(kept)
    else:
        return replace(verdict, prediction=prediction)
    return with_finding(replace(verdict, prediction=prediction), allowed(finding, policy))


def with_finding(verdict: Verdict, finding: Finding) -> Verdict:
    """The verdict with one more finding; refused if that is an error."""
    verdict = replace(verdict, findings=(*verdict.findings, finding))
    if finding.severity is not Severity.ERROR:
        return verdict
    return replace(verdict, actions=(Action.REFUSE,), edits=(), adopt=None, apply=None)


def _kept_by_server(
    verdict: Verdict, item: DesiredObject, facts: Facts, request: DryRunRequest, answer: DryRunResult
) -> tuple[tuple[str, ...], ...]:
    """The paths that the server leaves unchanged although it accepts Helm's client-side patch."""
    fresh = facts.fresh.get(verdict.key)
    if fresh is None or request.verb is Verb.APPLY or not isinstance(answer, Accepted) or verdict.prediction is None:
        return ()
    return ignored(item, facts, fresh, verdict.prediction.live, answer.live)


def _unexpected(item: DesiredObject, facts: Facts, answer: Accepted) -> list[tuple[str, ...]]:
    """The removed fields that the stored manifest does not have: removals from the chart are expected."""
    stored = facts.previous_body(item.key)
    return [path for path in answer.removed if value_at(stored, path) is None]


def _lost(item: DesiredObject, request: DryRunRequest, prediction: Prediction | None) -> list[tuple[str, ...]]:
    """The chart's fields that the server drops; none for built-in kinds, of which it drops only empty ones."""
    if prediction is None or patch_type(item.ref.gvk) is not PatchType.MERGE:
        return []
    return lost(request.body, prediction.live)


def prediction_after(
    item: DesiredObject, request: DryRunRequest, answer: DryRunResult, prediction: Prediction | None
) -> Prediction | None:
    """The prediction with the server's result, which for server-side apply to a live object is all of it."""
    if item.live is None:
        if not isinstance(answer, Rejected):
            return prediction
        applied = request.body if request.verb is Verb.APPLY else None
        return Prediction(
            Request.CREATE, None, applied, error=f"failed to create resource: {answer.message}", aborts_run=True
        )
    if request.verb is Verb.APPLY:
        return _applied(item, item.live, request, answer)
    if prediction is not None and isinstance(answer, Accepted) and not request.follows:
        # The server's own result, with its defaults; the ownership metadata that is written first is not in it.
        return replace(
            prediction, live=_owned_as(prediction.live, answer.live) if request.ownership_written_first else answer.live
        )
    if prediction is None or not isinstance(answer, Rejected):
        return prediction
    intro = f'cannot patch "{item.key.name}" with kind {item.ref.gvk.kind}'
    if request.verb is Verb.REPLACE:
        intro = "failed to replace object"
    return replace(prediction, live=item.live.body, error=f"{intro}: {answer.message}")


def _owned_as(predicted: Json, apply_results: Json) -> Json:
    """The server's result with the predicted ownership metadata."""
    metadata = dict(apply_results["metadata"])
    for place, keys in (("labels", (MANAGED_BY,)), ("annotations", (RELEASE_NAME, RELEASE_NAMESPACE))):
        known = predicted["metadata"].get(place) or {}
        owned = {key: known[key] for key in keys if key in known}
        if owned:
            metadata[place] = {**(metadata.get(place) or {}), **owned}
    return {**apply_results, "metadata": metadata}


def _applied(item: DesiredObject, live: LiveObject, request: DryRunRequest, answer: DryRunResult) -> Prediction | None:
    if isinstance(answer, Skipped):
        return None
    if isinstance(answer, Accepted):
        return Prediction(Request.APPLY, answer.live, request.body)
    if isinstance(answer, Rejected):
        return Prediction(Request.APPLY, live.body, request.body, answer.message)
    return Prediction(
        Request.APPLY, live.body, request.body, conflicted(item, len(_remaining_conflicts(request, answer)))
    )


def conflicted(item: DesiredObject, count: int) -> str:
    """Helm's error if ``count`` fields belong to other managers (``patchResourceServerSide``, pkg/kube/client.go)."""
    gvk = f"{item.ref.gvk.group}/{item.ref.gvk.version}, Kind={item.ref.gvk.kind}"
    where = f"{item.key.namespace}/{item.key.name} {gvk}"
    failed = f"Apply failed with {count} conflict{'s' * (count != 1)}"
    return f"conflict occurred while applying object {where}: {failed}"
