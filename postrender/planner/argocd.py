"""The decision if Argo CD applies what Helm only renders: the owner of each object, and what Argo CD will do to it.

Read from Argo CD 3.5.1: identity is group, kind, namespace and name (gitops-engine, pkg/utils/kube), the live object's
owner in Helm's terms is not asked for, ``keep`` counts where an Application is deleted (``shouldBeDeleted``,
controller/appcontroller.go), and pruning is stopped by a sync option alone (pkg/sync/doc.go of gitops-engine).
"""

from __future__ import annotations

from postrender._record import replace
from postrender.helm.invocation import ArgoCD
from postrender.helm.ownership import Ownership, OwnerStatus, release_exists
from postrender.helm.versions import BEHAVIOUR_CHANGES
from postrender.models import RESOURCE_POLICY, LiveObject, ReleaseName, Severity, kubectl
from postrender.planner import findings
from postrender.planner.context import PlanContext, PlannedObject, allowed
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.policy import Policy
from postrender.planner.rewrite import SYNC_OPTIONS, actions_of, edits_of
from postrender.planner.verdict import Action, Finding, Plan, Verdict, note, warning
from postrender.text import Advice, Hint

NO_PRUNING = "Prune=false"

_TAKEN = (Ownership.OURS_KEPT, Ownership.ORPHAN, Ownership.UNMANAGED)


def decide(facts: Facts, policy: Policy, argocd: ArgoCD) -> Plan:
    """One verdict for every object of the stream, in its order, without pins, stored live values and predictions."""
    context = PlanContext(facts, policy, BEHAVIOUR_CHANGES[-1])
    return Plan(tuple(_verdict(planned, argocd) for planned in context.objects))


def _verdict(planned: PlannedObject, argocd: ArgoCD) -> Verdict:
    context, item = planned.context, planned.item
    if context.policy.argocd_prune_false and _kept(item):
        planned = replace(planned, proposed=replace(planned.proposed, options=_without_pruning(item)))
    rewrite = planned.proposed
    found = [allowed(finding, context.policy) for finding in _findings(planned, argocd)]
    refused = any(finding.severity is Severity.ERROR for finding in found)
    kept = () if refused else context.facts.kept_of(item.ref).paths
    return Verdict(
        ref=item.ref,
        key=item.key,
        resource=item.resource,
        ownership=planned.owner,
        actions=(Action.REFUSE,) if refused else actions_of(rewrite, kept=kept),
        findings=tuple(found),
        edits=() if refused else edits_of(item.ref, rewrite, None),
        kept_live=kept,
    )


def _findings(planned: PlannedObject, argocd: ArgoCD) -> list[Finding]:
    context, item, rewrite = planned.context, planned.item, planned.proposed
    found = [*_ownership_findings(context, item, planned.owner), *context.facts.kept_of(item.ref).findings]
    if item is next(iter(context.owned_without_lookup), None):
        found.append(findings.not_looked_up(len(context.owned_without_lookup) - 1, context.facts.invocation))
    if item.live is not None:
        found += _about_tracking(item.live, argocd)
    if planned.collisions:
        found.append(findings.name_collision([other.name for other in planned.collisions]))
    if rewrite.strip:
        found.append(findings.stripped(rewrite.strip))
    if _kept(item) and not rewrite.options and NO_PRUNING not in _options(item):
        found.append(_pruned_though_kept())
    return found


def _ownership_findings(context: PlanContext, item: DesiredObject, owner: OwnerStatus | None) -> list[Finding]:
    if owner is None:
        return []
    if owner.ownership is Ownership.FOREIGN:
        return [findings.foreign(owner, item.name)]
    if owner.ownership is Ownership.TERMINATING:
        return [_vanishing(item.name)]
    # Its own objects have Helm's ownership metadata too if it applied them with ``stamp`` set to ``all``.
    found = [_taken_by_argocd(owner)] if owner.ownership in _TAKEN and not context.applied_by_argocd(item) else []
    if context.release and release_exists(context.facts.revisions) and owner.release == context.release:
        found.append(_held_by_helm(context.release))
    return found


def _about_tracking(live: LiveObject, argocd: ArgoCD) -> list[Finding]:
    """A finding if another Application tracks the object."""
    other = live.argocd_application
    return [_tracked_elsewhere(other)] if other and other != argocd.application else []


def _kept(item: DesiredObject) -> bool:
    """True if the chart keeps the object and Argo CD may prune it (hooks are never pruned)."""
    return not item.hook and item.ref.annotations.get(RESOURCE_POLICY) == "keep"


def _options(item: DesiredObject) -> list[str]:
    return [each.strip() for each in item.ref.annotations.get(SYNC_OPTIONS, "").split(",") if each.strip()]


def _without_pruning(item: DesiredObject) -> str:
    """The document's sync options with ``Prune=false`` added; ``""`` if it has that option already."""
    options = _options(item)
    return "" if NO_PRUNING in options else ",".join([*options, NO_PRUNING])


def _taken_by_argocd(owner: OwnerStatus) -> Finding:
    """Finding for an object that Argo CD takes over: it does not check Helm's ownership metadata."""
    before = f"was kept by Helm release {owner.release}" if owner.release else "had no owner in Helm's terms"
    return note("PR601", f"{before}; Argo CD adopts it, and fields that the chart lacks stay")


def _pruned_though_kept() -> Finding:
    """Finding for an object that the chart keeps and Argo CD would prune."""
    return warning(
        "PR602",
        "is marked keep, but Argo CD prunes it when it leaves the chart",
        (Advice("set the parameter prune-false, which adds Prune=false to what the chart keeps"),),
    )


def _held_by_helm(release: ReleaseName) -> Finding:
    """Finding for an object that ``helm uninstall`` of a stored release would delete."""
    return warning(
        "PR603",
        f"Helm release {release} is still stored and holds it: helm uninstall would delete it",
        (
            Hint(
                f"kubectl delete secrets -n {release.namespace} -l owner=helm,name={release.name}",
                "deletes the stored release and leaves its objects",
            ),
        ),
    )


def _tracked_elsewhere(application: str) -> Finding:
    """Finding for an object that another Application tracks too."""
    return warning(
        "PR604",
        f"is tracked by Argo CD Application {application}, and both would keep overwriting it",
        (f"argocd app manifests {application.replace('_', '/')}",),
    )


def _vanishing(name: str) -> Finding:
    """Finding for an object that is being deleted: it takes Argo CD's changes, and is then gone."""
    return warning(
        "PR106",
        "is being deleted; Argo CD's change has no effect, and its next sync creates it again",
        (f"kubectl wait --for=delete {kubectl(name)} --timeout=60s",),
    )
