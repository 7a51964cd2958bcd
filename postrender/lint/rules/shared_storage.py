"""Two groups share the stored object.

An Event of the core group and one of events.k8s.io are one stored object seen through two groups, and so were the kinds
that left extensions for apps, networking.k8s.io and policy. A chart that moves such an object from one group to the
other has Helm 3.17.1 and later, and Helm 4, update it under the new name and then delete it under the old: it is gone,
and Helm reports success. Mark the live object `keep` before that upgrade.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.facts import Facts
from postrender.lint.findings import Severity, Trouble
from postrender.models import GroupKind

CODE = "PL108"
_SHARED = {
    GroupKind("", "Event"): "events.k8s.io",
    GroupKind("events.k8s.io", "Event"): "the core group",
    GroupKind("extensions", "DaemonSet"): "apps",
    GroupKind("extensions", "Deployment"): "apps",
    GroupKind("extensions", "ReplicaSet"): "apps",
    GroupKind("extensions", "Ingress"): "networking.k8s.io",
    GroupKind("extensions", "NetworkPolicy"): "networking.k8s.io",
    GroupKind("extensions", "PodSecurityPolicy"): "policy",
}


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object of a kind that a second group serves as the same one."""
    for subject in facts.managed:
        other = _SHARED.get(subject.key.group_kind)
        if other:
            yield Trouble(
                subject,
                Severity.WARNING,
                f"is the same stored object as one of its kind in {other}: "
                "an upgrade that moves it there has Helm 3.17.1 and later delete it",
                ("before such an upgrade: kubectl annotate ... helm.sh/resource-policy=keep",),
                ("apiVersion",),
            )
