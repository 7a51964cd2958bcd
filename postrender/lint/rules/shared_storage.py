"""Two API groups share the stored object.

An Event of the core group and one of events.k8s.io are one stored object with two API groups. So were the kinds that
moved from extensions to apps, networking.k8s.io and policy. If a chart moves such an object to the other group, Helm
3.17.1 and later, and Helm 4, update it under the new group and then delete it under the old one: the object is gone,
and Helm reports success.

Fix: Annotate the live object with `helm.sh/resource-policy: keep` before that upgrade.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.kubernetes_kinds import SHARED
from postrender.lint.model import Facts, Severity, Trouble

CODE = "PL108"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object of a kind that a second group serves as the same one."""
    for subject in facts.managed:
        other = SHARED.get(subject.key.group_kind)
        if other is not None:
            yield Trouble(
                subject,
                Severity.WARNING,
                f"is the same stored object as one of its kind in {other or 'the core group'}: "
                "an upgrade that moves it there has Helm 3.17.1 and later delete it",
                ("before such an upgrade, annotate the live object with helm.sh/resource-policy=keep",),
                ("apiVersion",),
            )
