"""Ownership metadata written onto a live object, if it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.explain import Kubectl
from postrender.cluster.transport import Transport
from postrender.cluster.writing import MERGE_PATCH, Write, look_at, write
from postrender.errors import ClusterError
from postrender.identity import Resource, object_name
from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, LiveObject, ReleaseName
from postrender.source import Wanted

FIELD_MANAGER = "postrender"
"""Who the API server says wrote the three values. A later server-side apply of the same values meets no conflict."""


def stamp(
    transport: Transport, live: LiveObject, resource: Resource, release: ReleaseName, kubectl: Kubectl
) -> LiveObject:
    """Write one label and two annotations by a JSON merge patch, and answer what is live then.

    The patch carries the resourceVersion, so that the server refuses it where the object changed since it was read.
    Raises ClusterError, which says whether anything was written.
    """
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=live.body is not None)
    body = json.dumps(_patch(live, release)).encode()
    done = f"stamped for release {release}"
    stamped = write(transport, Write(wanted, "PATCH", body, MERGE_PATCH, FIELD_MANAGER, done), kubectl)
    if stamped.uid != live.uid or stamped.owner != release or not stamped.managed_by_helm:
        raise ClusterError(
            f"the server took the stamps of release {release}, but the object does not show them",
            where=object_name(resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return stamped


def _patch(live: LiveObject, release: ReleaseName) -> object:
    return {
        "metadata": {
            "resourceVersion": live.resource_version,
            "labels": {MANAGED_BY: "Helm"},
            "annotations": {RELEASE_NAME: release.name, RELEASE_NAMESPACE: release.namespace},
        }
    }
