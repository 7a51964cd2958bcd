"""The decision: from facts and policy to one verdict an object."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.helm.invocation import Action as HelmAction
from postrender.helm.invocation import Invocation
from postrender.helm.ownership import Ownership
from postrender.helm.versions import DISTINCT, HelmVersion, behaviour_of
from postrender.models import SECRET, Json, ObjectKey, Severity, StoredRelease
from postrender.planner import findings
from postrender.planner import findings as owners
from postrender.planner.context import TAKEN, Run
from postrender.planner.edits import actions_of, edits_of
from postrender.planner.facts import Facts, Item, applies_server_side
from postrender.planner.hazards import hazards
from postrender.planner.policy import Policy
from postrender.planner.removals import leaving
from postrender.planner.rewrite import Outcome, Rewriting
from postrender.planner.verdict import Action, Finding, Plan, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import DryRunRequest
    from postrender.helm.simulate import Prediction


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
        return _decide(facts, policy, DISTINCT[-1])
    plans = [_decide(facts, policy, version) for version in DISTINCT]
    return Plan(
        tuple(_agreed(verdicts) for verdicts in zip(*(plan.verdicts for plan in plans), strict=True)),
        _agreed_leaving(plans),
    )


def bodies_wanted(invocation: Invocation, own: tuple[StoredRelease, ...]) -> bool:
    """Whether a prediction needs the whole body of what is live, or its metadata is enough.

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
    """What leaves the chart, refused where it depends on the version whether and how."""
    by_key: dict[ObjectKey, list[Verdict]] = {}
    for plan in plans:
        for verdict in plan.leaving:
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
    run = Run(facts, policy, helm)
    found = _outcomes(run)
    verdicts = tuple(_verdict(run, index, found.get(index)) for index in range(len(facts.items)))
    return Plan(verdicts, leaving(run) if facts.leaving else ())


def _outcomes(run: Run) -> dict[int, Outcome]:
    """What the simulation says; nothing where Helm creates, applies server-side, or only renders."""
    if run.server_side or run.release is None or run.facts.invocation.action is HelmAction.TEMPLATE:
        return {}
    if all(item.live is None for item in run.facts.items):
        return {}
    # The model of Helm's patches takes longer to import than a stream of new objects takes to filter.
    from postrender.planner.collision_groups import outcomes

    return outcomes(run, run.release)


def _verdict(run: Run, index: int, outcome: Outcome | None) -> Verdict:
    item, owner = run.facts.items[index], run.owners[index]
    done = outcome.rewriting if outcome else run.proposed_rewrite(index)
    found = [run.allowed(finding) for finding in _findings(run, index, done, outcome)]
    refused = any(finding.severity is Severity.ERROR for finding in found)
    adopt = item.live if not refused and run.adopts(owner) else None
    apply = None if refused else outcome.apply if outcome else _removal_patch(run, item)
    body = run.facts.desired(item.ref) if done.store is not None else None
    prediction = outcome.prediction if outcome else None
    return Verdict(
        ref=item.ref,
        key=item.key,
        resource=item.resource,
        ownership=owner,
        actions=(Action.REFUSE,) if refused else actions_of(done, adopt, apply),
        findings=tuple(found),
        edits=() if refused else edits_of(item.ref, done, body),
        prediction=prediction,
        adopt=adopt,
        apply=apply,
        repair_patch=outcome.repair_patch if outcome and not _of_others(found) else None,
        dry_run=None if refused or (outcome and apply is not None) else _dry_run_request(run, index, done, prediction),
    )


def _removal_patch(run: Run, item: Item) -> Json:
    """What removes the keys that left ``stringData`` from a live Secret that Helm applies server-side."""
    if not (run.server_side and item.key.group_kind == SECRET and item.live):
        return None
    from postrender.planner import string_data  # As for ``outcomes``: not for a stream of new objects.

    return string_data.removal_patch(run, string_data.left(run, item))


def _about_string_data(run: Run, item: Item) -> list[Finding]:
    if not (run.server_side and item.key.group_kind == SECRET and item.live):
        return []
    from postrender.planner import string_data

    keys = string_data.left(run, item)
    return [string_data.finding(run, item, keys)] if keys else []


def _of_others(found: Sequence[Finding]) -> bool:
    """Whether the run ends at whose the object is, so that nothing about it need be asked of the server."""
    return any(finding.severity is Severity.ERROR and finding.code.startswith("PR1") for finding in found)


def _dry_run_request(run: Run, index: int, done: Rewriting, prediction: Prediction | None) -> DryRunRequest | None:
    if not run.touches_live:
        return None  # As for ``outcomes``: a stream of new objects asks nothing, and needs none of what comes now.
    from postrender.planner.dry_run import dry_run_request

    return dry_run_request(run, index, done, prediction)


def _findings(run: Run, index: int, done: Rewriting, outcome: Outcome | None) -> list[Finding]:
    item = run.facts.items[index]
    found = _about_owner(run, item, run.owners[index])
    if run.stamped_unseen[:1] == [index]:
        found.append(owners.not_looked_up(len(run.stamped_unseen) - 1, run.facts.invocation))
    if item.live is not None and run.stuck_on_live:
        found.append(owners.not_applied(run.facts.invocation))
    if run.refuses_names(run.facts.items[index]):
        found.append(findings.name_and_prefix())
    if index in run.name_collisions:
        found.append(findings.name_collision([run.facts.items[other].name for other in run.name_collisions[index]]))
    if index in run.doubles:
        from postrender.planner.duplicates import doubled  # Few streams have any.

        found.extend(doubled(run, index))
    if done.strip:
        found.append(findings.stripped(done.strip))
    if outcome:
        found.extend(_about_outcome(run, index, done, outcome))
    found.extend(_about_string_data(run, run.facts.items[index]))
    return [*found, *hazards(run, index, done)]


def _about_outcome(run: Run, index: int, done: Rewriting, outcome: Outcome) -> list[Finding]:
    from postrender.planner import simulation_findings  # As for ``outcomes``: not for a stream of new objects.

    found = simulation_findings.of_outcome(outcome, run.upgrade, run.policy, run.helm)
    reason = run.facts.not_compared.get(run.facts.items[index].key)
    if reason:
        found.append(simulation_findings.not_compared(reason))
    rejected = run.facts.rejected.get(run.facts.items[index].key)
    if rejected is not None and outcome.rewriting.store is not None:
        # The upgrade that is announced would fail.
        found.append(simulation_findings.rejected(rejected, run.facts.items[index].name, creates=False))
    if outcome.unkept:
        found.append(simulation_findings.dropped(outcome.unkept))
    if run.policy.lasting and (done.pin or (done.store is not None and (outcome.differing or not outcome.nulls))):
        found.append(simulation_findings.momentary(pin=bool(done.pin)))
    if outcome.policy:
        found.append(simulation_findings.policy_ahead(outcome.policy, run.facts.items[index].name))
    return found


def _about_owner(run: Run, item: Item, owner: Ownership | None) -> list[Finding]:
    if owner is None:
        return []
    if owner.standing in TAKEN:
        if run.taken_by_helm:
            return [owners.taken_by_helm(owner)]
        if run.adopts(owner):
            return [owners.adopted(owner, run.release)]
    return owners.of_owner(owner, run.release, item.name, run.facts.invocation, run.behaviour)
