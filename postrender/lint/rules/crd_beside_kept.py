"""Kept custom resources, but their CRD is deleted.

Deleting a CustomResourceDefinition deletes every object of its kind, so an uninstall that keeps the objects but not
the CRD keeps nothing. If both are templates of one chart, the first installation fails too: Helm looks up every kind
before it creates anything, and this one does not exist yet.

Fix: Move the CRD to the chart's folder `crds/`, which Helm installs first and never deletes, or to a chart of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.cluster import builtin_kinds
from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.models import CRD, GroupKind

CODE = "PL114"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every CustomResourceDefinition of the release with a kept object of its kind."""
    kept: dict[GroupKind, Subject] = {}
    for subject in facts.kept:
        kept.setdefault(subject.key.group_kind, subject)
    for subject in facts.managed:
        if subject.key.group_kind != CRD:
            continue
        kinds = {resource.gvk.group_kind for resource in builtin_kinds.resources_of_crd(facts.stream.value(subject))}
        for kind in sorted(kinds & kept.keys(), key=str):
            yield _trouble(subject, kept[kind])


def _trouble(subject: Subject, one: Subject) -> Trouble:
    what = (
        "a first installation fails, because the kind is not served yet when Helm looks it up"
        if subject.kept
        else "an uninstall deletes it, and with it the kept objects of its kind"
    )
    return Trouble(
        subject,
        Severity.WARNING if subject.kept else Severity.ERROR,
        f"is part of the release that keeps {one.name}: {what}",
        ("move it to the chart's folder crds/, or to a chart of its own",),
        ("metadata", "name"),
    )
