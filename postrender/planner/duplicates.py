"""One object that the stream has more than once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postrender.helm.api_server import needs_version
from postrender.helm.invocation import Action
from postrender.models import Severity
from postrender.planner.context import Run
from postrender.planner.facts import Item
from postrender.planner.verdict import Finding


def doubled(run: Run, index: int) -> Iterator[Finding]:
    """What is to be said at the last document of an object that an earlier one has too.

    Where it is live, Helm patches it once for each document, in their order. Where it is new, an install of nothing but
    new objects makes all of a kind at once (``batchPerform``, pkg/kube/client.go). An update (``update``, client.go)
    meets what it has just made as an object that the release does not hold, and ends there before 3.22.0 and 4.2.0.
    From then on it patches with the difference between what is live and the next document, resourceVersion and all.
    Where the release holds one of that name, or a namesake that this Helm takes for it, the difference is one to that
    manifest, and what the earlier document made is not looked at.
    """
    same = run.doubles.get(index)
    if same is None or index != same[-1]:
        return
    item = run.facts.items[index]
    times = "twice" if len(same) == 2 else f"{len(same)} times"
    severity, why = _outcome(run, item, same)
    yield Finding(
        "PR206", severity, f"is in the stream {times}: {why}", ("take all but one of its documents out of the chart",)
    )


def _outcome(run: Run, item: Item, same: Sequence[int]) -> tuple[Severity, str]:
    if item.live is not None:
        if _earlier_stays(run, item, same):
            return Severity.ERROR, "Helm sends nothing for what the last one has as before, and an earlier one stays"
        return Severity.WARNING, "Helm applies all of them, and the last one stays"
    if item.observation is None or run.facts.invocation.action is Action.TEMPLATE:
        return Severity.WARNING, "the last one stays, and where it is new, Helm fails or leaves it to chance"
    if run.updates:
        return _updated(run, item, same)
    if not run.server_side:
        return Severity.ERROR, "this Helm would make it, and fail at the next of them"
    if not _alike(run, same):
        return Severity.ERROR, "they differ, this Helm applies them at once, and which one stays is left to chance"
    return Severity.WARNING, "Helm applies all of them, which are the same"


def _updated(run: Run, item: Item, same: Sequence[int]) -> tuple[Severity, str]:
    """Of a new object in an update, which makes it at its first document and meets it at the next."""
    patches = not (run.server_side or run.facts.invocation.force)
    original = run.finds_original(item)
    if patches and original:
        return Severity.ERROR, "this Helm would make it, and compare the next with another manifest than the first"
    if not (original or run.behaviour.updates_from_live):
        return Severity.ERROR, "this Helm would make it, and stop at the next of them half way through the chart"
    if patches and needs_version(item.ref.gvk):
        return Severity.ERROR, "this Helm would make it, and its patch for the next of them would be refused"
    if run.server_side and not run.behaviour.server_side_creates and not _alike(run, same):
        return Severity.ERROR, "they differ, and this Helm may conflict with itself: it makes new ones client-side"
    return Severity.WARNING, "Helm applies all of them, and the last one stays"


def _earlier_stays(run: Run, item: Item, same: Sequence[int]) -> bool:
    """Whether a field stays as an earlier document sets it: a JSON merge patch is made from the stored manifest."""
    from postrender.helm.patch import PatchType, differs, patch_type  # Not for a stream of new objects.

    if run.server_side or run.facts.invocation.force or patch_type(item.ref.gvk, run.helm) is not PatchType.MERGE:
        return False
    stored = run.facts.stored_body(item.key)
    if stored is None:
        return False
    *earlier, last = ({*differs(stored, run.facts.desired(run.facts.items[each].ref))} for each in same)
    return any(changed - last for changed in earlier)


def _alike(run: Run, same: Sequence[int]) -> bool:
    first, *others = (run.facts.desired(run.facts.items[each].ref) for each in same)
    return all(other == first for other in others)
