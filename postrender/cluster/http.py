"""HTTP to the API server: one request at a time, retried if that is safe, with bounded responses.

A request returns an ``Response``, or a ``RequestFailed`` with the cause; it raises no exception of the HTTP library.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable
from urllib.parse import quote

from postrender._record import Record
from postrender.cluster.connections import BrokeOff, Direct, NoConnection, NoProxy, Undecodable
from postrender.cluster.kubeconfig import as_go_sends
from postrender.cluster.parallel import MAX_REQUESTS
from postrender.errors import PostrenderError
from postrender.models import Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from postrender.cluster.credentials import Login
    from postrender.cluster.proxied import Proxied


class Endpoint(Record, hidden=("proxy",)):
    """Where an API server is reached: its URL, the name its certificate is checked for (``""``: the URL's host),
    and the URL of an HTTP proxy, which may hold a password (``""``: none).
    """

    url: str
    server_name: str = ""
    proxy: str = ""


class Response(Record):
    """The response to one request. ``retry_after`` is in seconds, ``None`` without such a header."""

    status: int
    content_type: str
    body: bytes
    retry_after: float | None = None

    def json(self) -> Json:
        """The body as JSON; ``None`` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def items_of(value: Json) -> list[Json]:
    """The value, which has to be a list of JSON objects; raises TypeError for anything else."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError("it is not a list of objects")
    return value


class RequestFailed(Record):
    """A request without a response that can be understood; ``reason`` is a sentence without a full stop.

    ``broken`` is set if the connection broke off: another try may succeed, and the server may have done what was asked.
    ``waited`` are the seconds that were waited for nothing, 0 if something came.
    """

    reason: str
    next: tuple[str, ...] = ()
    broken: bool = False
    waited: float = 0

    @classmethod
    def late(cls, timeout: float) -> RequestFailed:
        """For a server that did not answer within so many seconds."""
        return cls(f"no answer within {timeout:g} s", waited=timeout)


class MalformedResponse(Exception):
    """A response began, but cannot be used; the message is a sentence without a full stop."""


class Unsendable(Exception):
    """A header's value holds a character that no header can; the message is the header's name, not its value."""


def describe_exception(error: Exception, timeout: float) -> RequestFailed:
    """One sentence, and what can be done; ``timeout`` is in seconds."""
    import ssl

    if isinstance(error, Unsendable):
        return RequestFailed(
            f"the request could not be sent: the value for {error} holds a control character, such as a line break",
            ("kubectl config view",),
        )
    if isinstance(error, PostrenderError):
        return RequestFailed(error.cause, error.next)
    if isinstance(error, MalformedResponse):
        return RequestFailed(f"the server was reached, but {error}")
    if isinstance(error, NoProxy):
        return RequestFailed(f"the proxy cannot be reached or does not let us through: {_cause(error)}")
    if isinstance(error, ssl.SSLError):
        if _cut(error):
            return RequestFailed("the connection broke off during the TLS handshake", broken=True)
        return RequestFailed(
            f"the server's certificate or TLS is not accepted: {_cause(error)}; "
            "set --kube-ca-file or --kube-tls-server-name"
        )
    if isinstance(error, NoConnection):
        return RequestFailed(f"no connection to the server: {_cause(error)}")
    if isinstance(error, TimeoutError):
        return RequestFailed.late(timeout)
    if isinstance(error, Undecodable):
        return RequestFailed("the answer cannot be unpacked")
    if isinstance(error, BrokeOff):
        return RequestFailed(f"the connection broke off: {_cause(error)}", broken=True)
    # Not in its own words: an error of Python's or of a library's may repeat a header or an address.
    return RequestFailed(f"the request could not be sent: {getattr(error, 'strerror', None) or type(error).__name__}")


_TRANSIENT_ALERTS = frozenset(
    {
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        "SSLV3_ALERT_BAD_RECORD_MAC",
        "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        "TLSV1_ALERT_DECODE_ERROR",
        "TLSV1_ALERT_INTERNAL_ERROR",
        "TLSV1_ALERT_RECORD_OVERFLOW",
        "TLSV1_ALERT_USER_CANCELLED",
    }
)
"""OpenSSL's names for alerts about one connection's bytes, not about certificates, names or versions."""


def _cut(error: BaseException) -> bool:
    """Whether TLS ended for a reason that another connection need not meet, such as an overloaded server."""
    import ssl

    inner = [each for each in (error.__cause__, *error.args) if isinstance(each, BaseException)]
    closed = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    alert = isinstance(error, ssl.SSLError) and error.reason in _TRANSIENT_ALERTS
    return closed or alert or any(_cut(each) for each in inner)


def _cause(error: BaseException) -> str:
    """The innermost reason, as short as it comes."""
    inner = next((each for each in (error.__cause__, *error.args[::-1]) if isinstance(each, BaseException)), None)
    if inner is not None and inner is not error:
        return _cause(inner)
    text = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
    return re.sub(r"^.*\[Errno -?\d+\] ", "", str(text).replace("\n", " ")).rstrip(".")


TIMEOUT = 30.0
"""Seconds one try may take where nobody said otherwise, and all waiting between tries together."""

TRIES = 3
"""How often a read is tried at most that meets a server error or a connection that breaks off."""

MAX_ANSWER = 64 * 1024 * 1024
"""The most bytes of an answer, unpacked. A single object has at most some MiB."""

GIVE_UP_AFTER = 8
"""After so many requests in a row without a clear answer no other is sent: the server has other troubles."""

DRY_RUN = "dryRun=All"
"""In a query, it makes of any write a question: the server keeps nothing."""

RENEWAL = 10.0
"""Seconds for which a token is not looked at again: renewing one may run a plugin."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no header's value may hold (``ValidHeaderFieldValue``, golang.org/x/net v0.38.0, http/httpguts/httplex.go)."""

_BACKOFF = 0.2
_RETRIED = frozenset({500, 502, 503, 504})


class Transport:
    """A pool of connections to one server, as one user."""

    def __init__(
        self, endpoint: Endpoint, login: Login, headers: Iterable[tuple[str, str]], timeout: float | None
    ) -> None:
        """``headers`` go with every request; ``timeout`` is in seconds, ``None`` for the usual one."""
        self._endpoint = endpoint
        self._login = login
        self._trust = login.trust
        self._connections = _connections(endpoint, login.trust)
        self._headers = tuple(headers)
        self._turn = threading.Lock()
        self._unclear = 0
        self._renewal = 0.0
        self.timeout = timeout or TIMEOUT

    @property
    def total_timeout(self) -> float:
        """Seconds after which one request has come to an end."""
        return (TRIES + 1) * self.timeout

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        accept: str = "application/json",
        body: bytes | None = None,
        content_type: str = "",
        persist: bool = False,
    ) -> Response | RequestFailed:
        """Ask for an exact path; ``query`` is encoded already. Never raises for what a server or network does.

        A GET or dry run is tried again after a server error or a connection that broke off, anything after a 429; a
        redirect is not followed, since it would carry the credentials elsewhere. ``persist`` tells that a server error
        is no sign for other requests: of many kinds that are listed, some may be broken.
        """
        safe = method == "GET" or DRY_RUN in query.split("&")
        if {".", ".."} & set(path.split("/")):
            return RequestFailed(f"nothing can be called that, since its path {path} would be another's")
        if self._unclear >= GIVE_UP_AFTER:
            return RequestFailed(f"it was not asked for, since {self._unclear} requests before got no clear answer")
        headers = [("Accept", accept), ("Accept-Encoding", "gzip"), ("User-Agent", "postrender"), *self._headers]
        if content_type:
            headers.append(("Content-Type", content_type))
        if not safe:
            # On a connection that the server closed meanwhile it would stay open whether a write arrived.
            self._connections.clear()
        target = path + (f"?{query}" if query else "")
        dry_run, left = 1, self.timeout
        generation = self._login.generation
        outcome = self._once(method, target, headers, body)
        if isinstance(outcome, Response) and outcome.status == 401 and self._renewed(generation):
            # Nothing was done, so that even a write can be sent again; client-go leaves that to its caller.
            outcome = self._once(method, target, headers, body)
        while (pause := _pause(outcome, dry_run, safe=safe)) is not None and pause <= left:
            time.sleep(pause)
            dry_run, left = dry_run + 1, left - pause
            outcome = self._once(method, target, headers, body)
        self._note(outcome, persist=persist)
        return outcome

    def _note(self, outcome: Response | RequestFailed, *, persist: bool) -> None:
        failed = isinstance(outcome, RequestFailed) or outcome.status == 429 or (outcome.status >= 500 and not persist)
        with self._turn:
            self._unclear = self._unclear + 1 if failed else 0

    def _once(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None
    ) -> Response | RequestFailed:
        deadline = time.monotonic() + self.timeout
        try:
            sent = (*headers, *self._authorization())
            for name, value in sent:
                if _CONTROL.search(value):
                    raise Unsendable(name)
            response = self._connections.send(method, target, sent, body, self.timeout)
            try:
                content = _content(response.pieces(), deadline)
            except BaseException:
                response.close()
                raise
        except Exception as error:
            return describe_exception(error, self.timeout)
        return Response(
            response.status,
            response.header("Content-Type") or "",
            content,
            _seconds(response.header("Retry-After")),
        )

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        """The header that says who asks; it is renewed now and then, by one thread at a time."""
        with self._turn:
            if time.monotonic() >= self._renewal:
                self._login.renew()
                self._renewal = time.monotonic() + RENEWAL
            if self._trust is not self._login.trust:
                # Connections with the certificate before are left to the requests that are under way.
                self._trust = self._login.trust
                self._connections = _connections(self._endpoint, self._trust)
            header = self._login.header.strip()
            return (("Authorization", as_go_sends(header)),) if header else ()

    def _renewed(self, generation: int) -> bool:
        """Whether there are other credentials than those of ``generation``, which the server refused."""
        with self._turn:
            return self._login.generation != generation or self._login.refused()


