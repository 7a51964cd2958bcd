"""Searches for rewrites with which this run and the next upgrade do what the chart says.

Helm looks at objects of one Kind, namespace and name together (or, when newer, of one group and Kind), so such a group
is solved without the rest of the stream: rewrites are proposed, Helm's own ``Update`` is simulated with them, and each
objection is met by a pin, by storing the live object, or by withdrawing the rewrite. With ``--on-drift apply`` the
filter first sends what Helm would report as applied and not send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postrender._record import replace
from postrender.helm.fresh_install import left_chart, with_null_values
from postrender.helm.patch import apply_merge_patch, differs, merge_patch
from postrender.helm.simulate import Prediction
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Json
from postrender.planner.evaluate import (
    Paths,
    as_live_document,
    differing,
    dropped_by_server,
    expected_objects,
    policy_of,
    stays_true,
    with_pins,
    wrong_after_next_upgrade,
)
from postrender.planner.rewrite import CollisionGroup, DocumentRewrite, GroupMember, RewriteOutcome


def applied(group: CollisionGroup, proposals: Sequence[DocumentRewrite]) -> tuple[RewriteOutcome, ...] | None:
    """The outcomes if postrender first applies the chart to every object that Helm would leave wrong.

    ``None`` where there is none, or where Helm would then still leave one wrong. What one object becomes can change
    what an old Helm does to its namesake, so it is looked again until nothing more is wrong.
    """
    live = dict(group.update.live)
    found: dict[int, Paths] = {}
    patches: dict[int, Json] = {}
    now = group
    while True:
        rewrites, predictions = with_pins(now, proposals)
        wrong = differing(now, rewrites, predictions, policy=True)
        fresh = [index for index, paths in enumerate(wrong) if paths and index not in found]
        if not fresh:
            break
        expected = expected_objects(now, proposals)
        for index in fresh:
            found[index] = wrong[index]
            key = group.members[index].entry.key
            patches[index] = merge_patch(live[key], expected[index], exact_numbers=True)
            # Not the expected object itself: no patch writes a null, and what is wrong without it is found above.
            live[key] = apply_merge_patch(live[key], patches[index])
        now = replace(group, update=replace(group.update, live=dict(live)))
    if not found or any(wrong):
        return None
    later = wrong_after_next_upgrade(now, rewrites, predictions)
    return tuple(
        RewriteOutcome(
            rewrite,
            prediction,
            differing=found.get(index, ()),
            fixed_by_next_upgrade=not left_wrong,
            apply=patches.get(index),
            repair_patch=patches.get(index),
            dropped_by_server=left,
        )
        for index, (rewrite, prediction, left_wrong, left) in enumerate(
            zip(rewrites, predictions, later, dropped_by_server(group, rewrites), strict=True)
        )
    )


def solve(group: CollisionGroup) -> tuple[RewriteOutcome, ...]:
    """The best rewrite for each member, with its outcome."""
    found = _rewritten(group)
    filled = _without_nulls(group, found)
    if filled is None:
        return found
    return tuple(
        _of_charts_document(outcome, before, after)
        for outcome, before, after in zip(_rewritten(filled), group.members, filled.members, strict=True)
    )


def _without_nulls(group: CollisionGroup, found: Sequence[RewriteOutcome]) -> CollisionGroup | None:
    """The group with values for the nulls of which Helm's patch does not make what they mean; ``None`` for none."""
    bodies = [member.entry.body for member in group.members]
    for index, (member, outcome) in enumerate(zip(group.members, found, strict=True)):
        fresh = group.fresh.get(member.entry.key)
        for path in outcome.differing if fresh is not None else ():
            # Null labels of its own an object loses with all others, so that Helm never shows them to the server.
            if path[0] != "metadata":
                bodies[index] = with_null_values(bodies[index], fresh, path)
    if all(body == member.entry.body for body, member in zip(bodies, group.members, strict=True)):
        return None
    entries = [replace(member.entry, body=body) for member, body in zip(group.members, bodies, strict=True)]
    return replace(
        group, members=[replace(member, entry=entry) for member, entry in zip(group.members, entries, strict=True)]
    )


def _of_charts_document(outcome: RewriteOutcome, before: GroupMember, after: GroupMember) -> RewriteOutcome:
    """The outcome of a member whose nulls were replaced, as a rewrite of the chart's own document."""
    nulls = tuple(differs(before.entry.body, after.entry.body))
    if not nulls:
        return outcome
    rewrite = outcome.rewrite
    replacement = rewrite.stripped(after.entry.body) if rewrite.replacement is None else rewrite.replacement
    return replace(outcome, rewrite=replace(rewrite, replacement=replacement), nulls=nulls)


