"""The rewritings of one group of lookalikes, found by simulating what Helm does with them.

Helm looks at objects of one Kind, namespace and name together (or, when newer, of one group and Kind), so such a
group can be judged without the rest of the stream. Rewritings are proposed, Helm's own ``Update`` is simulated with
them, and what the simulation objects to is answered by a pin, by storing what is live, or taken back. What is chosen
is judged by two steps: this run, and the next upgrade of the same chart with what is then stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postrender.helm.matching import identity
from postrender.helm.patch import differs
from postrender.helm.predict import Prediction
from postrender.helm.versions import Matching
from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, RESOURCE_POLICY, Json
from postrender.plan.judge import Paths, differing, next_upgrade, policy_of, simulated, truth
from postrender.plan.rewriting import Group, Member, Outcome, Rewriting
from postrender.record import replace


def rewrite(group: Group) -> tuple[Outcome, ...]:
    """The rewritings this Helm will carry out as they say, one for each member."""
    wishes = [member.wish for member in group.members]
    rewritings, predictions = _settled(group, wishes)
    wrong = differing(group, rewritings, predictions)
    if group.store and any(wrong):
        rewritings, predictions = _stored(group, rewritings, predictions, wrong)
        wrong = differing(group, rewritings, predictions)
    mended = _mended(group, rewritings, predictions)
    return tuple(
        Outcome(
            rewriting,
            prediction,
            withheld=(member.wish.label, member.wish.stamp) != (rewriting.label, rewriting.stamp),
            differing=paths,
            mended=right,
            policy=_policy_ahead(member, prediction),
        )
        for member, rewriting, prediction, paths, right in zip(
            group.members, rewritings, predictions, wrong, mended, strict=True
        )
    )


def _policy_ahead(member: Member, prediction: Prediction) -> str:
    wanted = policy_of(member.entry.body)
    if wanted is None or prediction.error or policy_of(prediction.live) == wanted:
        return ""
    return str(wanted)


def _settled(group: Group, wishes: Sequence[Rewriting]) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The wishes, pinned where needed, and without labels and stamps that would be stored and not be live."""
    rewritings, predictions = _pinned(group, wishes)
    true = [
        _without_untrue(wish, prediction, group.frame.live.get(member.entry.key))
        for member, wish, prediction in zip(group.members, wishes, predictions, strict=True)
    ]
    return (rewritings, predictions) if true == list(wishes) else _pinned(group, true)


def _pinned(group: Group, wishes: Sequence[Rewriting]) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The wishes with a pin wherever one turns a refused patch into a valid one."""
    chosen = list(wishes)
    predictions = simulated(group, chosen)
    for index, member in enumerate(group.members):
        if not predictions[index].stale_version:
            continue
        for pin in _versions(group, member):
            trial = [*chosen[:index], replace(chosen[index], pin=pin), *chosen[index + 1 :]]
            answers = simulated(group, trial)
            if not answers[index].error:
                chosen, predictions = trial, answers
                break
    return chosen, predictions


def _versions(group: Group, member: Member) -> list[str]:
    """Versions that could keep ``resourceVersion: null`` out of the patch: the stored one first.

    The stored one cancels out of a patch that is made against the object's own stored manifest, so that no conflict
    can arise; against anything else only the live one is valid.
    """
    own = identity(Matching.GROUP_KIND, member.entry.gvk, member.entry.key)
    stored = [entry.body for entry in group.frame.stored if identity(Matching.GROUP_KIND, entry.gvk, entry.key) == own]
    bodies = [*stored[:1], group.frame.live.get(member.entry.key)]
    versions = [str((body.get("metadata") or {}).get("resourceVersion") or "") for body in bodies if body]
    return [version for version in versions if version]


def _stored(
    group: Group, rewritings: list[Rewriting], predictions: tuple[Prediction, ...], wrong: Sequence[Paths]
) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The rewritings with the truth stored where the chart will not be live; as they were where that is not true."""
    trial = [
        replace(rewriting, store=truth(group, index, rewriting, prediction), pin="") if wrong[index] else rewriting
        for index, (rewriting, prediction) in enumerate(zip(rewritings, predictions, strict=True))
    ]
    settled, answers = _settled(group, trial)
    true = all(
        not answer.error and (rewriting.store is None or not _untrue(rewriting.store, answer.live))
        for rewriting, answer in zip(settled, answers, strict=True)
    )
    return (settled, answers) if true else (rewritings, predictions)


def _untrue(said: Json, live: Json) -> bool:
    """Whether the document says anything that will not be live; the resource policy may be ahead of what is live."""
    if not (isinstance(said, dict) and isinstance(live, dict)):
        return bool(differs(said, live))
    return any(
        key not in live or _untrue(value, live[key])
        for key, value in said.items()
        if key != RESOURCE_POLICY and (key != "annotations" or key in live)
    )


def _mended(group: Group, rewritings: Sequence[Rewriting], predictions: Sequence[Prediction]) -> list[bool]:
    """For each member, whether the next upgrade of the same chart makes, or leaves, it what the chart wants."""
    alone = len(group.members) == 1 and len(group.frame.stored) <= 1
    if alone or any(prediction.error for prediction in predictions):
        # Compared with nothing but itself, the next upgrade sends what differs from what is stored, which is true.
        return [True] * len(predictions)
    later = next_upgrade(group, rewritings, predictions)
    wishes, answers = _pinned(later, [member.wish for member in group.members])
    wrong = differing(group, wishes, answers)
    return [not answer.error and not paths for answer, paths in zip(answers, wrong, strict=True)]


def _without_untrue(wish: Rewriting, prediction: Prediction, live: Json) -> Rewriting:
    """The wish without the label or stamp that would be stored and not be live."""
    if live is None or prediction.error:
        return wish
    metadata = prediction.live.get("metadata") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    label = wish.label if wish.label and labels.get(wish.label[0]) == wish.label[1] else None
    carried = wish.stamp is not None and (
        labels.get(MANAGED_BY) == "Helm"
        and annotations.get(RELEASE_NAME) == wish.stamp.name
        and annotations.get(RELEASE_NAMESPACE) == wish.stamp.namespace
    )
    return replace(wish, label=label, stamp=wish.stamp if carried else None)
