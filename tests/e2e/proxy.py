"""A plain HTTP proxy in front of the real API server, which kills whoever asks at one of his requests."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode, urlsplit

from tests.e2e.controlplane import ControlPlane
from tests.e2e.supervise import kubeconfig
from tests.wire.server import Reply, Request, Server

_NOT_HANDED_ON = frozenset({"host", "connection", "content-length", "authorization"})
"""Headers of one connection, and who asks: to the API server that is the administrator."""

Start = Callable[[], "subprocess.Popen[bytes]"]
"""Starts a program in a session of its own."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill: at the N-th request that is told so, before it is carried out, or after that and unanswered."""

    request: str
    nth: int
    when: Literal["before", "after"]


def told(request: Request) -> str:
    """``METHOD PATH``, with ``?dryRun`` behind it where nothing is to be written."""
    return f"{request.method} {request.path}{'?dryRun' if 'dryRun' in request.query else ''}"


class Proxy(Server):
    """Hands on what it is asked to the API server, as its administrator; ``kubeconfig`` leads to it."""

    def __init__(self, plane: ControlPlane, kubeconfig_: Path) -> None:
        super().__init__()
        self.kubeconfig = kubeconfig_
        self.kubeconfig.write_text(kubeconfig(self.url, plane.ca, "none"))
        self._server = urlsplit(plane.api.url).netloc
        self._trust = ssl.create_default_context(cafile=str(plane.ca))
        self._token = plane.token
        self._left = 0
        self._point: Point | None = None
        self._victim: subprocess.Popen[bytes] | None = None

    def kill(self, start: Start, point: Point) -> None:
        """Start a program, and kill its whole session at the point. AssertionError where that is not reached."""
        with self.turn:
            self.requests.clear()
            self._point, self._left = point, point.nth
            victim = self._victim = start()
        code = victim.wait()
        with self.turn:
            left, self._left = self._left, 0
        asked = "\n".join(map(told, self.requests))
        assert left == 0, f"{point} was not reached before an end with {code}; asked was:\n{asked}"
        assert code == -signal.SIGKILL, f"it ended with {code} at {point}"

    def answer(self, request: Request) -> Reply:
        """What the API server says; nothing where the point is reached."""
        when = self._reached(request)
        if when == "before":
            self._end()
        reply = self._handed_on(request)
        if when == "after":
            self._end()
        return reply

    def _reached(self, request: Request) -> str:
        with self.turn:
            if not self._left or self._point is None or told(request) != self._point.request:
                return ""
            self._left -= 1
            return "" if self._left else self._point.when

    def _end(self) -> None:
        """Kill, and end the connection when nobody is there any more to take that for an answer."""
        assert self._victim is not None
        os.killpg(self._victim.pid, signal.SIGKILL)
        self._victim.wait()
        raise ConnectionAbortedError

    def _handed_on(self, request: Request) -> Reply:
        headers = {name: ", ".join(values) for name, values in request.headers.items() if name not in _NOT_HANDED_ON}
        query = f"?{urlencode(request.query)}" if request.query else ""
        connection = http.client.HTTPSConnection(self._server, context=self._trust)
        try:
            connection.request(
                request.method,
                request.path + query,
                request.body or None,
                {**headers, "Authorization": f"Bearer {self._token}"},
            )
            answer = connection.getresponse()
            said = {name: value for name in ("Content-Encoding", "Warning") if (value := answer.getheader(name))}
            return Reply(answer.status, answer.read(), answer.getheader("Content-Type", ""), said)
        finally:
            connection.close()
