"""Asking for rights: what is sent, and that no answer is never taken for yes or no."""

from __future__ import annotations

import json

import pytest

from postrender.cluster.discovery import AccessRule
from postrender.models import Unknown
from tests.wire.conftest import Connect
from tests.wire.server import Reply, Server, gone, html, ok, status

REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
GET = AccessRule("get", "stable.example.com", "shirts", "shop")
LIST = AccessRule("list", "", "secrets", "shop")


def test_each_right_is_asked_for_as_it_is(server: Server, connect: Connect) -> None:
    server.on(REVIEW, lambda request: ok({"status": {"allowed": b'"get"' in request.body}}))
    assert connect().can_i([GET, LIST]) == [True, False]
    asked = {json.dumps(json.loads(each.body)["spec"]["resourceAttributes"]) for each in server.asked(REVIEW)}
    assert asked == {
        '{"verb": "get", "group": "stable.example.com", "resource": "shirts", "namespace": "shop"}',
        '{"verb": "list", "group": "", "resource": "secrets", "namespace": "shop"}',
    }


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            status(403, "Forbidden", "not even this"),
            "no right to create selfsubjectaccessreviews.authorization.k8s.io (403): not even this",
        ),
        (status(503, "ServiceUnavailable", "later"), "the server failed (503): later"),
        (html(404), "the server answers 404: no word of an API server, but text/html"),
        (ok({"status": {}}), "unexpected answer of the server: it is not a review of a right"),
        (ok(["odd"]), "unexpected answer of the server: it is not a review of a right"),
        (ok({"status": {"allowed": "true"}}), "unexpected answer of the server: it is not a review of a right"),
        (gone, "the connection broke off: "),
    ],
    ids=["forbidden", "failing", "no API server", "empty", "a list", "a word", "gone"],
)
def test_no_answer_is_neither_yes_nor_no(server: Server, connect: Connect, reply: Reply, reason: str) -> None:
    server.on(REVIEW, reply)
    (answer,) = connect(request_timeout=5).can_i([GET])
    assert isinstance(answer, Unknown)
    assert answer.reason.startswith(reason)


def test_how_a_right_is_called() -> None:
    assert [str(right) for right in (GET, LIST, AccessRule("get", "*", "*", ""))] == [
        "get shirts.stable.example.com",
        "list secrets",
        "get every kind",
    ]
