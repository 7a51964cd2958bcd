"""The one write: ownership metadata onto a live object, if it is still as it was read."""

from __future__ import annotations

import json

from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.explain import Asked, Kubectl, message, unclear
from postrender.cluster.parallel import one
from postrender.cluster.reading import METADATA, exact_path, verified
from postrender.cluster.transport import Transport
from postrender.errors import ClusterError
from postrender.identity import Resource, object_name
from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, LiveObject, ReleaseName
from postrender.source import Misshapen, Wanted

FIELD_MANAGER = "postrender"
"""Who the API server says wrote the three values. A later server-side apply of the same values meets no conflict."""


def stamp(
    transport: Transport, live: LiveObject, resource: Resource, release: ReleaseName, kubectl: Kubectl
) -> LiveObject:
    """Write one label and two annotations by a JSON merge patch, and answer what is live then.

    The patch carries the resourceVersion, so that the server refuses it where the object changed since it was read.
    Raises ClusterError, which says whether anything was written.
    """
    where = object_name(resource, live.key)
    wanted = Wanted(resource, live.key.namespace, live.key.name, body=live.body is not None)
    asked = Asked("patch", resource, wanted.namespace, wanted.name)
    path = exact_path(wanted)
    late: Answer | NoAnswer = NoAnswer(f"no answer within {transport.patience:g} s")
    outcome = one(
        lambda: transport.request(
            "PATCH",
            path,
            query=f"fieldManager={FIELD_MANAGER}",
            accept="application/json" if wanted.body else METADATA,
            body=json.dumps(_patch(live, release)).encode(),
            content_type="application/merge-patch+json",
        ),
        patience=transport.patience,
        given_up=late,
    )
    if isinstance(outcome, NoAnswer):
        raise ClusterError(
            f"it was to be stamped for release {release}, and whether it was is not known: {outcome.reason}",
            where=where,
            next=(kubectl.call(f"get {resource.qualified} {wanted.name} -o yaml", wanted.namespace),),
        )
    if outcome.status == 409:
        raise ClusterError(
            f"it changed since it was read, so it was not stamped for release {release}: {message(outcome)}",
            where=where,
            next="run the same command again",
        )
    if outcome.status != 200:
        why = unclear(outcome, kubectl, asked)
        raise ClusterError(f"it could not be stamped for release {release}: {why.reason}", where=where, next=why.next)
    try:
        stamped = verified(outcome, wanted)
    except Misshapen as error:
        raise ClusterError(
            f"it was stamped for release {release}, but the answer is odd: {error}", where=where
        ) from error
    if stamped.uid != live.uid or stamped.owner != release or not stamped.managed_by_helm:
        raise ClusterError(
            f"the server took the stamps of release {release}, but the object does not show them",
            where=where,
            next=(kubectl.call(f"get {resource.qualified} {wanted.name} -o yaml", wanted.namespace),),
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
