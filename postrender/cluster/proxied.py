"""Connections through an HTTP proxy, over ``urllib3``, with the interface of ``connections``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import urllib3
from urllib3 import exceptions
from urllib3._collections import HTTPHeaderDict  # which urllib3 1.26 has nowhere else

from postrender.cluster.connections import IN_PATH, PIECE, BrokeOff, NoConnection, NoProxy, Undecodable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl


class ProxiedResponse:
    """A response whose body is still to be read."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self.status = response.status

    def header(self, name: str) -> str | None:
        """The value of a header; ``None`` if there is none."""
        return self._response.headers.get(name)

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked; raises BrokeOff and Undecodable."""
        try:
            while piece := self._response.read(PIECE):
                yield piece
        except exceptions.HTTPError as error:
            raise _translated(error) from error

    def close(self) -> None:
        """Give up the connection: what is left of the body would be in the way."""
        self._response.close()


class Proxied:
    """Connections to a server through a proxy."""

    def __init__(self, url: str, server_name: str, proxy: str, trust: ssl.SSLContext, idle: int) -> None:
        """At most ``idle`` connections stay open that nobody uses. Raises ValueError where a URL is none."""
        if not trust.check_hostname:
            urllib3.disable_warnings(exceptions.InsecureRequestWarning)
        options: dict[str, Any] = {"maxsize": idle, "ssl_context": trust}
        if server_name:
            options["server_hostname"] = server_name
        # A password in the proxy's URL is sent to it, as Go does.
        login = urlsplit(proxy).netloc.rpartition("@")[0]
        self._url = url
        self._base = url if url.startswith("http://") else quote(urlsplit(url).path, safe=IN_PATH)
        login_headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else {}
        # A ProxyManager would join headers of one name, and so several groups to one: its connections do not.
        self._to_proxy = [*login_headers.items()] if url.startswith("http://") else []
        self._pool = urllib3.ProxyManager(
            proxy,
            proxy_headers=login_headers or None,
            proxy_ssl_context=trust,
            **options,
        )

    def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None, timeout: float
    ) -> ProxiedResponse:
        """Send one request for a path below the server's own; ``timeout`` in seconds is for each wait.

        Raises NoConnection, NoProxy, BrokeOff, TimeoutError, and ssl.SSLError where the certificate is not accepted.
        """
        sent = HTTPHeaderDict()
        for name, value in (*self._to_proxy, *headers):
            sent.add(name, value)
        try:
            response = self._pool.connection_from_url(self._url).urlopen(
                method,
                self._base + target,
                body=body,
                headers=sent,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=timeout, read=timeout),
                preload_content=False,
                enforce_content_length=True,
            )
        except exceptions.HTTPError as error:
            raise _translated(error) from error
        return ProxiedResponse(response)

    def clear(self) -> None:
        """Close what is open and unused."""
        self._pool.clear()


def _translated(error: Exception) -> Exception:
    import ssl

    for kind, ours in (
        (exceptions.ProxyError, NoProxy),
        (exceptions.SSLError, ssl.SSLError),
        (exceptions.NewConnectionError, NoConnection),
        (exceptions.TimeoutError, TimeoutError),
        (exceptions.DecodeError, Undecodable),
        (exceptions.ProtocolError, BrokeOff),
    ):
        if isinstance(error, kind):
            return ours()
    return error
