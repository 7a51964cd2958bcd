"""Connections with and without a proxy behave alike."""

from __future__ import annotations

import base64
import gzip
import json
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from postrender.cluster.connections import BrokeOff, Connections, NoConnection, NoProxy, Undecodable
from tests.wire.server import TLS, Reply, Server

BODY = json.dumps({"items": ["x" * 1000] * 1000}).encode()


@contextmanager
def tunnel(answer: bytes = b"200 Connection established", *, tls: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """The port of a proxy that connects its clients to where they want, and the requests for that."""
    asked: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if tls:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            lines = [self.rfile.readline()]
            while (line := self.rfile.readline()).strip():
                lines.append(line)
            asked.append(b"".join(lines))
            host, _, port = lines[0].split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                self.wfile.write(b"HTTP/1.1 " + answer + b"\r\n\r\n")
                ends = {self.connection: server, server: self.connection}
                while True:
                    for ready in select.select(list(ends), [], [])[0]:
                        if not (data := received(ready)):
                            return
                        ends[ready].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield proxy.server_address[1], asked
        proxy.shutdown()


def received(sock: socket.socket) -> bytes:
    """What came, with all that TLS has unpacked of it already."""
    data = sock.recv(65536)
    while isinstance(sock, ssl.SSLSocket) and sock.pending():
        data += sock.recv(sock.pending())
    return data


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("path", ["", "/k8s/a%20b"])
def test_tls_through_a_proxy(tls_server: Server, path: str, scheme: str) -> None:
    tls_server.on(".*", Reply(200, BODY))
    trust = ssl.create_default_context(cafile=TLS / "ca.pem")
    with tunnel(tls=scheme == "https") as (port, asked):
        proxy = f"{scheme}://jane:g%20heim@127.0.0.1:{port}"
        made = Connections(tls_server.url + path, "", trust, 2, proxy)
        assert [got(made), got(made)] == [BODY] * 2
        made.clear()
    (request,) = asked
    assert request.startswith(f"CONNECT {tls_server.url.removeprefix('https://')} HTTP/1.".encode())
    assert f"Basic {base64.b64encode(b'jane:g heim').decode()}".encode() in request
    sent = tls_server.requests[0]
    assert (sent.path, sent.headers["x"]) == (f"{path}/version", ("1", "2"))
    assert not {"proxy-authorization"} & set(sent.headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_cut_off_through_a_proxy(tls_server: Server, scheme: str) -> None:
    tls_server.on(".*", Reply(200, BODY, cut=9))
    trust = ssl.create_default_context(cafile=TLS / "ca.pem")
    with tunnel(tls=scheme == "https") as (port, _), pytest.raises(BrokeOff) as error:
        got(Connections(tls_server.url, "", trust, 2, f"{scheme}://127.0.0.1:{port}"))
    assert str(error.value.__cause__) == "the response ended 9 bytes early"


def test_a_certificate_that_is_not_trusted_behind_an_https_proxy(tls_server: Server) -> None:
    trust = ssl.create_default_context(cafile=TLS / "ca.pem")
    with tunnel(tls=True) as (port, _), pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        got(Connections(tls_server.url, "far.example.com", trust, 2, f"https://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"407 Proxy Authentication Required", "the proxy answered CONNECT with status 407"),
        (b"200 OK\r\n\r\nand more", "the proxy answered CONNECT with status 200"),
        (b"200 OK\r\nno field", "the response has a malformed header"),
    ],
)
def test_a_proxy_that_does_not_connect(tls_server: Server, answer: bytes, cause: str) -> None:
    with tunnel(answer) as (port, _), pytest.raises(NoProxy) as error:
        got(Connections(tls_server.url, "", ssl.create_default_context(), 2, f"http://127.0.0.1:{port}"))
    assert str(error.value.__cause__) == cause


@pytest.fixture(params=["direct", "proxied"])
def connections(request: pytest.FixtureRequest, server: Server) -> Iterator[Connections]:
    """To the server, which answers as a proxy too."""
    trust = ssl.create_default_context()
    if request.param == "direct":
        made = Connections(server.url, "", trust, 2)
    else:
        made = Connections("http://far.example.com", "", trust, 2, server.url)
    yield made
    made.clear()


def got(connections: Connections, target: str = "/version") -> bytes:
    response = connections.send("GET", target, [("Accept", "*/*"), ("X", "1"), ("X", "2")], None, 5)
    return b"".join(response.pieces())


def packed(data: bytes) -> Reply:
    return Reply(200, data, headers={"Content-Encoding": "gzip"})


def test_one_connection_serves_many_requests(server: Server, connections: Connections) -> None:
    server.on(".*", Reply(200, BODY))
    assert [got(connections) for _ in range(5)] == [BODY] * 5
    assert server.connections == 1
    assert server.requests[0].headers["x"] == ("1", "2")


def test_a_response_that_is_left_ends_its_connection(server: Server, connections: Connections) -> None:
    server.on(".*", Reply(200, BODY))
    connections.send("GET", "/version", [], None, 5).close()
    assert got(connections) == BODY
    assert server.connections == 2


def test_none_is_used_after_clear(server: Server, connections: Connections) -> None:
    server.on(".*", Reply(200, BODY))
    got(connections)
    connections.clear()
    got(connections)
    assert server.connections == 2


@pytest.mark.parametrize(
    "data",
    [gzip.compress(BODY), gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]), gzip.compress(b"0" * 5_000_000)],
    ids=["one member", "two members", "a long one"],
)
def test_what_is_packed(server: Server, connections: Connections, data: bytes) -> None:
    server.on(".*", packed(data))
    assert got(connections) == gzip.decompress(data)
    assert got(connections) == gzip.decompress(data)
    assert server.connections == 1


def test_what_is_not_packed_as_it_says(server: Server, connections: Connections) -> None:
    server.on(".*", packed(BODY))
    with pytest.raises(Undecodable):
        got(connections)


def test_a_packed_body_that_ends_early() -> None:
    with Server() as server:
        server.on(".*", packed(gzip.compress(BODY)[:-20]))
        with pytest.raises(Undecodable):
            got(Connections(server.url, "", ssl.create_default_context(), 2))


@pytest.mark.parametrize("cut", [1, len(BODY) - 1])
def test_a_body_that_is_cut_off(server: Server, connections: Connections, cut: int) -> None:
    server.on(".*", Reply(200, BODY, cut=cut))
    with pytest.raises(BrokeOff):
        got(connections)


def test_no_server() -> None:
    with pytest.raises(NoConnection):
        got(Connections("http://127.0.0.1:1", "", ssl.create_default_context(), 2))
    with pytest.raises(NoProxy):
        got(Connections("http://far.example.com", "", ssl.create_default_context(), 2, "http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://127.0.0.1:{port}", "127.0.0.1:{port}"), ("http://localhost:{port}/", "localhost:{port}")],
)
def test_the_host(server: Server, url: str, host: str) -> None:
    port = server.url.rpartition(":")[2]
    got(Connections(url.format(port=port).rstrip("/"), "", ssl.create_default_context(), 2))
    assert server.requests[0].headers["host"] == (host.format(port=port),)


@pytest.mark.parametrize("url", ["ftp://a", "https://", "a.example.com", "https://a:port", "http://[::1"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its message is not shown: it may repeat a password
        Connections(url, "", ssl.create_default_context(), 2)


def test_the_path_of_the_server(server: Server) -> None:
    got(Connections(f"{server.url}/k8s/a%20b c/ü", "", ssl.create_default_context(), 2), "/version?limit=5")
    assert server.requests[0].path == "/k8s/a%20b%20c/%C3%BC/version"
