"""The object of a stored revision deleted, if it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.explain import Asked, Kubectl
from postrender.cluster.reading import exact_path
from postrender.cluster.transport import Transport
from postrender.cluster.writing import carried_out
from postrender.releases import StoredObject
from postrender.source import Wanted


def delete(transport: Transport, stored: StoredObject, kubectl: Kubectl) -> None:
    """Delete it under the precondition that it is the very object that was read, and unchanged.

    One that is gone already is no error. Raises ClusterError, which says whether it was deleted.
    """
    live, resource = stored.live, stored.storage.resource
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=True)
    held = {"uid": live.uid, "resourceVersion": live.resource_version}
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": held}
    outcome = transport.request(
        "DELETE", exact_path(wanted), body=json.dumps(options).encode(), content_type="application/json"
    )
    asked = Asked("delete", resource, wanted.namespace, wanted.name)
    carried_out(outcome, wanted, "deleted", {200, 202, 404}, asked, kubectl)
