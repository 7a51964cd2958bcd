"""The two steps a rewriting is judged by: this run, with pins where Helm's patch needs them, and the next upgrade."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.helm.matching import identity
from postrender.helm.predict import Prediction
from postrender.helm.versions import Matching
from postrender.plan.judge import differing, next_upgrade, simulated
from postrender.plan.rewriting import Group, Member, Rewriting
from postrender.record import replace


def pinned(group: Group, wishes: Sequence[Rewriting]) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
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


def mended(group: Group, rewritings: Sequence[Rewriting], predictions: Sequence[Prediction]) -> list[bool]:
    """For each member, whether the next upgrade of the same chart makes, or leaves, it what the chart wants."""
    alone = len(group.members) == 1 and len(group.frame.stored) <= 1
    alone = alone and not (group.fresh and any(rewriting.store is not None for rewriting in rewritings))
    if alone or any(prediction.error for prediction in predictions):
        # Compared with nothing but itself, the next upgrade sends what differs from what is stored, which is true.
        return [True] * len(predictions)
    later = next_upgrade(group, rewritings, predictions)
    wishes, answers = pinned(later, [member.wish for member in group.members])
    wrong = differing(group, wishes, answers)
    return [not answer.error and not paths for answer, paths in zip(answers, wrong, strict=True)]
