"""Two versions of a chart as pairs of objects: what an upgrade changes, what it deletes, and what got another name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from postrender._record import Record
from postrender.cluster import builtin_kinds
from postrender.lint.kubernetes_kinds import stored_as
from postrender.lint.model import Facts, Rendering, Subject, rendering
from postrender.models import CRD, KEEP, RESOURCE_POLICY, GroupKind, Json, ObjectKey

_HASH = re.compile(r"-[0-9a-z]{8,}")
_ONCE = ("Job", "Pod")
"""Kinds whose objects get another name for each version on purpose."""


class Pair(Record):
    """An object of the old version, and the one of the new version that takes its place."""

    old: Subject
    new: Subject


def renderings(old: bytes, new: bytes, namespace: str, crds: Iterable[Json] = ()) -> tuple[Rendering, Rendering]:
    """Both streams as subjects, each knowing the other's CRDs as well; raises ManifestError."""
    known = list(crds)
    first, second = rendering(old, namespace, known), rendering(new, namespace, known)
    only_old = _definitions(first, needed_by=second)
    only_new = _definitions(second, needed_by=first)
    return (
        rendering(old, namespace, [*known, *only_new]) if only_new else first,
        rendering(new, namespace, [*known, *only_old]) if only_old else second,
    )


def pairs(facts: Facts) -> list[Pair]:
    """The managed objects of both versions that the API server stores as one, in whatever group and version."""
    new = _by_key(facts.managed)
    old = facts.before.managed if facts.before else ()
    return [Pair(subject, new[key]) for subject in old if (key := _stored(subject.key)) in new]


def left(facts: Facts) -> list[Subject]:
    """The managed objects of the old version that the new one no longer manages, but for names made by chance."""
    if facts.before is None:
        return []
    return _without_twin(facts.before, {pair.old.key for pair in pairs(facts)})


def renamed(facts: Facts) -> list[Pair]:
    """Objects that left, each with the one object of its kind that came instead, in the same template if one is named.

    Only where there is no other choice. Names that end in a hash, and Jobs, are meant to change.
    """
    gone = [subject for subject in left(facts) if subject.key.group_kind.kind not in _ONCE]
    came = _without_twin(facts, {pair.new.key for pair in pairs(facts)})
    found: list[Pair] = []
    for place in (_template, _kind):
        taken = {subject.key for pair in found for subject in (pair.old, pair.new)}
        old = _alone((subject for subject in gone if subject.key not in taken), place)
        new = _alone((subject for subject in came if subject.key not in taken), place)
        found += [Pair(old[where], new[where]) for where in old if where in new]
    return [pair for pair in found if not _hashed(pair)]


def regrouped(facts: Facts) -> list[Pair]:
    """Objects of the same Kind, namespace and name in another API group, which are other objects for the API server."""
    came = _without_twin(facts, {pair.new.key for pair in pairs(facts)})
    new = {(subject.key.group_kind.kind, subject.key.namespace, subject.key.name): subject for subject in came}
    old = [(subject, (subject.key.group_kind.kind, subject.key.namespace, subject.key.name)) for subject in left(facts)]
    return [Pair(subject, new[key]) for subject, key in old if key in new]


def definitions(facts: Facts, *, apart: bool) -> dict[str, Subject]:
    """The CRDs by their names: those of folders ``crds/``, or those of the release."""
    subjects = (subject for subject in facts.subjects if subject.key.group_kind == CRD and not subject.hook)
    return {subject.key.name: subject for subject in subjects if subject.apart is apart}


def stays(subject: Subject) -> bool:
    """Whether an upgrade keeps an object that left the chart; it takes no other spelling, as an uninstall does."""
    return subject.ref.annotations.get(RESOURCE_POLICY) == KEEP


def differing(one: Json, other: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths at which two objects differ, as deep as both are mappings."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from differing(one.get(key), other.get(key), (*path, key))
    elif one != other:
        yield path


def generated(facts: Facts, subject: Subject) -> list[tuple[str, ...]]:
    """The paths of values that differ in a second rendering; none for a stream."""
    twin = _by_key(facts.again.subjects).get(_stored(subject.key)) if facts.again else None
    if facts.again is None or twin is None:
        return []
    return list(differing(facts.stream.value(subject), facts.again.value(twin)))


def part(body: Json, *path: str) -> Json:
    """A field of an object; ``None`` if it has none."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _definitions(stream: Rendering, *, needed_by: Rendering) -> list[Json]:
    """The CRDs of one stream that the other one lacks, if it has custom resources."""
    if all(builtin_kinds.builtin_resource(subject.ref.gvk) for subject in needed_by.subjects):
        return []
    known = {subject.key.name for subject in needed_by.subjects if subject.key.group_kind == CRD}
    return [
        stream.value(subject)
        for subject in stream.subjects
        if subject.key.group_kind == CRD and subject.key.name not in known
    ]


def _stored(key: ObjectKey) -> ObjectKey:
    return ObjectKey(stored_as(key.group_kind), key.namespace, key.name)


def _by_key(subjects: Iterable[Subject]) -> dict[ObjectKey, Subject]:
    return {_stored(subject.key): subject for subject in subjects}


def _without_twin(facts: Facts, paired: set[ObjectKey]) -> list[Subject]:
    again = {subject.key for subject in facts.again.subjects} if facts.again else None
    return [
        subject
        for subject in facts.managed
        if subject.key not in paired and subject.key.name and (again is None or subject.key in again)
    ]


def _template(subject: Subject) -> tuple[GroupKind, str]:
    """Kind and template, without the chart's own name, which may have changed."""
    return stored_as(subject.key.group_kind), subject.source.partition("/")[2]


def _kind(subject: Subject) -> tuple[GroupKind, str]:
    return stored_as(subject.key.group_kind), ""


def _alone(
    subjects: Iterable[Subject], place: Callable[[Subject], tuple[GroupKind, str]]
) -> dict[tuple[GroupKind, str], Subject]:
    found: dict[tuple[GroupKind, str], list[Subject]] = {}
    for subject in subjects:
        found.setdefault(place(subject), []).append(subject)
    return {where: of_kind[0] for where, of_kind in found.items() if len(of_kind) == 1}


def _hashed(pair: Pair) -> bool:
    old, new = (_HASH.sub("", subject.key.name) for subject in (pair.old, pair.new))
    return old == new and pair.old.key.namespace == pair.new.key.namespace
