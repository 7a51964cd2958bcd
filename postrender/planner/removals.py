"""Verdicts on objects that an upgrade removes: deleted, kept, or left behind because Helm mistakes one for another.

Follows the end of ``update`` (pkg/kube/client.go, 3.2 to 4.3): what is stored and matches no target
(``ResourceList.Difference``) is deleted, unless the live object's annotation is exactly ``keep``.
"""

from __future__ import annotations

from postrender._record import replace
from postrender.helm.objects import identity
from postrender.models import KEEP, RESOURCE_POLICY, Json, LiveObject, NotServed, Severity
from postrender.planner import findings
from postrender.planner.context import PlanContext
from postrender.planner.facts import DesiredObject, base_revision
from postrender.planner.hazards import rollback_hazard
from postrender.planner.verdict import Action, Finding, Verdict

UNBUILT = "unable to build kubernetes objects from current release manifest"


def removals(context: PlanContext) -> tuple[Verdict, ...]:
    """A verdict for each live object that the stored manifest has and the stream lacks.

    And for each stored object that is no longer served: Helm cannot build it, whether it leaves the chart or not
    (``performUpgrade``, pkg/action/upgrade.go of 3.12.3 and 4.3.2).
    """
    matching = context.behaviour.matching
    targets = {identity(matching, item.ref.gvk, item.key) for item in context.facts.items if not item.hook}
    keys = {item.key for item in context.facts.items if not item.hook}
    uids = {item.live.uid for item in context.facts.items if item.live is not None}
    verdicts = []
    for item in context.facts.removed:
        if isinstance(item.observation, NotServed):
            verdicts.append(_unserved(context, item))
            continue
        live = item.live
        if live is None:
            continue
        matched = identity(matching, item.ref.gvk, item.key) in targets
        found = _finding(context, item, live, matched=matched, stays=item.key in keys or live.uid in uids)
        if found is not None:
            deleted = not matched and live.annotations.get(RESOURCE_POLICY) != KEEP
            findings = [context.allowed(found)]
            if found.code == "PR405" and not deleted and (more := rollback_hazard(context, item)) is not None:
                findings.append(more)
            verdicts.append(_verdict(item, findings, None if deleted else live.body, deleted=deleted))
    return tuple(verdicts)


def _unserved(context: PlanContext, item: DesiredObject) -> Verdict:
    base = base_revision(context.facts.invocation, context.facts.revisions)
    assert base is not None  # The object is in its manifest.
    verdict = _verdict(item, [context.allowed(findings.unserved(item.ref.gvk, base))], None, deleted=False)
    assert verdict.prediction is not None
    return replace(verdict, prediction=replace(verdict.prediction, error=UNBUILT))


def _finding(
    context: PlanContext, item: DesiredObject, live: LiveObject, *, matched: bool, stays: bool
) -> Finding | None:
    """What is to be said; ``matched`` is whether Helm takes it for one of the targets, ``stays`` whether it is one."""
    policy = live.annotations.get(RESOURCE_POLICY, "")
    if matched:
        return None if stays else findings.left_behind(item.name)
    if policy == KEEP:
        return None if stays else findings.leaves(kept=True)
    if stays:
        return findings.deleted_and_wanted(item.name)
    owner = live.owner
    if owner is not None and owner != context.release and context.facts.live_releases[owner]:
        return findings.deleted_from(owner, item.name)
    if KEEP in policy.lower().replace(",", " ").split():
        return findings.misspelled(policy, item.name)
    if loss := context.facts.losses.get(item.key):
        return findings.deleted_with_data(loss, item.name)
    return findings.leaves(kept=False)


def _verdict(item: DesiredObject, findings: list[Finding], after: Json, *, deleted: bool) -> Verdict:
    # The model of Helm's patches, which takes long to import, comes with it.
    from postrender.helm.simulate import Prediction, Request

    refused = any(finding.severity is Severity.ERROR for finding in findings)
    return Verdict(
        ref=item.ref,
        key=item.key,
        resource=item.resource,
        ownership=None,
        actions=(Action.REFUSE,) if refused else (Action.LEAVE,),
        findings=tuple(findings),
        prediction=Prediction(Request.DELETE if deleted else Request.NOTHING, after),
    )
