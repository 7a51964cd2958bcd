"""Responses as they come over a socket: whole ones as ``http.client`` reads them, others refused with their reason."""

from __future__ import annotations

import http.client
import socket
import threading

import pytest

from postrender.cluster.connections import MAX_HEADERS, PIECE, BadResponse, HttpConnection, OpenResponse

WHOLE = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "lengths that agree": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "nothing": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "an old version": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX: y\r\n\r\n",
    "chunks in capitals": b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "a long chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3D090\r\n%s\r\n0\r\n\r\n" % (b"x" * 250_000),
    "an interim response": b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
}

MALFORMED = {
    b"": "the server closed it without a response",
    b"HTTP/1.1 200 OK": "the server closed it without a response",
    b"SSH-2.0-OpenSSH_9.2\r\n": "the response is not HTTP/1.1",
    b"HTTP/2 200\r\n\r\n": "the response is not HTTP/1.1",
    b"HTTP/1.1 20 OK\r\n\r\n": "the response is not HTTP/1.1",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n": "the response's header ended early",
    b"HTTP/1.1 200 OK\r\nno field\r\n\r\n": "the response has a malformed header",
    b"HTTP/1.1 200 OK\r\n folded\r\n\r\n": "the response has a malformed header",
    b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n": "the response has a malformed header",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n": "the response's header has more than 100 lines",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * PIECE + b"\r\n\r\n": "the response has a line of more than 65536 bytes",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello": "the response has a malformed Content-Length",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello": (
        "the response has a malformed Content-Length"
    ),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n": "the response has a transfer coding other than chunked",
    b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhello": "the response ended 2 bytes early",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n": "the response has a malformed chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n": "the response has a malformed chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel": "the response ended 2 bytes early",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n": "the response ended within its chunks",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1): (
        "the response's trailer has more than 100 lines"
    ),
    b"HTTP/1.1 100 Continue\r\n\r\n" * 6: "the server closed it without a response",
}


def answering(data: bytes) -> socket.socket:
    """A socket to a server that sends these bytes and closes."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            theirs.sendall(data)

    threading.Thread(target=send, daemon=True).start()
    return ours


def read(data: bytes) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection can be used again."""
    connection = HttpConnection(answering(data), "a.example.com")
    try:
        response = OpenResponse(None, connection)
        return response.status, b"".join(response.body()), response.reusable
    finally:
        connection.sock.close()


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_whole_response(data: bytes) -> None:
    with answering(data) as sock:
        judge = http.client.HTTPResponse(sock)
        judge.begin()
        expected = judge.status, judge.read(), not judge.will_close
        judge.close()
    assert read(data) == expected


@pytest.mark.parametrize(("data", "message"), MALFORMED.items(), ids=[str(number) for number in range(len(MALFORMED))])
def test_a_response_that_is_not_whole(data: bytes, message: str) -> None:
    with pytest.raises(BadResponse) as error:
        read(data)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ],
)
def test_a_connection_that_is_not_used_again(data: bytes) -> None:
    assert read(data) == (200, data.partition(b"\r\n\r\n")[2][: None if b"Length" not in data else 5], False)


def test_a_connection_of_the_old_version_that_stays_open() -> None:
    data = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\nhello"
    assert read(data) == (200, b"hello", True)


def test_fields_of_one_name_are_joined() -> None:
    connection = HttpConnection(answering(b"HTTP/1.1 204 No\r\nX: a\r\nx:b \r\nY:\r\n\r\n"), "a")
    assert connection.header() == (204, {"x": "a, b", "y": ""}, True)
    connection.sock.close()


def test_a_request_as_it_is_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        HttpConnection(ours, "a:1").send("PUT", "/x?y=z", [("A", "é"), ("A", "2")], b"body")
        assert theirs.recv(1000) == (
            b"PUT /x?y=z HTTP/1.1\r\nHost: a:1\r\nA: \xe9\r\nA: 2\r\nContent-Length: 4\r\n\r\nbody"
        )


@pytest.mark.parametrize(
    ("target", "value"), [("/a b", ""), ("/ü", ""), ("/\n", ""), ("/", "a\r\nHost: b"), ("/", "a\nb"), ("/", "a\0")]
)
def test_a_request_that_no_server_could_read(target: str, value: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(ValueError, match=r"^a character that no HTTP header can hold$"):
            HttpConnection(ours, "a").send("GET", target, [("X", value)], None)
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
