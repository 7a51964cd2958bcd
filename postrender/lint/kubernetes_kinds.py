"""Which Kubernetes serves which of its own kinds, as a table: ``tools/kubernetes.py`` writes it."""

from __future__ import annotations

import json
from functools import cache

from postrender._record import Record
from postrender.models import GroupKind, GroupVersionKind
from postrender.text import packaged

NEWEST = 37
"""The minor version of the newest Kubernetes that the table knows."""

SHARED = {
    GroupKind("", "Event"): "events.k8s.io",
    GroupKind("events.k8s.io", "Event"): "",
    GroupKind("extensions", "DaemonSet"): "apps",
    GroupKind("extensions", "Deployment"): "apps",
    GroupKind("extensions", "ReplicaSet"): "apps",
    GroupKind("extensions", "Ingress"): "networking.k8s.io",
    GroupKind("extensions", "NetworkPolicy"): "networking.k8s.io",
    GroupKind("extensions", "PodSecurityPolicy"): "policy",
}
"""Kinds that a second group serves as the same stored objects, and that group."""


class Served(Record):
    """The minor versions of Kubernetes that first serve a kind, and that first do no longer; ``None``: not known."""

    since: int | None
    until: int | None


@cache
def table() -> dict[GroupVersionKind, Served]:
    """Every kind of Kubernetes' own, in every version it ever was served in, as far as known."""
    rows = json.loads(packaged(__name__, "kubernetes_kinds.json"))
    return {GroupVersionKind(group, version, kind): Served(*when) for group, version, kind, *when in rows}


@cache
def groups() -> frozenset[str]:
    """The groups of Kubernetes' own."""
    return frozenset(gvk.group for gvk in table())


def replacement(gvk: GroupVersionKind, minor: int) -> GroupVersionKind | None:
    """The same kind as that Kubernetes serves it, in this group or another; a stable version goes before others."""
    served = [
        other
        for other, when in table().items()
        if other.kind == gvk.kind
        and other != gvk
        and (when.since is None or when.since <= minor)
        and (when.until is None or minor < when.until)
    ]
    return min(
        served, key=lambda other: (other.group != gvk.group, "a" in other.version[1:], other.version), default=None
    )


def stored_as(kind: GroupKind) -> GroupKind:
    """The kind as which the API server stores its objects: ``Deployment.apps`` for ``Deployment.extensions``."""
    return GroupKind(SHARED[kind], kind.kind) if kind in SHARED and kind.group else kind
