"""The payload of a stored revision replaced, if the object that holds it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.explain import Kubectl
from postrender.cluster.stamping import FIELD_MANAGER
from postrender.cluster.transport import Transport
from postrender.cluster.writing import Write, look_at, write
from postrender.errors import ClusterError
from postrender.identity import object_name
from postrender.live import LiveObject
from postrender.releases import StoredObject
from postrender.source import Wanted


def store(transport: Transport, stored: StoredObject, packed: str, kubectl: Kubectl) -> LiveObject:
    """Replace ``data.release`` and nothing else, and answer what is live then.

    An update, not a patch: that is the right which Helm itself needs for its storage (``Update``,
    pkg/storage/driver/secrets.go of Helm 3.21.4). The object goes back as it was read, resourceVersion included, so
    that the server refuses it where somebody wrote meanwhile. Raises ClusterError, which says whether anything was
    written.
    """
    live = stored.live
    wanted = Wanted(stored.storage.resource, live.key.namespace, live.key.name, body=True)
    body = {**live.body, "data": {**live.body["data"], "release": packed}}
    done = f"given a new payload for revision {stored.revision.revision}"
    change = Write(wanted, "PUT", json.dumps(body).encode(), "application/json", FIELD_MANAGER, done)
    now = write(transport, change, kubectl)
    if now.uid != live.uid or (now.body.get("data") or {}).get("release") != packed:
        raise ClusterError(
            f"the server took the new payload of revision {stored.revision.revision}, but the object does not show it",
            where=object_name(wanted.resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return now
