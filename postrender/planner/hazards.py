"""Findings about hooks, failing runs, rollbacks and objects that the stream has more than once."""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.invocation import Action
from postrender.helm.objects import HOOK, events, no_original, unknown_events
from postrender.helm.ownership import Ownership
from postrender.models import KEEP, RESOURCE_POLICY, SECRET, Json, LiveObject, Severity, kubectl
from postrender.planner.context import PlanContext, PlannedObject
from postrender.planner.facts import DesiredObject
from postrender.planner.findings import filter_flag
from postrender.planner.verdict import Finding, error, warning
from postrender.text import Advice, Hint, shorten

_EVENTS = {True: {"pre-upgrade", "post-upgrade"}, False: {"pre-install", "post-install"}}
_ADOPTED = frozenset((Ownership.OURS_KEPT, Ownership.ORPHAN, Ownership.UNMANAGED))


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
    if owner.ownership in _ADOPTED and item.live is not None:
        yield from _adopted_but_not_kept(planned, item.live)
        yield from _overwritten(context, item, item.live)
    elif owner.ownership is Ownership.OURS and item.live is not None:
        yield from _kept_only_live(context, item, item.live)
    elif owner.ownership is Ownership.ABSENT and _created_client_side(context):
        yield warning(
            "PR506",
            "this Helm creates it client-side in an upgrade, and its next upgrade will conflict with that",
            (Advice("use Helm 4.0.1 or later"), Hint("helm upgrade ... --force-conflicts", "for the next upgrade")),
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
    keep = Advice(f"in the chart, annotate {item.name} with {RESOURCE_POLICY}: {KEEP}")
    if context.facts.invocation.atomic and not safe:
        flag = "--rollback-on-failure" if context.helm.major >= 4 else "--atomic"
        undone = "rolled back" if context.upgrade else "uninstalled"
        yield error(
            "PR501",
            f"was there before, and is deleted if this run fails and is {undone} ({flag}), since the chart does not "
            "keep it",
            (keep, f"helm ... without {flag}"),
        )
    elif policy is None and live.annotations.get(RESOURCE_POLICY) is not None:
        yield warning(
            "PR501",
            "was kept so far, and the chart does not keep it: uninstalling the release, after a failed run too, "
            "deletes it",
            (keep,),
        )


def _kept_only_live(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """Finding for an object that only its live annotation keeps: ``helm uninstall`` reads the stored manifest."""
    if live.annotations.get(RESOURCE_POLICY) != KEEP or RESOURCE_POLICY in item.ref.annotations:
        return
    if any(
        RESOURCE_POLICY in _annotations(entry.body) for entry in context.facts.previous_objects if entry.key == item.key
    ):
        return
    yield warning(
        "PR504",
        "only the live annotation says keep: uninstalling the release deletes the object",
        (Advice(f"in the chart, annotate {item.name} with {RESOURCE_POLICY}: {KEEP}"),),
    )


def _overwritten(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """Finding for an adopted Secret whose values the chart changes, often because they are randomly generated."""
    if item.key.group_kind != SECRET or live.body is None:
        return
    before, wanted = live.body.get("data") or {}, context.facts.desired(item.ref).get("data") or {}
    kept = context.facts.kept_of(item.ref)
    changed = sorted(
        key
        for key, value in wanted.items()
        if key in before and before[key] != value and not kept.covers(("data", key))
    )
    if changed:
        from postrender.manifest.field_paths import path_text  # Few runs change a Secret that they adopt.

        fields = [f"{item.resource.plural}/{item.key.name}:{path_text(('data', key))}" for key in changed]
        yield warning(
            "PR505",
            f"the chart changes {shorten(changed)}; if randomly generated, clients using the old values will "
            f"lose access",
            (
                Hint(
                    filter_flag("keep-live", ",".join(fields), context.facts.invocation),
                    "to keep the live values, now and in later upgrades",
                ),
            ),
        )


def _hook(context: PlanContext, item: DesiredObject, live: LiveObject) -> Iterator[Finding]:
    """Finding for a live object of a hook's name, which Helm deletes before it runs the hook.

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
        f"is a hook, and Helm deletes the existing object of that name {'now' if now else 'when it runs'}, "
        f"which is not a "
        "hook" + (f" and is owned by release {live.owner}" if live.owner else ""),
        (f"kubectl get {kubectl(item.name)} -o yaml", Advice("in the chart, rename the hook")),
    )


def _skipped(unknown: tuple[str, ...]) -> Finding:
    """Helm neither runs nor installs what names an event that it does not know (``SortManifests``)."""
    return warning(
        "PR507",
        f"Helm skips this object: it does not know the hook event{'s' * (len(unknown) > 1)} "
        + shorten([repr(event) for event in unknown]),
        (Advice("in the chart, correct the annotation helm.sh/hook"),),
    )


def rollback_hazard(context: PlanContext, item: DesiredObject) -> Finding | None:
    """Finding for a kept object that a later rollback would find live and not in its revision's manifest.

    ``update`` (pkg/kube/client.go) ends there up to 3.21, 4.0.4 and in 4.1; else it starts from the live object.
    A client-side patch then takes its resourceVersion away, which the server refuses for custom resources.
    """
    missing = no_original(context.helm, item.key)
    if context.behaviour.updates_from_live:
        from postrender.helm.api_server import VERSION_MISSING  # Few upgrades keep what leaves the chart.

        if context.server_side or not _requires_resource_version(item):
            return None
        missing = VERSION_MISSING
    now = ", and so does this run where it undoes itself" if context.facts.invocation.atomic else ""
    return warning(
        "PR503",
        f"is kept, so that a rollback to a revision that holds it stops half way ({missing}){now}",
        (Advice("to go back, run helm upgrade with the older chart instead of helm rollback"),),
    )


def _annotations(body: Json) -> Json:
    return (body.get("metadata") or {}).get("annotations") or {}


def duplicate_findings(planned: PlannedObject) -> Iterator[Finding]:
    """Findings for an object that the stream has more than once, shown at its last document.

    Where it is live, Helm patches it once for each document, in their order. Where it is new, an install of nothing but
    new objects makes all of a kind at once (``batchPerform``, pkg/kube/client.go). An update (``update``, client.go)
    meets what it has just made as an object that the release does not hold, and ends there up to 3.21, 4.0.4 and in
    4.1. Later ones patch with the difference between the live object and the next document, resourceVersion and all.
    Where this Helm finds a manifest for it in the release, it compares with that one, not with the earlier document.
    """
    if planned.item is not planned.documents[-1]:
        return
    count = len(planned.documents)
    times = "twice" if count == 2 else f"{count} times"
    severity, why = _outcome(planned)
    yield Finding(
        "PR206", severity, f"is in the stream {times}: {why}", (Advice("in the chart, keep only one of its documents"),)
    )


def _outcome(planned: PlannedObject) -> tuple[Severity, str]:
    context, item = planned.context, planned.item
    if item.live is not None:
        if _earlier_stays(planned):
            return Severity.ERROR, "Helm sends nothing for what the last one has as before, and an earlier one stays"
        return Severity.WARNING, "Helm applies all of them, and the last one stays"
    if item.observation is None or context.facts.invocation.action is Action.TEMPLATE:
        return Severity.WARNING, "the last one stays, and where it is new, Helm fails or leaves it to chance"
    if context.updates:
        return _updated(planned)
    if not context.server_side:
        return Severity.ERROR, "this Helm would make it, and fail at the next of them"
    if not _alike(planned):
        return Severity.ERROR, "they differ, this Helm applies them at once, and which one stays is left to chance"
    return Severity.WARNING, "Helm applies all of them, which are the same"


def _updated(planned: PlannedObject) -> tuple[Severity, str]:
    """Of a new object in an update, which makes it at its first document and meets it at the next."""
    context, item = planned.context, planned.item
    patches = not (context.server_side or context.facts.invocation.force)
    original = context.has_original(item)
    if patches and original:
        return Severity.ERROR, "this Helm would make it, and compare the next with another manifest than the first"
    if not (original or context.behaviour.updates_from_live):
        return Severity.ERROR, "this Helm would make it, and stop at the next of them half way through the chart"
    if patches and _requires_resource_version(item):
        return Severity.ERROR, "this Helm would make it, and its patch for the next of them would be refused"
    if context.server_side and not context.behaviour.server_side_creates and not _alike(planned):
        return Severity.ERROR, "they differ, and this Helm may conflict with itself: it makes new ones client-side"
    return Severity.WARNING, "Helm applies all of them, and the last one stays"


def _requires_resource_version(item: DesiredObject) -> bool:
    from postrender.helm.api_server import requires_resource_version  # Not for a stream of new objects.

    return requires_resource_version(item.ref.gvk)


def _earlier_stays(planned: PlannedObject) -> bool:
    """Whether a field stays as an earlier document sets it: a JSON merge patch is made from the stored manifest."""
    from postrender.helm.patch import PatchType, differs, patch_type  # Not for a stream of new objects.

    context, item = planned.context, planned.item
    if (
        context.server_side
        or context.facts.invocation.force
        or patch_type(item.ref.gvk, context.helm) is not PatchType.MERGE
    ):
        return False
    stored = context.facts.previous_body(item.key)
    if stored is None:
        return False
    *earlier, last = ({*differs(stored, context.facts.desired(each.ref))} for each in planned.documents)
    return any(changed - last for changed in earlier)


def _alike(planned: PlannedObject) -> bool:
    first, *others = (planned.context.facts.desired(each.ref) for each in planned.documents)
    return all(other == first for other in others)
