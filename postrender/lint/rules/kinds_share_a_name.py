"""Kinds in several API groups share one name.

Helm 3.17.0 and older treat two objects as one if Kind, namespace and name are equal, whatever the API group. If both
are kept and the second is a custom resource, they cannot be installed again: the patch contains `resourceVersion:
null`, and the API server rejects it. In an upgrade the second object is compared with the old manifest of the first:
fields that are equal there are not applied. If one leaves the chart, Helm leaves it behind. With `--live`, the rule
also checks live objects of Helm releases.

Fix: Rename one of them, or use Helm 3.17.1 or later, or postrender.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.cluster import builtin_kinds
from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.models import LiveObject

CODE = "PL101"
_NEXT = ("give one of them another name", "or use helm 3.17.1 or later, or --post-renderer postrender")


def check(facts: Facts) -> Iterator[Trouble]:
    """One trouble for each object whose Kind, namespace and name an earlier one has in another group."""
    first: dict[tuple[str, str, str], Subject] = {}
    for subject in facts.managed:
        if not subject.key.name:
            continue
        place = (subject.key.group_kind.kind, subject.key.namespace, subject.key.name)
        other = first.setdefault(place, subject)
        if other.key != subject.key:
            yield _pair(subject, other)
    for live in facts.live:
        place = (live.key.group_kind.kind, live.key.namespace, live.key.name)
        twin = first.get(place)
        if twin is not None and twin.key.group_kind != live.key.group_kind and _ours(live, facts.release):
            yield _beside(twin, live)


def _pair(subject: Subject, other: Subject) -> Trouble:
    fails = subject.kept and other.kept and builtin_kinds.builtin_resource(subject.ref.gvk) is None
    what = (
        "Helm 3.17.0 and older cannot install the two again once an uninstall has kept them"
        if fails
        else "Helm 3.17.0 and older compare it with the other one in an upgrade, and fields stay as they were"
    )
    return Trouble(
        subject,
        Severity.ERROR if fails else Severity.WARNING,
        f"shares its Kind and name with {other.name} ({other.place}): {what}",
        _NEXT,
        ("metadata", "name"),
    )


def _beside(subject: Subject, live: LiveObject) -> Trouble:
    return Trouble(
        subject,
        Severity.WARNING,
        f"shares its Kind and name with the live {live.key} of release {live.owner}: where that release holds both, "
        "Helm 3.17.0 and older treat them as one",
        _NEXT,
        ("metadata", "name"),
    )


def _ours(live: LiveObject, release: str) -> bool:
    """Whether a release owns it, this one where its name is known."""
    return live.owner is not None and (not release or live.owner.name == release)
