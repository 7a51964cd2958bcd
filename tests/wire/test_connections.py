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

from postrender.cluster.connections import BrokeOff, Direct, NoConnection, NoProxy, Undecodable
from postrender.cluster.proxied import Proxied
from tests.wire.server import TLS, Reply, Server

BODY = json.dumps({"items": ["x" * 1000] * 1000}).encode()


@contextmanager
def tunnel() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a proxy that connects its clients to where they want, and the requests for that."""
    asked: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = [self.rfile.readline()]
            while (line := self.rfile.readline()).strip():
                lines.append(line)
            asked.append(b"".join(lines))
            host, _, port = lines[0].split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                ends = {self.connection: server, server: self.connection}
                while True:
                    for ready in select.select(list(ends), [], [])[0]:
                        if not (data := ready.recv(65536)):
                            return
                        ends[ready].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield proxy.server_address[1], asked
        proxy.shutdown()


@pytest.mark.parametrize("path", ["", "/k8s/a%20b"])
def test_tls_through_a_proxy(tls_server: Server, path: str) -> None:
    tls_server.on(".*", Reply(200, BODY))
    trust = ssl.create_default_context(cafile=TLS / "ca.pem")
    with tunnel() as (port, asked):
        made = Proxied(tls_server.url + path, "", f"http://jane:g%20heim@127.0.0.1:{port}", trust, 2)
        assert [got(made), got(made)] == [BODY] * 2
        made.clear()
    (request,) = asked
    assert request.startswith(f"CONNECT {tls_server.url.removeprefix('https://')} HTTP/1.".encode())
    assert f"Basic {base64.b64encode(b'jane:g heim').decode()}".encode() in request
    sent = tls_server.requests[0]
    assert (sent.path, sent.headers["x"]) == (f"{path}/version", ("1", "2"))
    assert not {"proxy-authorization"} & set(sent.headers)


@pytest.fixture(params=["direct", "proxied"])
def connections(request: pytest.FixtureRequest, server: Server) -> Iterator[Direct | Proxied]:
    """To the server, which answers as a proxy too."""
    trust = ssl.create_default_context()
    if request.param == "direct":
        made: Direct | Proxied = Direct(server.url, "", trust, 2)
    else:
        made = Proxied("http://far.example.com", "", server.url, trust, 2)
    yield made
    made.clear()


def got(connections: Direct | Proxied, target: str = "/version") -> bytes:
    response = connections.send("GET", target, [("Accept", "*/*"), ("X", "1"), ("X", "2")], None, 5)
    return b"".join(response.pieces())


def packed(data: bytes) -> Reply:
    return Reply(200, data, headers={"Content-Encoding": "gzip"})


def test_one_connection_serves_many_requests(server: Server, connections: Direct | Proxied) -> None:
    server.on(".*", Reply(200, BODY))
    assert [got(connections) for _ in range(5)] == [BODY] * 5
    assert server.connections == 1
    assert server.requests[0].headers["x"] == ("1", "2")


def test_a_response_that_is_left_ends_its_connection(server: Server, connections: Direct | Proxied) -> None:
    server.on(".*", Reply(200, BODY))
    connections.send("GET", "/version", [], None, 5).close()
    assert got(connections) == BODY
    assert server.connections == 2


def test_none_is_used_after_clear(server: Server, connections: Direct | Proxied) -> None:
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
def test_what_is_packed(server: Server, connections: Direct | Proxied, data: bytes) -> None:
    server.on(".*", packed(data))
    assert got(connections) == gzip.decompress(data)
    assert got(connections) == gzip.decompress(data)
    assert server.connections == 1


def test_what_is_not_packed_as_it_says(server: Server, connections: Direct | Proxied) -> None:
    server.on(".*", packed(BODY))
    with pytest.raises(Undecodable):
        got(connections)


def test_a_packed_body_that_ends_early() -> None:
    """``urllib3`` takes it for whole; what it holds is no JSON then."""
    with Server() as server:
        server.on(".*", packed(gzip.compress(BODY)[:-20]))
        with pytest.raises(Undecodable):
            got(Direct(server.url, "", ssl.create_default_context(), 2))


@pytest.mark.parametrize("cut", [1, len(BODY) - 1])
def test_a_body_that_is_cut_off(server: Server, connections: Direct | Proxied, cut: int) -> None:
    server.on(".*", Reply(200, BODY, cut=cut))
    with pytest.raises(BrokeOff):
        got(connections)


def test_no_server() -> None:
    with pytest.raises(NoConnection):
        got(Direct("http://127.0.0.1:1", "", ssl.create_default_context(), 2))
    with pytest.raises(NoProxy):
        got(Proxied("http://far.example.com", "", "http://127.0.0.1:1", ssl.create_default_context(), 2))


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://127.0.0.1:{port}", "127.0.0.1:{port}"), ("http://localhost:{port}/", "localhost:{port}")],
)
def test_the_host(server: Server, url: str, host: str) -> None:
    port = server.url.rpartition(":")[2]
    got(Direct(url.format(port=port).rstrip("/"), "", ssl.create_default_context(), 2))
    assert server.requests[0].headers["host"] == (host.format(port=port),)


@pytest.mark.parametrize("url", ["ftp://a", "https://", "a.example.com", "https://a:port", "http://[::1"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its message is not shown: it may repeat a password
        Direct(url, "", ssl.create_default_context(), 2)


def test_the_path_of_the_server(server: Server) -> None:
    got(Direct(f"{server.url}/k8s/a%20b c/ü", "", ssl.create_default_context(), 2), "/version?limit=5")
    assert server.requests[0].path == "/k8s/a%20b%20c/%C3%BC/version"
