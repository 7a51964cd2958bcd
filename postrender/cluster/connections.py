"""HTTP/1.1 connections to one server (RFC 9112), direct or through a proxy, opened when needed and used again.

Neither ``http.client``, which imports the package ``email`` for a few header lines, nor ``urllib3``: importing either
takes longer than to look ten objects up.
"""

from __future__ import annotations

import re
import select
import socket
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any, NoReturn

PIECE = 64 * 1024
"""Bytes that are read at once, and of one line of a header at most."""

MAX_HEADERS = 100
"""Lines of a header at most, as ``http.client`` takes them."""

_UNPACKED = 1024 * 1024
"""Bytes that are unpacked at once."""

_IN_PATH = "/%!$&'()*+,;=:@~"
"""What stays as it is in the path of a server's URL, beside letters, digits, ``_``, ``.`` and ``-``."""

_PORTS = {"http": 80, "https": 443}
_TARGET = re.compile(r"[!-~]+")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: .*)?", re.DOTALL)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?", re.DOTALL)


class NoConnection(Exception):
    """No connection to the server could be opened; the cause is the operating system's."""


class NoProxy(Exception):
    """The proxy cannot be reached, or refuses to connect us."""


class BrokeOff(Exception):
    """A connection ended early, or what came over it is not HTTP."""


class Undecodable(Exception):
    """The body is not packed as its header says."""


class BadResponse(Exception):
    """What came is not HTTP/1.1, or ended early; the message is a clause without a full stop."""


class HttpConnection:
    """One connection, used for one request after the other."""

    def __init__(self, sock: Any, host: str) -> None:
        """``sock`` is an open socket, or like one; ``host`` is what the Host header holds."""
        self.sock = sock
        self._host = host
        self._buffer = bytearray()

    @property
    def unread(self) -> bool:
        """Whether more came than belongs to the responses read so far."""
        return bool(self._buffer)

    def send(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None = None) -> None:
        """Send one request; raises OSError, and ValueError for a character that no header can hold."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", *(f"{name}: {text}" for name, text in headers)]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if not _TARGET.fullmatch(target) or any(mark in line for line in lines for mark in "\r\n\0"):
            raise ValueError("a character that no HTTP header can hold")
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + (body or b""))

    def header(self) -> tuple[int, dict[str, str], bool]:
        """Status and fields of the next response, and whether its version keeps connections open.

        The fields have lower-case names, and values of one name are joined by commas. Raises BadResponse and OSError.
        """
        status = _STATUS.fullmatch(self.line("the server closed it without a response"))
        if status is None:
            raise BadResponse("the response is not HTTP/1.1")
        found: dict[str, str] = {}
        name = ""
        for _ in range(MAX_HEADERS + 1):
            line = self.line("the response's header ended early")
            if not line:
                code = int(status[2])
                # An interim response comes before the real one.
                return self.header() if code in (100, 102, 103) else (code, found, status[1] == b"1")
            if line[:1] in b" \t" and name:
                found[name] += " " + line.strip().decode("latin-1")
                continue
            field = _FIELD.fullmatch(line)
            if field is None:
                raise BadResponse("the response has a malformed header")
            name, text = field[1].decode().lower(), field[2].decode("latin-1")
            found[name] = f"{found[name]}, {text}" if name in found else text
        raise BadResponse(f"the response's header has more than {MAX_HEADERS} lines")

    def line(self, missing: str) -> bytes:
        """The next line without its end; ``missing`` is the message of BadResponse if there is none."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched, PIECE)) < 0:
            searched = len(self._buffer)
            if searched >= PIECE:
                raise BadResponse(f"the response has a line of more than {PIECE} bytes")
            piece = self.sock.recv(PIECE)
            if not piece:
                raise BadResponse(missing)
            self._buffer += piece
        return self.some(end + 1)[:-1].removesuffix(b"\r")

    def some(self, size: int) -> bytes:
        """Up to ``size`` bytes as they come, at least one; ``b""`` at the connection's end. Raises OSError."""
        if not self._buffer:
            piece: bytes = self.sock.recv(size)
            return piece
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece


