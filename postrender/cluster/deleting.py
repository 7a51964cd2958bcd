"""The object of a stored revision deleted, if it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.answer import NoAnswer
from postrender.cluster.explain import Asked, Kubectl, message, unclear
from postrender.cluster.reading import exact_path
from postrender.cluster.transport import Transport
from postrender.cluster.writing import look_at
from postrender.errors import ClusterError
from postrender.identity import object_name
from postrender.releases import StoredObject
from postrender.source import Wanted


def delete(transport: Transport, stored: StoredObject, kubectl: Kubectl) -> None:
    """Delete it under the precondition that it is the very object that was read, and unchanged.

    One that is gone already is no error. Raises ClusterError, which says whether it was deleted.
    """
    live, resource = stored.live, stored.storage.resource
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=True)
    where = object_name(resource, wanted.key)
    held = {"uid": live.uid, "resourceVersion": live.resource_version}
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": held}
    outcome = transport.request(
        "DELETE", exact_path(wanted), body=json.dumps(options).encode(), content_type="application/json"
    )
    if isinstance(outcome, NoAnswer):
        raise ClusterError(
            f"it was to be deleted, and whether it was is not known: {outcome.reason}",
            where=where,
            next=look_at(wanted, kubectl),
        )
    if outcome.status == 409:
        raise ClusterError(
            f"it changed since it was read, so it was not deleted: {message(outcome)}",
            where=where,
            next="run the same command again",
        )
    if outcome.status not in (200, 202, 404):
        why = unclear(outcome, kubectl, Asked("delete", resource, wanted.namespace, wanted.name))
        raise ClusterError(f"it could not be deleted: {why.reason}", where=where, next=why.next)