def _connections(endpoint: Endpoint, trust: ssl.SSLContext) -> Direct | Proxied:
    if not endpoint.proxy:
        return Direct(endpoint.url, endpoint.server_name, trust, MAX_REQUESTS)
    from postrender.cluster.proxied import Proxied  # Its import takes as long as all the rest.

    return Proxied(endpoint.url, endpoint.server_name, endpoint.proxy, trust, MAX_REQUESTS)


def segment(text: str) -> str:
    """A text as one segment of a path, whatever is in it."""
    return quote(text, safe="", errors="surrogatepass")


def _content(pieces: Iterable[bytes], deadline: float) -> bytes:
    """The whole body; raises MalformedResponse where it is too long or takes too long."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > MAX_ANSWER:
            raise MalformedResponse(f"its answer is longer than {MAX_ANSWER >> 20} MiB")
        if time.monotonic() > deadline:
            raise MalformedResponse("its answer took too long")
    return b"".join(taken)


def _pause(outcome: Response | RequestFailed, dry_run: int, *, safe: bool) -> float | None:
    """Seconds to wait before the next try, ``None`` where there is none; ``safe`` requests can be repeated."""
    pause: float = _BACKOFF * 2 ** (dry_run - 1)
    if isinstance(outcome, RequestFailed):
        return pause if outcome.broken and safe and dry_run < TRIES else None
    if outcome.status == 429 or (outcome.status in _RETRIED and safe and dry_run < TRIES):
        return max(pause, outcome.retry_after or 0.0)
    return None


def _seconds(retry_after: str | None) -> float | None:
    """The API server gives whole seconds (``tooManyRequests``, apiserver's filters); a date counts for nothing."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