class OpenResponse:
    """A response whose body is still to be read."""

    def __init__(self, owner: Connections | None, connection: HttpConnection) -> None:
        """Read its header; ``owner`` gets the connection back. Raises BadResponse and OSError."""
        self._owner = owner
        self._connection = connection
        self.status, self._headers, keeps = connection.header()
        self._chunked = _chunked(self._headers)
        empty = self.status in (204, 304)
        self._length = 0 if empty else None if self._chunked else _length(self._headers)
        options = {option.strip() for option in self._headers.get("connection", "").lower().split(",")}
        framed = self._chunked or self._length is not None
        self._keeps = framed and "close" not in options and (keeps or "keep-alive" in options)

    @property
    def reusable(self) -> bool:
        """Whether the connection can take another request once the body was read."""
        return self._keeps and not self._connection.unread

    def header(self, name: str) -> str | None:
        """The value of a header; ``None`` if there is none."""
        return self._headers.get(name.lower())

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked; at its end the connection is free for another request.

        Raises BrokeOff, Undecodable, TimeoutError and ssl.SSLError.
        """
        packed = (self.header("Content-Encoding") or "").strip().lower() == "gzip"
        try:
            yield from _unpacked(self.body()) if packed else self.body()
        except (OSError, BadResponse) as error:
            _give_up(error)
        if self._owner and self.reusable:
            self._owner.free(self._connection)
        else:
            self.close()

    def body(self) -> Iterator[bytes]:
        """The body as it comes; raises BadResponse where it ends early, and OSError."""
        if self._length is not None:
            yield from self._exactly(self._length)
        elif self._chunked:
            yield from self._chunks()
        else:
            while data := self._connection.some(PIECE):
                yield data

    def close(self) -> None:
        """Give up the connection: what is left of the body would be in the way."""
        self._connection.sock.close()

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            data = self._connection.some(min(left, PIECE))
            if not data:
                raise BadResponse(f"the response ended {left} bytes early")
            left -= len(data)
            yield data

    def _chunks(self) -> Iterator[bytes]:
        line, missing = self._connection.line, "the response ended within its chunks"
        while True:
            size = _CHUNK.fullmatch(line(missing))
            left = int(size[1], 16) if size else 0
            yield from self._exactly(left)
            if size is None or (left and line(missing)):
                raise BadResponse("the response has a malformed chunk")
            if not left:
                break
        for _ in range(MAX_HEADERS + 1):
            if not line(missing):
                return
        raise BadResponse(f"the response's trailer has more than {MAX_HEADERS} lines")


def _chunked(headers: dict[str, str]) -> bool:
    """Whether the body comes in chunks; raises BadResponse for another transfer coding."""
    coding = headers.get("transfer-encoding", "")
    if coding and coding.lower() != "chunked":
        raise BadResponse("the response has a transfer coding other than chunked")
    return bool(coding)


def _length(headers: dict[str, str]) -> int | None:
    """The body's length in bytes, ``None`` where only the connection's end shows it; raises BadResponse."""
    if "content-length" not in headers:
        return None
    length, *others = {length.strip() for length in headers["content-length"].split(",")}
    if others or not (length.isascii() and length.isdigit()):
        raise BadResponse("the response has a malformed Content-Length")
    return int(length)


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


class Connections:
    """Connections to a server, through a proxy if one is named."""

    def __init__(self, url: str, server_name: str, trust: ssl.SSLContext, idle: int, proxy: str = "") -> None:
        """At most ``idle`` connections stay open that nobody uses. Raises ValueError where a URL is none."""
        parts = urlsplit(url)
        self._scheme, self._address = parts.scheme, _address(url)
        self._trust = trust
        self._server_name = server_name or self._address[0]
        self._host = _authority(self._address, _PORTS[self._scheme])
        self._base = quote(parts.path, safe=_IN_PATH)
        self._proxy = _address(proxy) if proxy else None
        self._proxy_trust = trust if proxy.startswith("https") else None
        # A password in the proxy's URL is sent to it, as Go does.
        login = unquote(urlsplit(proxy).netloc.rpartition("@")[0]).encode()
        self._login = [("Proxy-Authorization", f"Basic {b64encode(login).decode()}")] if login else []
        self._in_request: list[tuple[str, str]] = []
        if proxy and self._scheme == "http":
            self._base, self._in_request = f"http://{self._host}{self._base}", self._login
        self._idle: list[HttpConnection] = []
        self._most = idle

    def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None, timeout: float
    ) -> OpenResponse:
        """Send one request for a path below the server's own; ``timeout`` in seconds is for each wait.

        Raises NoConnection, NoProxy, BrokeOff, TimeoutError, and ssl.SSLError where the certificate is not accepted.
        """
        connection = self._free() or self._opened(timeout)
        try:
            connection.sock.settimeout(timeout)
            with suppress(BrokenPipeError):  # The server may have answered before it closed.
                connection.send(method, self._base + target, [*self._in_request, *headers], body)
            return OpenResponse(self, connection)
        except BaseException as error:
            connection.sock.close()
            _give_up(error)

    def free(self, connection: HttpConnection) -> None:
        """Keep a connection for another request."""
        if len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            connection.sock.close()

    def clear(self) -> None:
        """Close what is open and unused."""
        while self._idle:
            try:
                self._idle.pop().sock.close()
            except IndexError:
                return

    def _free(self) -> HttpConnection | None:
        """A connection that is still open, the one used last first."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not _readable(connection.sock):
                return connection
            # Nobody asked anything: what can be read is its end.
            connection.sock.close()

    def _opened(self, timeout: float) -> HttpConnection:
        to_proxy = self._proxy is not None
        sock = _connected(self._proxy or self._address, timeout, NoProxy if to_proxy else NoConnection)
        try:
            if self._proxy and self._proxy_trust:
                sock = self._proxy_trust.wrap_socket(sock, server_hostname=_bytes(self._proxy[0]))
            if self._scheme == "https":
                if to_proxy:
                    self._tunnel(sock)
                name = _bytes(self._server_name)
                if self._proxy_trust:
                    sock = _Nested(sock, self._trust, name)
                else:
                    sock = self._trust.wrap_socket(sock, server_hostname=name)
            return HttpConnection(sock, self._host)
        except BaseException as error:
            sock.close()
            _give_up(error)

    def _tunnel(self, sock: Any) -> None:
        """Have the proxy connect us to the server; raises NoProxy."""
        to_proxy = HttpConnection(sock, target := _authority(self._address, 0))
        to_proxy.send("CONNECT", target, self._login)
        try:
            status = to_proxy.header()[0]
        except BadResponse as error:
            raise NoProxy from error
        if status != 200 or to_proxy.unread:
            raise NoProxy from BadResponse(f"the proxy answered CONNECT with status {status}")


