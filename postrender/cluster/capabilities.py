"""What a server is and serves, as a chart's ``.Capabilities`` tells it."""

from __future__ import annotations

from collections.abc import Iterator

from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.discovery import AGGREGATED
from postrender.cluster.transport import Transport
from postrender.live import Json
from postrender.record import Record


class Capabilities(Record):
    """``version`` is like ``v1.34.3``, ``""`` where the server does not say.

    ``kinds`` are its API versions and the kinds in them, ``apps/v1`` and ``apps/v1/Deployment``, sorted; none where the
    server does not tell all at once (before Kubernetes 1.27).
    """

    version: str = ""
    kinds: tuple[str, ...] = ()


def capabilities(transport: Transport) -> Capabilities:
    """As ``getCapabilities`` and ``GetVersionSet`` (pkg/action/action.go of Helm 3.21.4) collect them."""
    told = _object(transport.request("GET", "/version"))
    kinds: set[str] = set()
    for root in ("/api", "/apis"):
        body = _object(transport.request("GET", root, accept=AGGREGATED))
        if body.get("kind") == "APIGroupDiscoveryList":
            try:
                kinds.update(_kinds(body))
            except (TypeError, AttributeError):
                continue  # As of a server that does not tell all at once.
    version = told.get("gitVersion")
    return Capabilities(version if isinstance(version, str) else "", tuple(sorted(kinds)))


def _object(outcome: Answer | NoAnswer) -> dict[str, Json]:
    body = outcome.json() if isinstance(outcome, Answer) and outcome.status == 200 else None
    return body if isinstance(body, dict) else {}


def _kinds(body: dict[str, Json]) -> Iterator[str]:
    for group in body.get("items") or ():
        name = group.get("metadata", {}).get("name", "")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version.get('version')}" if name else str(version.get("version"))
            yield api_version
            for resource in version.get("resources") or ():
                kind = (resource.get("responseKind") or {}).get("kind")
                if kind:
                    yield f"{api_version}/{kind}"
