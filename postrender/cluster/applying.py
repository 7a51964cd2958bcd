"""A live object brought to what a chart says, if it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.explain import Kubectl
from postrender.cluster.transport import Transport
from postrender.cluster.writing import MERGE_PATCH, Write, write
from postrender.identity import Resource
from postrender.live import Json, LiveObject
from postrender.source import Wanted

FIELD_MANAGER = "helm"
"""What Helm calls itself (``main``, cmd/helm/helm.go of 3.21.4): the fields stay Helm's own."""


def apply(
    transport: Transport, live: LiveObject, resource: Resource, patch: Json, kubectl: Kubectl, *, dry_run: bool
) -> LiveObject:
    """Send a JSON merge patch, and answer what is live then, or in a dry run what would be.

    The resourceVersion goes with it, so that the server refuses it where the object changed since it was read. Raises
    ClusterError, which says whether anything was written.
    """
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=True)
    metadata = {**(patch.get("metadata") or {}), "resourceVersion": live.resource_version}
    body = json.dumps({**patch, "metadata": metadata}).encode()
    done = "brought to what the chart says" + (" (tried as a dry run)" if dry_run else "")
    change = Write(wanted, "PATCH", body, MERGE_PATCH, FIELD_MANAGER, done, dry_run=dry_run)
    return write(transport, change, kubectl)
