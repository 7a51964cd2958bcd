"""Connections to one HTTP server, opened when they are needed and used again.

Over the standard library: ``urllib3`` takes three times as long to import, which is as long as a small look-up takes.
Through a proxy it is ``urllib3`` (``proxied``), with the same interface.
"""

from __future__ import annotations

import select
import socket
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from urllib.parse import quote, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any, NoReturn

PIECE = 64 * 1024
"""Bytes that are read at once."""

_UNPACKED = 1024 * 1024
"""Bytes that are unpacked at once."""

IN_PATH = "/%!$&'()*+,;=:@~"
"""What stays as it is in the path of a server's URL, beside letters, digits, ``_``, ``.`` and ``-``."""


class NoConnection(Exception):
    """No connection to the server could be opened; the cause is the operating system's."""


class NoProxy(Exception):
    """The proxy cannot be reached, or refuses to connect us."""


class BrokeOff(Exception):
    """A connection ended early, or what came over it is not HTTP."""


class Undecodable(Exception):
    """The body is not packed as its header says."""


class OpenResponse:
    """A response whose body is still to be read."""

    def __init__(self, owner: Direct, connection: HTTPConnection, answer: HTTPResponse) -> None:
        self._owner = owner
        self._connection = connection
        self._answer = answer
        self.status = answer.status

    def header(self, name: str) -> str | None:
        """The value of a header; ``None`` if there is none."""
        return self._answer.headers.get(name)

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked; at its end the connection is free for another request.

        Raises BrokeOff, Undecodable, TimeoutError and ssl.SSLError.
        """
        packed = (self.header("Content-Encoding") or "").strip().lower() == "gzip"
        try:
            yield from _unpacked(self._raw()) if packed else self._raw()
        except (OSError, HTTPException, ValueError) as error:
            _give_up(error)
        reusable = not self._answer.will_close
        self._answer.close()
        if reusable:
            self._owner.free(self._connection)
        else:
            self._connection.close()

    def close(self) -> None:
        """Give up the connection: what is left of the body would be in the way."""
        self._answer.close()
        self._connection.close()

    def _raw(self) -> Iterator[bytes]:
        while piece := self._answer.read1(PIECE):
            yield piece
        if self._answer.length:
            raise IncompleteRead(b"", self._answer.length)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip stream, which may have several members."""
    unpack, begun = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    for piece in pieces:
        left, begun = piece, True
        while left:
            if unpack.eof:
                unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                yield unpack.decompress(left, _UNPACKED)
            except zlib.error as error:
                raise Undecodable from error
            left = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    yield unpack.flush()
    if begun and not unpack.eof:
        raise Undecodable


class Direct:
    """Connections to a server without a proxy between."""

    def __init__(self, url: str, server_name: str, trust: ssl.SSLContext, idle: int) -> None:
        """At most ``idle`` connections stay open that nobody uses. Raises ValueError where the URL is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not a URL")
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._base = quote(parts.path, safe=IN_PATH)
        self._trust = trust if parts.scheme == "https" else None
        self._server_name = server_name or parts.hostname
        self._idle: list[HTTPConnection] = []
        self._most = idle

    def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None, timeout: float
    ) -> OpenResponse:
        """Send one request for a path below the server's own; ``timeout`` in seconds is for each wait.

        Raises NoConnection, BrokeOff, TimeoutError, and ssl.SSLError where the certificate is not accepted.
        """
        connection = self._free() or self._opened(timeout)
        try:
            connection.sock.settimeout(timeout)
            connection.putrequest(method, self._base + target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            with suppress(BrokenPipeError):  # The server may have answered before it closed.
                connection.endheaders(body)
            return OpenResponse(self, connection, connection.getresponse())
        except BaseException as error:
            connection.close()
            _give_up(error)

    def free(self, connection: HTTPConnection) -> None:
        """Keep a connection for another request."""
        if len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            connection.close()

    def clear(self) -> None:
        """Close what is open and unused."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _free(self) -> HTTPConnection | None:
        """A connection that is still open, the one used last first."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not _readable(connection.sock):
                return connection
            # Nobody asked anything: what can be read is its end.
            connection.close()

    def _opened(self, timeout: float) -> HTTPConnection:
        connection = HTTPConnection(self._host, self._port)
        # A port that the scheme has anyway is not in the Host header.
        connection.default_port = 443 if self._trust else 80
        try:
            address: Any = (_bytes(self._host), self._port)
            connection.sock = socket.create_connection(address, timeout)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError:
            raise
        except OSError as error:
            raise NoConnection from error
        if self._trust:
            try:
                connection.sock = self._trust.wrap_socket(connection.sock, server_hostname=_bytes(self._server_name))
            except BaseException as error:
                connection.close()
                _give_up(error)
        return connection


def _bytes(name: str) -> bytes | str:
    """A name in ASCII as bytes: text would be encoded by ``idna``, whose import takes longer than a request."""
    return name.encode() if name.isascii() else name


def _readable(sock: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    looking = select.poll()
    looking.register(sock, select.POLLIN)
    return bool(looking.poll(0))


def _give_up(error: BaseException) -> NoReturn:
    """Raise the error itself if it says enough, else BrokeOff."""
    from ssl import SSLError

    if isinstance(error, (OSError, HTTPException)) and not isinstance(error, (SSLError, TimeoutError)):
        raise BrokeOff from error
    raise error
