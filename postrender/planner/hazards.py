"""What goes wrong beside the update itself: when the run fails, when a hook runs, and what bites later."""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.hooks import HOOK, events, unknown_events
from postrender.helm.matching import no_original
from postrender.helm.ownership import Standing
from postrender.models import RESOURCE_POLICY, SECRET, Json, LiveObject, Severity
from postrender.planner.context import PlanContext, PlannedObject
from postrender.planner.facts import DesiredObject
from postrender.planner.findings import kubectl, some
from postrender.planner.verdict import Finding

KEEP = "keep"
_EVENTS = {True: {"pre-upgrade", "post-upgrade"}, False: {"pre-install", "post-install"}}
_ADOPTED = frozenset((Standing.OURS_KEPT, Standing.ORPHAN, Standing.UNMANAGED))


def hazards(planned: PlannedObject) -> Iterator[Finding]:
    """Findings about later runs, failing runs and hooks, for one object of the stream."""
    context, item, owner = planned.context, planned.item, planned.owner
    if item.hook:
        if unknown := unknown_events(item.ref.annotations):
            yield _skipped(unknown)
        if item.live_under_hook_name is not None:
            yield from _hook(context, item, item.live_under_hook_name)
        return
    if owner is None:
        return
    if owner.standing in _ADOPTED and item.live is not None:
        yield from _adopted_but_not_kept(planned, item.live)
        yield from _overwritten(context, item, item.live)
    elif owner.standing is Standing.OURS and item.live is not None:
        yield from _kept_only_live(context, item, item.live)
    elif owner.standing is Standing.ABSENT and _created_client_side(context):
        yield Finding(
            "PR506",
            Severity.WARNING,
            "this Helm creates it client-side in an upgrade, and its next upgrade will conflict with that",
            ("use Helm 4.0.1 or later", "helm upgrade ... --force-conflicts   (the next one)"),
        )


def _created_client_side(context: PlanContext) -> bool:
    known = context.facts.invocation.helm is not None
    return known and context.upgrade and context.server_side and not context.behaviour.server_side_creates


def _adopted_but_not_kept(planned: PlannedObject, live: LiveObject) -> Iterator[Finding]:
    """An adopted object that goes when the run undoes itself, or with the release.

    A failed install uninstalls (``failRelease``, pkg/action/install.go), which spares what is stored with any resource
    policy (``filterManifestsToKeep``, resource_policy.go). A failed upgrade rolls back, and deletes what the revision
    before does not hold, unless the live object says exactly ``keep`` (``update``, pkg/kube/client.go).
    """
    context, item, rewrite = planned.context, planned.item, planned.rewrite
    annotations = item.ref.annotations if rewrite.replacement is None else _annotations(rewrite.replacement)
    policy = annotations.get(RESOURCE_POLICY)
    safe = policy == KEEP if context.upgrade else policy is not None
    keep = f"in the chart, annotate {item.name} with {RESOURCE_POLICY}: {KEEP}"
    if context.facts.invocation.atomic and not safe:
        flag = "--rollback-on-failure" if context.helm.major >= 4 else "--atomic"
        undone = "rolled back" if context.upgrade else "uninstalled"
        yield Finding(
            "PR501",
            Severity.ERROR,
            f"was there before, and is deleted if this run fails and is {undone} ({flag}), since the chart does not "
            "keep it",
            (keep, f"helm ... without {flag}"),
        )
    elif policy is None and live.annotations.get(RESOURCE_POLICY) is not None:
        yield Finding(
            "PR501",
            Severity.WARNING,
            "was kept so far, and the chart does not keep it: uninstalling the release, after a failed run too, "
            "deletes it",
            (keep,),
        )


def _kept_only_live(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """An uninstall goes by what is stored, not by what the live object says."""
    if live.annotations.get(RESOURCE_POLICY) != KEEP or RESOURCE_POLICY in item.ref.annotations:
        return
    if any(
        RESOURCE_POLICY in _annotations(entry.body) for entry in context.facts.previous_objects if entry.key == item.key
    ):
        return
    yield Finding(
        "PR504",
        Severity.WARNING,
        "only the live object says that it is kept: uninstalling the release deletes it all the same",
        (f"in the chart, annotate {item.name} with {RESOURCE_POLICY}: {KEEP}",),
    )


def _overwritten(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """A kept Secret whose values the chart changes: often they were generated, and somebody uses them."""
    if item.key.group_kind != SECRET or live.body is None:
        return
    before, wanted = live.body.get("data") or {}, context.facts.desired(item.ref).get("data") or {}
    changed = sorted(key for key, value in wanted.items() if key in before and before[key] != value)
    if changed:
        yield Finding(
            "PR505",
            Severity.WARNING,
            f"the chart changes what it holds in {some(changed)}: where that is made anew each time, whoever uses the "
            "old values is locked out",
            (f"kubectl get {kubectl(item.name)} -o yaml   (and give the chart the values that are live)",),
        )


def _hook(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """Helm deletes what is live under a hook's name before it runs the hook, unless told otherwise.

    ``hookSetDeletePolicy`` and ``deleteHookByPolicy`` (pkg/action/hooks.go): the default policy is
    ``before-hook-creation``, no CustomResourceDefinition is ever deleted, and nobody looks whose the object is. What
    carries the annotation of a hook is what an earlier run of the hook left.
    """
    if HOOK in live.annotations or not item.deleted_before_creation:
        return
    now = not _EVENTS[context.upgrade].isdisjoint(events(item.ref.annotations))
    yield Finding(
        "PR502",
        Severity.ERROR if now else Severity.WARNING,
        f"is a hook, and Helm deletes the object that is live under its name {'now' if now else 'when it runs'}: that "
        "one is no hook" + (f", and belongs to release {live.owner}" if live.owner else ""),
        (f"kubectl get {kubectl(item.name)} -o yaml", "rename the hook in the chart"),
    )


def _skipped(unknown: tuple[str, ...]) -> Finding:
    """Helm neither runs nor installs what names an event that it does not know (``SortManifests``)."""
    return Finding(
        "PR507",
        Severity.WARNING,
        f"Helm skips this object: it does not know the hook event{'s' * (len(unknown) > 1)} "
        + some([repr(event) for event in unknown]),
        ("in the chart, correct the annotation helm.sh/hook",),
    )


def rollback_hazard(context: PlanContext, item: DesiredObject) -> Finding | None:
    """A rollback finds an object that is kept, live and in no manifest of the revision it starts from.

    ``update`` (pkg/kube/client.go) to 3.21 and 4.1 ends there; from 3.22.0 and 4.2.0 it starts from the live object.
    A client-side patch then takes its resourceVersion away, which the server refuses for custom resources.
    """
    missing = no_original(context.helm, item.key)
    if context.behaviour.updates_from_live:
        from postrender.helm.api_server import VERSION_MISSING, requires_resource_version  # few objects come here

        # Few upgrades keep what leaves the chart.

        if context.server_side or not requires_resource_version(item.ref.gvk):
            return None
        missing = VERSION_MISSING
    now = ", and so does this run where it undoes itself" if context.facts.invocation.atomic else ""
    return Finding(
        "PR503",
        Severity.WARNING,
        f"is kept, so that a rollback to a revision that holds it stops half way ({missing}){now}",
        ("helm upgrade ... with the older chart, instead of helm rollback",),
    )


def _annotations(body: Json) -> Json:
    return (body.get("metadata") or {}).get("annotations") or {}
