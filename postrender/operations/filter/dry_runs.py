"""Dry runs of what Helm will send to live objects, and the plan with their results."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.cluster.interface import ClusterReader
from postrender.helm.invocation import Action
from postrender.models import Json, ObjectKey
from postrender.planner.facts import Facts, patches_client_side
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.verdict import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import DryRunRequest, DryRunResult


def with_dry_run_results(plan: Plan, facts: Facts, policy: Policy, source: ClusterReader) -> Plan:
    """The plan with the server's objections to what Helm will send, and with the fields that stay live."""
    plan = _with_answers(plan, facts, policy, source)
    if not facts.fresh:
        return plan
    from postrender.planner.leftover_findings import compared_client_side

    return compared_client_side(plan, facts, policy)


def _with_answers(plan: Plan, facts: Facts, policy: Policy, source: ClusterReader) -> Plan:
    if all(verdict.dry_run is None for verdict in plan.verdicts):
        return plan
    from postrender.cluster.interface import Verb  # The model of patches: not for new objects.
    from postrender.planner.dry_run import apply_results, requests_of

    asked = requests_of(plan)
    answers = run_dry_runs(asked, source)
    plan = apply_results(plan, facts, policy, answers)
    if not any(request.verb is Verb.APPLY and not request.creates for request in asked):
        return plan
    from postrender.planner.leftover_findings import (  # Only Helm 4 applies to live objects.
        compared,
        known,
        new_objects,
    )

    pairs = list(zip(asked, answers, strict=True))
    requests = new_objects(pairs)
    fresh = known(requests, source.dry_run(list(requests.values())))
    return compared(plan, facts, policy, pairs, fresh)


def postponed(plan: Plan, facts: Facts, policy: Policy) -> frozenset[ObjectKey]:
    """The objects whose patch by this run the server refuses, though it takes all that the chart wants.

    A patch that leaves behind what left the chart can be one: of a port with another number, but the old name, both are
    there then. With what is live in the stored manifest, the next upgrade removes and adds at once.
    """
    if policy.on_drift is not OnDrift.STORE:
        return frozenset()
    return frozenset(
        verdict.key
        for verdict in plan.verdicts
        if verdict.dry_run is not None
        and verdict.repair_patch is not None
        and verdict.key not in facts.rejected
        and verdict.prediction is not None
        and verdict.prediction.error
    )


def with_server_results(plan: Plan, facts: Facts, source: ClusterReader) -> Facts:
    """The facts with what the server would have of what Helm will not apply; the same where it is not asked.

    A field that the server keeps whatever is sent differs from the chart for ever, and nobody can change it.
    """
    repairs = [verdict for verdict in plan.verdicts if verdict.repair_patch is not None]
    if not repairs:
        return facts
    from postrender.cluster.interface import DryRunRequest, Rejected, Verb
    from postrender.planner.dry_run import server_result

    live = {item.key: item.live for item in facts.items}
    asked = [(verdict, found) for verdict in repairs if (found := live[verdict.key]) is not None]
    answers = source.dry_run(
        [DryRunRequest(Verb.MERGE, each.resource, each.key, each.repair_patch) for each, _ in asked]
    )
    results: dict[ObjectKey, Json] = {}
    rejected: dict[ObjectKey, str] = {}
    for (verdict, before), answer in zip(asked, answers, strict=True):
        body = server_result(before, verdict.repair_patch, answer)
        if body is not None:
            results[verdict.key] = body
        elif isinstance(answer, Rejected):
            rejected[verdict.key] = answer.message
    return replace(facts, server_results=results, rejected=rejected) if results or rejected else facts


def with_fresh_objects(facts: Facts, source: ClusterReader) -> Facts:
    """The facts with what a dry-run create gives for each object of which fields may have left the chart.

    Only for objects that Helm patches client-side: a server-side apply removes by itself what it no longer sets.
    """
    invocation = facts.invocation
    if invocation.action is Action.TEMPLATE or invocation.argocd is not None:
        return facts
    if all(item.live is None for item in facts.items) or not patches_client_side(facts):
        return facts
    from postrender.helm.fresh_install import may_hold_leftovers
    from postrender.planner.fresh_objects import dry_run_create, fresh_object

    requests = {item.key: (item, request) for item in facts.items if (request := dry_run_create(facts, item))}
    if not requests:
        return facts
    fresh: dict[ObjectKey, Json] = {}
    unknown: dict[ObjectKey, str] = {}
    answers = source.dry_run([request for _, request in requests.values()])
    for (key, (item, request)), answer in zip(requests.items(), answers, strict=True):
        found = fresh_object(request, answer)
        if not isinstance(found, str):
            fresh[key] = found
        elif item.live is not None and may_hold_leftovers(
            item.live.body, facts.desired(item.ref), invocation.field_manager
        ):
            unknown[key] = found
    return replace(facts, fresh=fresh, not_compared=unknown)


def run_dry_runs(requests: Sequence[DryRunRequest], source: ClusterReader) -> list[DryRunResult]:
    """The answers in order; where conflicts that Helm will not meet hid the rest, it is asked again without them."""
    from postrender.planner.dry_run import retry_with_force

    answers = source.dry_run(requests)
    more = {
        place: request
        for place, first in enumerate(requests)
        if (request := retry_with_force(first, answers[place])) is not None
    }
    for place, answer in zip(more, source.dry_run(list(more.values())), strict=True):
        answers[place] = answer
    return answers
