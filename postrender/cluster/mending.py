"""A live object brought to what a release stores, if it is still as it was read, or made where it is missing."""

from __future__ import annotations

import json

from postrender.cluster.applying import FIELD_MANAGER
from postrender.cluster.explain import Kubectl
from postrender.cluster.transport import Transport
from postrender.cluster.writing import Write, write
from postrender.drift import How, Mending
from postrender.identity import ObjectKey, Resource
from postrender.live import LiveObject
from postrender.source import Wanted


def mend(
    transport: Transport,
    resource: Resource,
    key: ObjectKey,
    live: LiveObject | None,
    mending: Mending,
    kubectl: Kubectl,
    *,
    dry_run: bool,
) -> LiveObject:
    """Send it as Helm, and answer what is live then, or in a dry run what would be.

    A server-side apply takes over what others changed: those are the differences that were shown. The resourceVersion
    goes along in each case, in an applied object as a precondition (``tests/e2e/test_verify.py`` shows it). Raises
    ClusterError, which says whether anything was written.
    """
    wanted = Wanted(resource, key.namespace, key.name, body=True)
    body = mending.body
    if live is not None:
        metadata = {**(body.get("metadata") or {}), "resourceVersion": live.resource_version}
        body = {**body, "metadata": metadata}
    done = ("made" if live is None else "brought to what is stored") + (" (tried as a dry run)" if dry_run else "")
    change = Write(
        wanted,
        "POST" if mending.how is How.CREATE else "PATCH",
        json.dumps(body).encode(),
        mending.how.value,
        FIELD_MANAGER,
        done,
        dry_run=dry_run,
        force=mending.how is How.APPLY,
    )
    return write(transport, change, kubectl)
