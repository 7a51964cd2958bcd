"""What to write into the documents of one group of lookalikes, found by simulating what Helm does with it.

Helm looks at objects of one Kind, namespace and name together (or, when newer, of one group and Kind), so such a
group can be judged without the rest of the stream. A rewriting is proposed, Helm's own ``Update`` is simulated with
it, and what the simulation objects to is answered by a pin or taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from postrender.helm.matching import identity
from postrender.helm.patch import differs
from postrender.helm.predict import SERVER_KEPT, Entry, Prediction, Update, simulate, stamped
from postrender.helm.versions import Matching
from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Json, ReleaseName


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What is written into one document: label values and annotations to set, fields to take out, a pin.

    ``label`` is ``(key, value)`` or ``None``; ``strip`` are dotted paths of server-set fields.
    """

    strip: tuple[str, ...] = ()
    label: tuple[str, str] | None = None
    stamp: ReleaseName | None = None
    pin: str = ""

    def emitted(self, body: Json) -> Json:
        """The document's value with the rewriting in it; ``body`` is not changed."""
        if self == Rewriting():
            return body
        result = dict(body)
        metadata = dict(result.get("metadata") or {})
        for path in self.strip:
            if path.startswith("metadata."):
                metadata.pop(path.removeprefix("metadata."), None)
            else:
                result.pop(path, None)
        if self.label:
            metadata["labels"] = {**(metadata.get("labels") or {}), self.label[0]: self.label[1]}
        result["metadata"] = metadata
        if self.stamp:
            result = stamped(result, self.stamp)
            metadata = result["metadata"]
        if self.pin:
            metadata["resourceVersion"] = self.pin
        return result


@dataclass(frozen=True, slots=True)
class Member:
    """One document of the group: Helm's entry without stamps, and the rewriting that is wished for it."""

    entry: Entry
    wish: Rewriting


@dataclass(frozen=True, slots=True)
class Group:
    """One group of lookalikes as this Helm will update it; ``frame`` holds all but the targets."""

    members: Sequence[Member]
    frame: Update
    release: ReleaseName


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found for one document.

    ``prediction`` is of the rewriting that is emitted. ``withheld`` says that a wished stamp or label was left out;
    ``right`` is what the object would be had Helm compared it with itself alone, ``None`` where that comes to the
    same.
    """

    rewriting: Rewriting
    prediction: Prediction
    withheld: bool = False
    right: Json = None


def rewrite(group: Group) -> tuple[Outcome, ...]:
    """The rewritings this Helm will carry out as they say, one for each member."""
    wishes = [member.wish for member in group.members]
    rewritings, _ = _pinned(group, wishes)
    predictions = _simulated(group, rewritings)
    true = [
        _without_untrue(wish, prediction, group.frame.live.get(member.entry.key))
        for member, wish, prediction in zip(group.members, wishes, predictions, strict=True)
    ]
    rewritings, predictions = _pinned(group, true)
    rights = _right(group, rewritings)
    return tuple(
        Outcome(
            rewriting,
            prediction,
            withheld=before != after,
            right=None if prediction.error or _same(prediction.live, right) else right,
        )
        for rewriting, prediction, before, after, right in zip(
            rewritings, predictions, wishes, true, rights, strict=True
        )
    )


def _pinned(group: Group, wishes: Sequence[Rewriting]) -> tuple[list[Rewriting], tuple[Prediction, ...]]:
    """The wishes with a pin wherever one, and only one, turns a refused patch into a valid one."""
    chosen = list(wishes)
    predictions = _simulated(group, chosen)
    for index, member in enumerate(group.members):
        if not predictions[index].stale_version:
            continue
        for pin in _candidates(group, member):
            trial = [*chosen[:index], replace(chosen[index], pin=pin), *chosen[index + 1 :]]
            simulated = _simulated(group, trial)
            if not simulated[index].error:
                chosen, predictions = trial, simulated
                break
    return chosen, predictions


def _candidates(group: Group, member: Member) -> list[str]:
    """Versions that could keep ``resourceVersion: null`` out of the patch: the stored one first.

    The stored one cancels out of a patch that is made against the object's own stored manifest, so that no conflict
    can arise; against anything else only the live one is valid.
    """
    own = identity(Matching.GROUP_KIND, member.entry.gvk, member.entry.key)
    stored = [entry.body for entry in group.frame.stored if identity(Matching.GROUP_KIND, entry.gvk, entry.key) == own]
    bodies = [*stored[:1], group.frame.live.get(member.entry.key)]
    versions = [str((body.get("metadata") or {}).get("resourceVersion") or "") for body in bodies if body]
    return [version for version in versions if version]


def _simulated(group: Group, rewritings: Sequence[Rewriting]) -> tuple[Prediction, ...]:
    return simulate(replace(group.frame, targets=_targets(group, rewritings)))


def _targets(group: Group, rewritings: Sequence[Rewriting]) -> list[Entry]:
    return [
        replace(member.entry, body=stamped(rewriting.emitted(member.entry.body), group.release))
        for member, rewriting in zip(group.members, rewritings, strict=True)
    ]


def _right(group: Group, rewritings: Sequence[Rewriting]) -> list[Json]:
    """What each object would be had Helm compared it with its own stored manifest, or, adopted, with the live object.

    For a group of one that is what was simulated. The pins are left out: they are Helm's business, not the chart's.
    """
    targets = _targets(group, [replace(rewriting, pin="") for rewriting in rewritings])
    answers: list[Json] = []
    for target in targets:
        live = group.frame.live.get(target.key)
        own = identity(Matching.GROUP_KIND, target.gvk, target.key)
        stored = [
            _versionless(entry)
            for entry in group.frame.stored
            if identity(Matching.GROUP_KIND, entry.gvk, entry.key) == own
        ]
        alone = replace(
            group.frame,
            targets=[target],
            stored=stored or ([target] if live is not None else []),
            adopted=(),
            matching=Matching.GROUP_KIND,
            three_way=group.frame.three_way or not stored,
        )
        (prediction,) = simulate(alone)
        answers.append(prediction.live)
    return answers


def _versionless(entry: Entry) -> Entry:
    metadata = {name: value for name, value in (entry.body.get("metadata") or {}).items() if name != "resourceVersion"}
    return replace(entry, body={**entry.body, "metadata": metadata})


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


def _same(one: Json, other: Json) -> bool:
    return not differs(_comparable(one), _comparable(other))


def _comparable(body: Json) -> Json:
    metadata = {
        name: value
        for name, value in (body.get("metadata") or {}).items()
        if name not in SERVER_KEPT and name != "resourceVersion" and value not in ({}, None)
    }
    return {**{name: value for name, value in body.items() if name != "apiVersion"}, "metadata": metadata}
