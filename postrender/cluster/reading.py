"""One object, asked for by its exact path, and the proof that the answer is about it."""

from __future__ import annotations

from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.explain import Asked, Kubectl, misunderstood, unclear
from postrender.cluster.transport import Transport, segment
from postrender.identity import GroupVersionKind
from postrender.live import Absent, Found, Json, LiveObject, Observation
from postrender.source import Misshapen, Wanted, live_object

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
"""Asks for the metadata alone; a server that cannot do that sends the whole object."""

_PARTIAL = GroupVersionKind("meta.k8s.io", "v1", "PartialObjectMetadata")


def exact_path(wanted: Wanted) -> str:
    """The one path of an object. Raises ValueError where the question does not name exactly one."""
    if not wanted.name or bool(wanted.namespace) != wanted.resource.namespaced:
        raise ValueError(f"{wanted.key} does not name one object of {wanted.resource.qualified}")
    return wanted.resource.path(segment(wanted.namespace), segment(wanted.name))


def collection_path(wanted: Wanted) -> str:
    """Where an object is made. Raises ValueError as ``exact_path`` does."""
    exact_path(wanted)
    return wanted.resource.path(segment(wanted.namespace), "")


def read(transport: Transport, wanted: Wanted, kubectl: Kubectl) -> Observation:
    """What is live. Raises ValueError as ``exact_path`` does, nothing else."""
    asked = Asked("get", wanted.resource, wanted.namespace, wanted.name)
    path = exact_path(wanted)
    outcome = transport.request("GET", path, accept="application/json" if wanted.body else METADATA)
    if isinstance(outcome, Answer) and outcome.status == 404 and _about(outcome, wanted):
        return Absent()
    if isinstance(outcome, NoAnswer) or outcome.status != 200:
        return unclear(outcome, kubectl, asked)
    try:
        return Found(verified(outcome, wanted))
    except Misshapen as error:
        return misunderstood(str(error), kubectl, asked)


def verified(answer: Answer, wanted: Wanted, *, exists: bool = True) -> LiveObject:
    """The object of a 200; raises Misshapen where it is not the one that was asked for.

    One that does not exist, since it was made in a dry run, has no resourceVersion.
    """
    body = answer.json()
    if not isinstance(body, dict):
        raise Misshapen(f"it is no JSON object, but {answer.content_type.partition(';')[0] or 'something else'}")
    gvk = wanted.resource.gvk
    kind = GroupVersionKind.parse(str(body.get("apiVersion")), str(body.get("kind")))
    if kind != gvk and (wanted.body or kind != _PARTIAL):
        raise Misshapen(f"it is about a {kind}, not about a {gvk}")
    live = live_object(body, gvk, whole=wanted.body)
    if live.key != wanted.key:
        raise Misshapen(f"it is about {live.key}, not about {wanted.key}")
    if exists and not (live.uid and live.resource_version):
        raise Misshapen("it has no uid or no resourceVersion")
    return live


def _about(answer: Answer, wanted: Wanted) -> bool:
    """Whether a 404 is the API server's own about this object (``NewNotFound``, apimachinery's errors.go).

    A proxy's 404, and that of a path that is not served, have no Status with the object's name.
    """
    body = answer.json()
    if not isinstance(body, dict) or body.get("kind") != "Status" or body.get("reason") != "NotFound":
        return False
    details: Json = body.get("details")
    return (
        isinstance(details, dict)
        and details.get("name") == wanted.name
        and details.get("group", "") == wanted.resource.gvk.group
    )
