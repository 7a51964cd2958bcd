"""Live objects brought to what the chart says before Helm sees them: ``--on-drift apply``.

Where Helm would report success and apply nothing, the filter itself sends the difference first. Helm then finds the
object as its chart has it, and what it stores is true at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from postrender.helm.patch import apply_merge_patch, differs, merge_patch
from postrender.live import Json
from postrender.plan.judge import Paths, differing, rights, unkept
from postrender.plan.rewriting import Group, Outcome, Rewriting
from postrender.plan.steps import mended, pinned
from postrender.record import replace


def applied(group: Group, wishes: Sequence[Rewriting]) -> tuple[Outcome, ...] | None:
    """The outcomes once every object that Helm would leave wrong was brought to what the chart says.

    ``None`` where there is none, or where Helm would then still leave one wrong. What one object becomes can change
    what an old Helm does to its namesake, so it is looked again until nothing more is wrong.
    """
    live = dict(group.frame.live)
    found: dict[int, Paths] = {}
    now = group
    while True:
        rewritings, predictions = pinned(now, wishes)
        wrong = differing(now, rewritings, predictions, policy=True)
        fresh = [index for index, paths in enumerate(wrong) if paths and index not in found]
        if not fresh:
            break
        shall = rights(now, wishes)
        for index in fresh:
            found[index] = wrong[index]
            live[group.members[index].entry.key] = shall[index]
        now = replace(group, frame=replace(group.frame, live=dict(live)))
    patches = {index: _patch(group, now, index) for index in found}
    if not found or any(wrong) or None in patches.values():
        return None
    later = mended(now, rewritings, predictions)
    return tuple(
        Outcome(
            rewriting,
            prediction,
            differing=found.get(index, ()),
            mended=right,
            apply=patches.get(index),
            mend=patches.get(index),
            unkept=left,
        )
        for index, (rewriting, prediction, right, left) in enumerate(
            zip(rewritings, predictions, later, unkept(group, rewritings), strict=True)
        )
    )


def _patch(before: Group, after: Group, index: int) -> Json:
    """The merge patch that makes the object of the first group that of the second; ``None`` where none does."""
    key = before.members[index].entry.key
    old, new = before.frame.live[key], after.frame.live[key]
    patch = merge_patch(old, new, exact_numbers=True)
    return None if differs(apply_merge_patch(old, patch), new) else patch
