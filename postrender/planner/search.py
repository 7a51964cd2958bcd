"""The search for what a release should store so that this run and the next upgrade do what the chart says.

Helm looks at objects of one Kind, namespace and name together (or, when newer, of one group and Kind), so such a group
is solved without the rest of the stream: rewrites are proposed, Helm's own ``Update`` is simulated with them, and each
objection is met by a pin, by storing the live object, or by withdrawing the rewrite. With ``--on-drift apply`` the
filter first sends what Helm would report as applied and not send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postrender._record import replace
from postrender.helm.fresh_install import with_null_values
from postrender.helm.patch import apply_merge_patch, differs, merge_patch
from postrender.helm.simulate import Prediction
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Json
from postrender.planner.evaluate import (
    Paths,
    differing,
    fixed_by_next_upgrade,
    pinned,
    policy_of,
    rights,
    stays_true,
    truth,
    unkept,
)
from postrender.planner.rewrite import Group, Member, Outcome, Rewriting


def applied(group: Group, proposals: Sequence[Rewriting]) -> tuple[Outcome, ...] | None:
    """The outcomes once every object that Helm would leave wrong was brought to what the chart says.

    ``None`` where there is none, or where Helm would then still leave one wrong. What one object becomes can change
    what an old Helm does to its namesake, so it is looked again until nothing more is wrong.
    """
    live = dict(group.frame.live)
    found: dict[int, Paths] = {}
    now = group
    while True:
        rewritings, predictions = pinned(now, proposals)
        wrong = differing(now, rewritings, predictions, policy=True)
        fresh = [index for index, paths in enumerate(wrong) if paths and index not in found]
        if not fresh:
            break
        shall = rights(now, proposals)
        for index in fresh:
            found[index] = wrong[index]
            live[group.members[index].entry.key] = shall[index]
        now = replace(group, frame=replace(group.frame, live=dict(live)))
    patches = {index: _patch(group, now, index) for index in found}
    if not found or any(wrong) or None in patches.values():
        return None
    later = fixed_by_next_upgrade(now, rewritings, predictions)
    return tuple(
        Outcome(
            rewriting,
            prediction,
            differing=found.get(index, ()),
            fixed_by_next_upgrade=right,
            apply=patches.get(index),
            repair_patch=patches.get(index),
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


def rewrite(group: Group) -> tuple[Outcome, ...]:
    """The rewritings this Helm will carry out as they say, one for each member."""
    found = _rewritten(group)
    filled = _without_nulls(group, found)
    if filled is None:
        return found
    return tuple(
        _of_charts_document(outcome, before, after)
        for outcome, before, after in zip(_rewritten(filled), group.members, filled.members, strict=True)
    )


def _without_nulls(group: Group, found: Sequence[Outcome]) -> Group | None:
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
        group,
        members=[replace(member, entry=entry) for member, entry in zip(group.members, entries, strict=True)],
    )


def _of_charts_document(outcome: Outcome, before: Member, after: Member) -> Outcome:
    """The outcome of a member without nulls, as a rewriting of the chart's own document."""
    nulls = tuple(differs(before.entry.body, after.entry.body))
    if not nulls:
        return outcome
    rewriting = outcome.rewriting
    store = rewriting.stripped(after.entry.body) if rewriting.store is None else rewriting.store
    return replace(outcome, rewriting=replace(rewriting, store=store), nulls=nulls)