def _rewritten(group: CollisionGroup) -> tuple[RewriteOutcome, ...]:
    proposals = [member.proposed for member in group.members]
    if group.apply and (done := applied(group, proposals)) is not None:
        return done
    rewrites, predictions = _pinned_and_true(group, proposals)
    wrong = differing(group, rewrites, predictions)
    repairs = _repair_patches(group, rewrites, wrong)
    alone = len(group.members) == 1
    chart_itself = rewrites, predictions, wrong
    if group.stores_live and any(wrong):
        rewrites, predictions = _stored(group, rewrites, predictions, wrong)
        wrong = differing(group, rewrites, predictions)
    later_wrong = wrong_after_next_upgrade(group, rewrites, predictions)
    stay: Paths = ()
    if alone and later_wrong[0] and group.members[0].entry.key in group.fresh:
        stay = tuple(path for path in later_wrong[0] if left_chart(group.members[0].entry.body, path))
        if stay != later_wrong[0]:
            # Storing the live object is no cure for a field of the chart that the next upgrade does not apply either.
            rewrites, predictions, wrong = chart_itself
        later_wrong = [()]
    release_is_stale = alone and bool(group.update.stored)
    right = [not paths for paths in later_wrong]
    stuck = any(
        paths and (rewrite.replacement is None or not later)
        for rewrite, paths, later in zip(rewrites, wrong, right, strict=True)
    )
    fixable_by_apply = stuck and not group.apply and applied(group, proposals) is not None
    return tuple(
        RewriteOutcome(
            rewrite,
            prediction,
            withheld_metadata=(member.proposed.label, member.proposed.owner) != (rewrite.label, rewrite.owner),
            differing=paths,
            # What is stored instead of the chart is a cure only if the next upgrade can run at all.
            fixed_by_next_upgrade=later and (rewrite.replacement is None or all(right)),
            policy=_policy_ahead(member, prediction),
            release_is_stale=release_is_stale,
            fixable_by_apply=fixable_by_apply,
            repair_patch=repair,
            dropped_by_server=left,
            stays=stay,
        )
        for member, rewrite, prediction, paths, later, repair, left in zip(
            group.members, rewrites, predictions, wrong, right, repairs, dropped_by_server(group, rewrites), strict=True
        )
    )


def _repair_patches(group: CollisionGroup, rewrites: Sequence[DocumentRewrite], wrong: Sequence[Paths]) -> list[Json]:
    """For each member, the merge patch that gives it what the chart wants; ``None`` if it has that."""
    if not any(wrong):
        return [None] * len(wrong)
    return [
        merge_patch(group.update.live[member.entry.key], right, exact_numbers=True) or None if paths else None
        for member, right, paths in zip(group.members, expected_objects(group, rewrites), wrong, strict=True)
    ]


def _policy_ahead(member: GroupMember, prediction: Prediction) -> str:
    wanted = policy_of(member.entry.body)
    if wanted is None or prediction.error or policy_of(prediction.live) == wanted:
        return ""
    return str(wanted)


def _pinned_and_true(
    group: CollisionGroup, proposals: Sequence[DocumentRewrite]
) -> tuple[list[DocumentRewrite], tuple[Prediction, ...]]:
    """The proposals with pins as needed, without labels and ownership metadata that would be stored but not live."""
    rewrites, predictions = with_pins(group, proposals)
    true = [
        _without_false_metadata(proposal, prediction, group.update.live.get(member.entry.key))
        for member, proposal, prediction in zip(group.members, proposals, predictions, strict=True)
    ]
    return (rewrites, predictions) if true == list(proposals) else with_pins(group, true)


def _stored(
    group: CollisionGroup, rewrites: list[DocumentRewrite], before: tuple[Prediction, ...], wrong: Sequence[Paths]
) -> tuple[list[DocumentRewrite], tuple[Prediction, ...]]:
    """The rewrites with live values stored where the chart will not be live; unchanged if that would not be true."""
    expected = expected_objects(group, rewrites)
    predictions = [_postponed(group, member, each) for member, each in zip(group.members, before, strict=True)]
    request = [
        replace(rewrite, replacement=as_live_document(group, index, rewrite, prediction, expected[index]), pin="")
        if wrong[index]
        else rewrite
        for index, (rewrite, prediction) in enumerate(zip(rewrites, predictions, strict=True))
    ]
    settled, answers = _pinned_and_true(group, request)
    true = all(
        not answer.error
        and (
            rewrite.replacement is None
            or stays_true(group, member.entry, rewrite.replacement, before=now, after=answer, right=right)
        )
        for member, rewrite, now, answer, right in zip(
            group.members, settled, predictions, answers, expected, strict=True
        )
    )
    return (settled, answers) if true else (rewrites, before)


def _postponed(group: CollisionGroup, member: GroupMember, prediction: Prediction) -> Prediction:
    """The prediction; for a postponed object the live one with the predicted metadata."""
    if member.entry.key not in group.postponed or prediction.error:
        return prediction
    live = group.update.live[member.entry.key]
    return replace(prediction, live={**live, "metadata": prediction.live["metadata"]})


def _without_false_metadata(proposal: DocumentRewrite, prediction: Prediction, live: Json) -> DocumentRewrite:
    """The proposal without a label or ownership metadata that would be stored but not live."""
    if live is None or prediction.error:
        return proposal
    metadata = prediction.live.get("metadata") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    label = proposal.label if proposal.label and labels.get(proposal.label[0]) == proposal.label[1] else None
    carried = proposal.owner is not None and (
        labels.get(MANAGED_BY) == "Helm"
        and annotations.get(RELEASE_NAME) == proposal.owner.name
        and annotations.get(RELEASE_NAMESPACE) == proposal.owner.namespace
    )
    return replace(proposal, label=label, owner=proposal.owner if carried else None)
