"""What we may do, asked of the server itself (SelfSubjectAccessReview), which stores nothing of it."""

from __future__ import annotations

import json

from postrender.cluster.answer import NoAnswer
from postrender.cluster.explain import Asked, Kubectl, misunderstood, unclear
from postrender.cluster.transport import Transport
from postrender.identity import GroupVersionKind, Resource
from postrender.live import Unknown
from postrender.record import Record

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

_REVIEW = Resource(
    GroupVersionKind("authorization.k8s.io", "v1", "SelfSubjectAccessReview"), "selfsubjectaccessreviews", False
)


class Right(Record):
    """To do ``verb`` to a resource (by its plural name; ``*``: all) in a namespace (``""``: everywhere)."""

    verb: str
    group: str
    plural: str
    namespace: str

    def __str__(self) -> str:
        """``get shirts.stable.example.com``."""
        what = "every kind" if self.plural == "*" else f"{self.plural}.{self.group}".rstrip(".")
        return f"{self.verb} {what}"


def allowed(transport: Transport, right: Right, kubectl: Kubectl) -> bool | Unknown:
    """Whether we have a right; what the server leaves open counts as no."""
    spec = {"verb": right.verb, "group": right.group, "resource": right.plural, "namespace": right.namespace}
    outcome = transport.request(
        "POST",
        PATH,
        body=json.dumps(
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": spec},
            }
        ).encode(),
        content_type="application/json",
    )
    if isinstance(outcome, NoAnswer) or outcome.status not in (200, 201):
        return unclear(outcome, kubectl, Asked("create", _REVIEW, ""))
    body = outcome.json()
    status = body.get("status") if isinstance(body, dict) else None
    answer = status.get("allowed") if isinstance(status, dict) else None
    if not isinstance(answer, bool):
        return misunderstood("it is no review of a right", kubectl)
    return answer