def _rewritten(group: Group) -> tuple[Outcome, ...]:
    proposals = [member.proposed for member in group.members]
    if group.apply and (done := applied(group, proposals)) is not None:
        return done
    rewritings, predictions = _settled(group, proposals)
    wrong = differing(group, rewritings, predictions)
    repairs = _repair_patches(group, rewritings, wrong)
    if group.store and any(wrong):
        rewritings, predictions = _stored(group, rewritings, predictions, wrong)
        wrong = differing(group, rewritings, predictions)
    alone = len(group.members) == 1
    untrue = alone and bool(group.frame.stored)
    right = fixed_by_next_upgrade(group, rewritings, predictions)
    stuck = any(
        paths and (rewriting.store is None or not later)
        for rewriting, paths, later in zip(rewritings, wrong, right, strict=True)
    )
    appliable = stuck and not group.apply and applied(group, proposals) is not None
    return tuple(
        Outcome(
            rewriting,
            prediction,
            withheld=(member.proposed.label, member.proposed.stamp) != (rewriting.label, rewriting.stamp),
            differing=paths,
            # What is stored instead of the chart is a cure only if the next upgrade can run at all.
            fixed_by_next_upgrade=later and (rewriting.store is None or all(right)),
            policy=_policy_ahead(member, prediction),
            untrue=untrue,
            appliable=appliable,
            repair_patch=repair,
            unkept=left,
            stays=alone and not later and member.entry.key in group.fresh,
        )
        for member, rewriting, prediction, paths, later, repair, left in zip(
            group.members, rewritings, predictions, wrong, right, repairs, unkept(group, rewritings), strict=True
        )
    )


def _repair_patches(group: Group, rewritings: Sequence[Rewriting], wrong: Sequence[Paths]) -> list[Json]:
    """For each member the merge patch that would have it right, ``None`` where it is."""
    if not any(wrong):
        return [None] * len(wrong)
    return [
        merge_patch(group.frame.live[member.entry.key], right, exact_numbers=True) or None if paths else None
        for member, right, paths in zip(group.members, rights(group, rewritings), wrong, strict=True)
    ]


def _policy_ahead(member: Member, prediction: Prediction) -> str:
    wanted = policy_of(member.entry.body)
    if wanted is None or prediction.error or policy_of(prediction.live) == wanted:
        return ""
    return str(wanted)


def _settled(group: Group, proposals: Sequence[Rewriting]) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The wishes, pinned where needed, and without labels and stamps that would be stored and not be live."""
    rewritings, predictions = pinned(group, proposals)
    true = [
        _without_untrue(proposal, prediction, group.frame.live.get(member.entry.key))
        for member, proposal, prediction in zip(group.members, proposals, predictions, strict=True)
    ]
    return (rewritings, predictions) if true == list(proposals) else pinned(group, true)


def _stored(
    group: Group, rewritings: list[Rewriting], before: tuple[Prediction, ...], wrong: Sequence[Paths]
) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The rewritings with the truth stored where the chart will not be live; as they were where that is not true."""
    shall = rights(group, rewritings)
    predictions = [_postponed(group, member, each) for member, each in zip(group.members, before, strict=True)]
    request = [
        replace(rewriting, store=truth(group, index, rewriting, prediction, shall[index]), pin="")
        if wrong[index]
        else rewriting
        for index, (rewriting, prediction) in enumerate(zip(rewritings, predictions, strict=True))
    ]
    settled, answers = _settled(group, request)
    true = all(
        not answer.error
        and (
            rewriting.store is None
            or stays_true(group, member.entry, rewriting.store, before=now, after=answer, right=right)
        )
        for member, rewriting, now, answer, right in zip(
            group.members, settled, predictions, answers, shall, strict=True
        )
    )
    return (settled, answers) if true else (rewritings, before)


def _postponed(group: Group, member: Member, prediction: Prediction) -> Prediction:
    """The prediction; of an object that this run shall leave as it is, what is live, but for the metadata."""
    if member.entry.key not in group.postponed or prediction.error:
        return prediction
    live = group.frame.live[member.entry.key]
    return replace(prediction, live={**live, "metadata": prediction.live["metadata"]})


def _without_untrue(proposal: Rewriting, prediction: Prediction, live: Json) -> Rewriting:
    """The wish without the label or stamp that would be stored and not be live."""
    if live is None or prediction.error:
        return proposal
    metadata = prediction.live.get("metadata") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    label = proposal.label if proposal.label and labels.get(proposal.label[0]) == proposal.label[1] else None
    carried = proposal.stamp is not None and (
        labels.get(MANAGED_BY) == "Helm"
        and annotations.get(RELEASE_NAME) == proposal.stamp.name
        and annotations.get(RELEASE_NAMESPACE) == proposal.stamp.namespace
    )
    return replace(proposal, label=label, stamp=proposal.stamp if carried else None)
