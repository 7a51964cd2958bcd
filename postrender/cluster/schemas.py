"""The types of fields that a server serves, one group version at a time and each asked for once."""

from __future__ import annotations

import re
from threading import Lock

from postrender.cluster.diagnose import Kubectl, misunderstood, unclear
from postrender.cluster.http import Answer, NoAnswer, Transport, segment
from postrender.helm.server_side.schema import OpenApiSchema
from postrender.models import GroupVersionKind, NotServed, Unknown


def keeps_empty(version: str) -> bool:
    """True if an API server of this version leaves ``{}`` of a map that loses all it has, False if it leaves null.

    Kubernetes 1.36.0 to 1.36.2 do, which are built with structured-merge-diff 6.3.2 (``doMap``, typed/remove.go).
    """
    return re.match(r"v1\.36\.[0-2](?!\d)", version) is not None


class Schemas:
    """Answers of ``/openapi/v3`` and ``/version``; may be used by several threads."""

    def __init__(self, transport: Transport, kubectl: Kubectl) -> None:
        self._transport = transport
        self._kubectl = kubectl
        self._lock = Lock()
        self._known: dict[tuple[str, str], OpenApiSchema | NotServed | Unknown] = {}
        self._keeps_empty: bool | None = None

    def of(self, gvk: GroupVersionKind) -> OpenApiSchema | NotServed | Unknown:
        """The types of a kind's group version."""
        place = (gvk.group, gvk.version)
        with self._lock:
            if place not in self._known:
                self._known[place] = self._asked(gvk)
            return self._known[place]

    def keeps_empty(self) -> bool:
        """True if a map that loses all it has stays as ``{}``, False if it becomes null."""
        with self._lock:
            if self._keeps_empty is None:
                self._keeps_empty = keeps_empty(self._version())
            return self._keeps_empty

    def _asked(self, gvk: GroupVersionKind) -> OpenApiSchema | NotServed | Unknown:
        group = f"apis/{segment(gvk.group)}" if gvk.group else "api"
        outcome = self._transport.request("GET", f"/openapi/v3/{group}/{segment(gvk.version)}")
        if isinstance(outcome, Answer) and outcome.status == 404:
            return NotServed()
        if isinstance(outcome, NoAnswer) or outcome.status != 200:
            return unclear(outcome, self._kubectl)
        body = outcome.json()
        models = body.get("components", {}).get("schemas") if isinstance(body, dict) else None
        if not isinstance(models, dict):
            return misunderstood("it is no OpenAPI document", self._kubectl)
        return OpenApiSchema(models)

    def _version(self) -> str:
        outcome = self._transport.request("GET", "/version")
        body = outcome.json() if isinstance(outcome, Answer) and outcome.status == 200 else None
        return str(body.get("gitVersion", "")) if isinstance(body, dict) else ""