class _Nested:
    """TLS within the TLS connection to a proxy: ``SSLContext.wrap_socket`` takes plain sockets only."""

    def __init__(self, outer: ssl.SSLSocket, trust: ssl.SSLContext, name: bytes | str) -> None:
        from ssl import MemoryBIO

        self._outer = outer
        self._incoming, self._outgoing = MemoryBIO(), MemoryBIO()
        self._inner = trust.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.settimeout, self.fileno, self.close = outer.settimeout, outer.fileno, outer.close
        self._call(self._inner.do_handshake)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes, ``b""`` at the end, as ``SSLSocket.recv``; raises OSError."""
        from ssl import SSLEOFError, SSLZeroReturnError

        try:
            piece: bytes = self._call(self._inner.read, size)
        except (SSLEOFError, SSLZeroReturnError):
            piece = b""
        return piece

    def sendall(self, data: bytes) -> None:
        """Send all of it; raises OSError."""
        while data:
            data = data[self._call(self._inner.write, data) :]

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """The call's result, after what it waits for was exchanged over the outer connection; raises OSError."""
        from ssl import SSLWantReadError

        while True:
            try:
                return call(*arguments)
            except SSLWantReadError:
                pass
            finally:
                if self._outgoing.pending:
                    self._outer.sendall(self._outgoing.read())
            piece = self._outer.recv(PIECE)
            if piece:
                self._incoming.write(piece)
            else:
                self._incoming.write_eof()


def _address(url: str) -> tuple[str, int]:
    """Host and port; raises ValueError where the URL is none."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not a URL")
    return parts.hostname, parts.port or _PORTS[parts.scheme]


def _authority(address: tuple[str, int], usual: int) -> str:
    """``HOST:PORT``, without the port if it is the usual one."""
    host, port = address
    name = host if host.isascii() else host.encode("idna").decode()
    name = f"[{name}]" if ":" in name else name
    return name if port == usual else f"{name}:{port}"


def _connected(address: tuple[str, int], timeout: float, failure: type[Exception]) -> Any:
    """A socket that is connected; raises TimeoutError, and ``failure`` from another OSError."""
    try:
        where: Any = (_bytes(address[0]), address[1])
        sock = socket.create_connection(where, timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except TimeoutError:
        raise
    except OSError as error:
        raise failure from error


def _bytes(name: str) -> bytes | str:
    """A name in ASCII as bytes: text would be encoded by ``idna``, whose import takes longer than a request."""
    return name.encode() if name.isascii() else name


def _readable(sock: Any) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    looking = select.poll()
    looking.register(sock, select.POLLIN)
    return bool(looking.poll(0))


def _give_up(error: BaseException) -> NoReturn:
    """Raise the error itself if it says enough, else BrokeOff."""
    from ssl import SSLError

    if isinstance(error, (OSError, BadResponse)) and not isinstance(error, (SSLError, TimeoutError)):
        raise BrokeOff from error
    raise error
