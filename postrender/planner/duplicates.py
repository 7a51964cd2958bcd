"""One object that the stream has more than once."""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.api_server import requires_resource_version
from postrender.helm.invocation import Action
from postrender.models import Severity
from postrender.planner.context import PlannedObject
from postrender.planner.verdict import Finding


def duplicate_findings(planned: PlannedObject) -> Iterator[Finding]:
    """What is to be said at the last document of an object that an earlier one has too.

    Where it is live, Helm patches it once for each document, in their order. Where it is new, an install of nothing but
    new objects makes all of a kind at once (``batchPerform``, pkg/kube/client.go). An update (``update``, client.go)
    meets what it has just made as an object that the release does not hold, and ends there before 3.22.0 and 4.2.0.
    From then on it patches with the difference between what is live and the next document, resourceVersion and all.
    Where the release holds one of that name, or a namesake that this Helm takes for it, the difference is one to that
    manifest, and what the earlier document made is not looked at.
    """
    if planned.item is not planned.documents[-1]:
        return
    count = len(planned.documents)
    times = "twice" if count == 2 else f"{count} times"
    severity, why = _outcome(planned)
    yield Finding(
        "PR206", severity, f"is in the stream {times}: {why}", ("take all but one of its documents out of the chart",)
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
    if patches and requires_resource_version(item.ref.gvk):
        return Severity.ERROR, "this Helm would make it, and its patch for the next of them would be refused"
    if context.server_side and not context.behaviour.server_side_creates and not _alike(planned):
        return Severity.ERROR, "they differ, and this Helm may conflict with itself: it makes new ones client-side"
    return Severity.WARNING, "Helm applies all of them, and the last one stays"


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
