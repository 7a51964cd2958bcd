"""The decision: from facts and policy to one verdict per object."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.helm.invocation import Action as HelmAction
from postrender.helm.invocation import Invocation
from postrender.helm.versions import BEHAVIOUR_CHANGES, HelmVersion, behaviour_of
from postrender.models import SECRET, Json, ObjectKey, Severity, StoredRelease
from postrender.planner import findings
from postrender.planner.context import ADOPTABLE, PlanContext, PlannedObject
from postrender.planner.facts import DesiredObject, Facts, applies_server_side
from postrender.planner.hazards import hazards
from postrender.planner.policy import Policy
from postrender.planner.rewrite import RewriteOutcome, actions_of, edits_of
from postrender.planner.verdict import Action, Finding, Plan, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import DryRunRequest


def decide(facts: Facts, policy: Policy) -> Plan:
    """One verdict for every object of the stream, in its order.

    Where the version of Helm is not known, every version's plan is made: if all of them emit and refuse the same, that
    is the answer, and otherwise the objects they differ on are refused (PR901).
    """
    if facts.invocation.argocd is not None:
        from postrender.planner import argocd  # Nothing that Helm calls needs it.

        return argocd.decide(facts, policy, facts.invocation.argocd)
    if facts.invocation.helm is not None:
        return _decide(facts, policy, facts.invocation.helm)
    if all(item.observation is None for item in facts.items):
        # Nobody looked, so that there is nothing for the versions to differ on.
        return _decide(facts, policy, BEHAVIOUR_CHANGES[-1])
    plans = [_decide(facts, policy, version) for version in BEHAVIOUR_CHANGES]
    return Plan(
        tuple(_agreed(verdicts) for verdicts in zip(*(plan.verdicts for plan in plans), strict=True)),
        _agreed_leaving(plans),
    )


def bodies_wanted(invocation: Invocation, own: tuple[StoredRelease, ...]) -> bool:
    """True if a prediction needs the whole live objects; false if their metadata is enough.

    Helm's client-side update patches whatever it adopts and upgrades; a server-side apply needs no body, and what Argo
    CD will do is not simulated.
    """
    if invocation.argocd is not None:
        return False
    version = invocation.helm
    return version is None or not applies_server_side(invocation, own, behaviour_of(version))


def _agreed(verdicts: tuple[Verdict, ...]) -> Verdict:
    first = verdicts[0]
    if all(
        (other.edits, other.apply, _refusals(other)) == (first.edits, first.apply, _refusals(first))
        for other in verdicts
    ):
        return first
    return replace(
        first,
        actions=(Action.REFUSE,),
        edits=(),
        adopt=None,
        apply=None,
        prediction=None,
        findings=(findings.version_unknown(),),
    )


def _agreed_leaving(plans: Sequence[Plan]) -> tuple[Verdict, ...]:
    """Verdicts on removed objects; refused if the versions of Helm do different things to one."""
    by_key: dict[ObjectKey, list[Verdict]] = {}
    for plan in plans:
        for verdict in plan.removed:
            by_key.setdefault(verdict.key, []).append(verdict)
    # The first finding says what becomes of the object, others what that means for a later run.
    return tuple(
        max(found, key=lambda verdict: len(verdict.findings))
        if len(found) == len(plans) and all(other.findings[0] == found[0].findings[0] for other in found)
        else replace(found[0], actions=(Action.REFUSE,), findings=(findings.version_unknown(),))
        for found in by_key.values()
    )


def _refusals(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR]


def _decide(facts: Facts, policy: Policy, helm: HelmVersion) -> Plan:
    context = PlanContext(facts, policy, helm)
    verdicts = tuple(_verdict(planned) for planned in _solved(context))
    if not facts.removed:
        return Plan(verdicts)
    from postrender.planner.removals import removals  # Few upgrades remove objects.

    return Plan(verdicts, removals(context))


def _solved(context: PlanContext) -> list[PlannedObject]:
    """The objects with what the simulation of Helm finds; without if Helm creates, applies or only renders them."""
    if context.server_side or context.release is None or context.facts.invocation.action is HelmAction.TEMPLATE:
        return context.objects
    if all(item.live is None for item in context.facts.items):
        return context.objects
    # The model of Helm's patches takes longer to import than a stream of new objects takes to filter.
    from postrender.planner.collision_groups import solve_groups

    return solve_groups(context, context.release)


def _verdict(planned: PlannedObject) -> Verdict:
    context, item, rewrite, outcome = planned.context, planned.item, planned.rewrite, planned.outcome
    found = [context.allowed(finding) for finding in _findings(planned)]
    refused = any(finding.severity is Severity.ERROR for finding in found)
    adopt = item.live if not refused and planned.adopted else None
    apply = None if refused else outcome.apply if outcome else _removal_patch(context, item)
    body = context.facts.desired(item.ref) if rewrite.replacement is not None else None
    kept = () if refused else context.facts.kept_of(item.ref).paths
    return Verdict(
        ref=item.ref,
        key=item.key,
        resource=item.resource,
        ownership=planned.owner,
        actions=(Action.REFUSE,) if refused else actions_of(rewrite, adopt, apply, kept),
        findings=tuple(found),
        edits=() if refused else edits_of(item.ref, rewrite, body),
        prediction=planned.prediction,
        adopt=adopt,
        apply=apply,
        repair_patch=outcome.repair_patch if outcome and not _of_others(found) else None,
        dry_run=None if refused or (outcome and apply is not None) else _dry_run_request(planned),
        kept_live=kept,
    )


def _removal_patch(context: PlanContext, item: DesiredObject) -> Json:
    """The patch that removes keys that left ``stringData`` from a live Secret, if Helm applies server-side."""
    if not (context.server_side and item.key.group_kind == SECRET and item.live):
        return None
    from postrender.planner.simulation_findings import (  # As for ``solve_groups``: not for a stream of new objects.
        removal_patch,
        removed_string_data,
    )

    return removal_patch(context, removed_string_data(context, item))


def _string_data_findings(context: PlanContext, item: DesiredObject) -> list[Finding]:
    if not (context.server_side and item.key.group_kind == SECRET and item.live):
        return []
    from postrender.planner.simulation_findings import removed_string_data, string_data_finding

    keys = removed_string_data(context, item)
    return [string_data_finding(context, item, keys)] if keys else []


def _of_others(found: Sequence[Finding]) -> bool:
    """True if an ownership error stops the run, so that no dry run of the object is needed."""
    return any(finding.severity is Severity.ERROR and finding.code.startswith("PR1") for finding in found)


def _dry_run_request(planned: PlannedObject) -> DryRunRequest | None:
    if not planned.context.touches_live:
        return None  # As for ``solve_groups``: a stream of new objects asks nothing, and needs none of what comes now.
    from postrender.planner.dry_run import dry_run_request

    return dry_run_request(planned)


def _findings(planned: PlannedObject) -> list[Finding]:
    context, item, rewrite = planned.context, planned.item, planned.rewrite
    found = [*_ownership_findings(planned), *context.facts.kept_of(item.ref).findings]
    if item is next(iter(context.owned_without_lookup), None):
        found.append(findings.not_looked_up(len(context.owned_without_lookup) - 1, context.facts.invocation))
    if item.live is not None and context.cannot_adopt_server_side:
        found.append(findings.not_applied(context.facts.invocation))
    if context.refuses_names(item):
        found.append(findings.name_and_prefix())
    if planned.collisions:
        found.append(findings.name_collision([other.name for other in planned.collisions]))
    if planned.documents:
        from postrender.planner.hazards import duplicate_findings  # Few streams have any.

        found.extend(duplicate_findings(planned))
    if rewrite.strip:
        found.append(findings.stripped(rewrite.strip))
    if rewrite.empty and rewrite.replacement is None:
        found.append(findings.null_written([("stringData", key) for key in rewrite.empty]))
    if planned.outcome:
        found.extend(_simulation_findings(planned, planned.outcome))
    found.extend(_string_data_findings(context, item))
    return [*found, *hazards(planned)]


def _simulation_findings(planned: PlannedObject, outcome: RewriteOutcome) -> list[Finding]:
    from postrender.planner import simulation_findings  # As for ``solve_groups``: not for a stream of new objects.

    context, item, rewrite = planned.context, planned.item, planned.rewrite
    found = simulation_findings.of_outcome(outcome, context.policy, context.helm, upgrade=context.upgrade)
    reason = context.facts.not_compared.get(item.key)
    if reason:
        found.append(simulation_findings.not_compared(reason))
    rejected = context.facts.rejected.get(item.key)
    if rejected is not None and rewrite.replacement is not None:
        # The upgrade that is announced would fail.
        found.append(simulation_findings.rejected(rejected, item.name, creates=False))
    if outcome.dropped_by_server:
        found.append(simulation_findings.dropped(outcome.dropped_by_server))
    stores_live = rewrite.replacement is not None and (outcome.differing or not outcome.nulls)
    if context.policy.for_git and (rewrite.pin or stores_live):
        found.append(simulation_findings.not_for_git(pin=bool(rewrite.pin)))
    if outcome.policy:
        found.append(simulation_findings.policy_ahead(outcome.policy, item.name))
    return found


def _ownership_findings(planned: PlannedObject) -> list[Finding]:
    context, owner = planned.context, planned.owner
    if owner is None:
        return []
    if owner.ownership in ADOPTABLE:
        if context.taken_by_helm:
            return [findings.taken_by_helm(owner)]
        if planned.adopted:
            return [findings.adopted(owner, context.release)]
    return findings.of_owner(owner, context.release, planned.item, context.facts.invocation, context.behaviour)
