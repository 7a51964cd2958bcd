"""What the API server was asked, by whom: its own audit log, read between two points in time."""

from __future__ import annotations

import json
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.api import Api, wait_until

READS = frozenset({"get", "list", "watch"})
REVIEWS = ("reviews.authorization.k8s.io", "reviews.authentication.k8s.io")


@dataclass(frozen=True, slots=True)
class Request:
    """One finished request.

    ``verb`` is the audit log's (``get``, ``list``, ``create``, ``patch``, ...; for a path outside resources the HTTP
    method in lower case), ``resource`` is like ``shirts.stable.example.com``, with ``/status`` and the like for a
    subresource, and ``""`` outside resources. ``body`` is what was sent, a patch as it was sent; ``None`` for reads,
    Secrets and tokens, whose bodies are not logged.
    """

    user: str
    agent: str
    verb: str
    path: str
    query: dict[str, str]
    resource: str
    namespace: str
    name: str
    code: int
    body: Any

    @property
    def writes(self) -> bool:
        """Whether the server was asked to change something that stays: not by a dry run, not by a review of rights."""
        return self.verb not in READS and "dryRun" not in self.query and not self.resource.endswith(REVIEWS)


class Audit:
    """The audit log of one control plane."""

    def __init__(self, log: Path, api: Api) -> None:
        self._log = log
        self._api = api

    def mark(self) -> int:
        """Now, for ``since``."""
        return self._fence()

    def since(self, mark: int, *, namespace: str | None = None, user: str | None = None) -> list[Request]:
        """The requests that ended after the mark, in that order; those of one namespace or user where asked."""
        self._fence()
        return [
            request
            for request in self._read(mark)
            if (namespace is None or request.namespace == namespace) and (user is None or request.user == user)
        ]

    def writes(self, mark: int, *, namespace: str | None = None, user: str | None = None) -> list[Request]:
        """Those of ``since`` that asked for a change."""
        return [request for request in self.since(mark, namespace=namespace, user=user) if request.writes]

    def _fence(self) -> int:
        """A request's line is written just after its answer: ask something unique and wait for its line.

        Returns where the whole lines end by then; a line that is being written is of what comes after.
        """
        token = uuid.uuid4().hex
        start = self._log.stat().st_size
        self._api.request("GET", "/version", query={"fence": token})
        wait_until(lambda: token.encode() in self._lines(start), "the audit log to show a request", 10)
        return start + len(self._lines(start))

    def _lines(self, start: int) -> bytes:
        """What is written by now, without a last line that is only half there."""
        with self._log.open("rb") as log:
            log.seek(start)
            written = log.read()
        return written[: written.rfind(b"\n") + 1]

    def _read(self, start: int) -> Iterator[Request]:
        for line in self._lines(start).splitlines():
            event = json.loads(line)
            if event["stage"] == "ResponseComplete" and "fence=" not in event["requestURI"]:
                yield _request(event)


def _request(event: dict[str, Any]) -> Request:
    address = urllib.parse.urlsplit(event["requestURI"])
    target = event.get("objectRef", {})
    resource = ".".join(part for part in (target.get("resource", ""), target.get("apiGroup", "")) if part)
    return Request(
        user=event["user"]["username"],
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        path=address.path,
        query=dict(urllib.parse.parse_qsl(address.query)),
        resource=f"{resource}/{target['subresource']}" if "subresource" in target else resource,
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        body=event.get("requestObject"),
    )
