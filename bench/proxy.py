"""A reverse proxy that holds every request back and counts how many are under way: a server some milliseconds away."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

SILENT_FOR = 60.0
"""Seconds after which a connection that says nothing is closed."""

CONNECTIONS = 256
"""How many connections are open at once; others wait."""


class Proxy:
    """HTTPS on 127.0.0.1, HTTP/1.1 and connections that are kept, to a server on 127.0.0.1; a context manager.

    ``requests`` counts all requests, ``most`` how many of them were under way at once: from the last byte of the
    question to the last byte of the answer.
    """

    def __init__(self, port: int, certificate: Path, key: Path, delay: float) -> None:
        """Take connections for the server on ``port`` in its name; ``delay`` is in seconds."""
        self.requests = 0
        self.most = 0
        self._now = 0
        self._turn = threading.Lock()
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._server = ("127.0.0.1", port)
        self._delay = delay
        self._front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._front.load_cert_chain(certificate, key)
        self._back = ssl.create_default_context(cafile=str(certificate))
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listening.getsockname()[1]
        return port

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # which is how a closed listener ends the loop
            while self._free.acquire():
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        """One connection, until either side ends it."""
        with self._freed(), suppress(OSError), plain, socket.create_connection(self._server, SILENT_FOR) as beyond:
            for each in (plain, beyond):
                each.settimeout(SILENT_FOR)
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with (
                self._front.wrap_socket(plain, server_side=True) as client,
                self._back.wrap_socket(beyond, server_hostname="127.0.0.1") as server,
                client.makefile("rb") as questions,
                server.makefile("rb") as answers,
            ):
                while question := _message(questions):
                    with self._counted():
                        time.sleep(self._delay)
                        server.sendall(question)
                        answer = _message(answers)
                        client.sendall(answer)
                    if not answer:
                        return

    @contextmanager
    def _freed(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._free.release()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._turn:
            self.requests += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._turn:
                self._now -= 1


def _message(stream: BinaryIO) -> bytes:
    """A request or an answer as it stands; ``b""`` where the connection ended. HEAD is not understood."""
    lines = []
    while (line := stream.readline()) != b"\r\n":
        if not line:
            return b""
        lines.append(line)
    head = b"".join(lines) + b"\r\n"
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    if fields.get(b"transfer-encoding") == b"chunked":
        return head + b"".join(_chunks(stream))
    return head + stream.read(int(fields.get(b"content-length", b"0")))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    size = -1
    while size:
        line = stream.readline()
        size = int(line.partition(b";")[0], 16)
        yield line + stream.read(size + 2)
