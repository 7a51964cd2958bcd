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
from postrender.stamps import Stamps, stamps_for, stamps_of

FIELD_MANAGER = "postrender"
"""Who the API server says wrote the three values. A later server-side apply of the same values meets no conflict."""


def stamp(
    transport: Transport, live: LiveObject, resource: Resource, release: ReleaseName, kubectl: Kubectl
) -> LiveObject:
    """Write the stamps of a release, as ``restamp``."""
    return restamp(transport, live, resource, stamps_for(release), f"stamped for release {release}", kubectl)


def restamp(
    transport: Transport, live: LiveObject, resource: Resource, stamps: Stamps, done: str, kubectl: Kubectl
) -> LiveObject:
    """Write one label and two annotations by a JSON merge patch, and answer what is live then.

    The patch carries the resourceVersion, so that the server refuses it where the object changed since it was read.
    ``done`` as in ``Write``. Raises ClusterError, which says whether anything was written.
    """
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=live.body is not None)
    body = json.dumps(_patch(live, stamps)).encode()
    stamped = write(transport, Write(wanted, "PATCH", body, MERGE_PATCH, FIELD_MANAGER, done), kubectl)
    if stamped.uid != live.uid or stamps_of(stamped) != stamps:
        raise ClusterError(
            "the server took the stamps, but the object does not show them",
            where=object_name(resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return stamped


def _patch(live: LiveObject, stamps: Stamps) -> object:
    """``None`` takes a value out (RFC 7386)."""
    return {
        "metadata": {
            "resourceVersion": live.resource_version,
            "labels": {MANAGED_BY: stamps.managed_by},
            "annotations": {RELEASE_NAME: stamps.release_name, RELEASE_NAMESPACE: stamps.release_namespace},
        }
    }
