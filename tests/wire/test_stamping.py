"""The one write: what it sends, and that it is never half-known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.cluster.interface import ObjectLookup
from postrender.errors import ClusterError
from postrender.models import Found, LiveObject, ReleaseName
from tests.wire.conftest import Connect
from tests.wire.kinds import NAMESPACE, SECRET, SHIRT, an_object
from tests.wire.server import Reply, Server, gone, html, ok, status

OLD = ReleaseName("shop", "old")
PATCH = "PATCH /apis/stable.example.com/v1/namespaces/shop/shirts/shirt"
LOOK = "hint: kubectl get shirts.stable.example.com shirt -o yaml -n shop"


@pytest.fixture
def shirt(server: Server) -> dict[str, Any]:
    body = an_object(SHIRT, "shirt", metadata={"labels": {"app": "x"}, "annotations": {"note": "y"}}, spec={"size": 1})
    server.put(SHIRT, body)
    return body


def read(connect: Connect, *, body: bool = False) -> LiveObject:
    (found,) = connect().get_objects([ObjectLookup(SHIRT, "shop", "shirt", body)])
    assert isinstance(found, Found)
    return found.live


def refused(connect: Connect, live: LiveObject, timeout: float = 5) -> str:
    with pytest.raises(ClusterError) as caught:
        connect(request_timeout=timeout).set_ownership(live, SHIRT, OLD)
    return str(caught.value)


@pytest.mark.usefixtures("shirt")
def test_one_label_and_two_annotations_are_written(server: Server, connect: Connect) -> None:
    live = read(connect)
    stamped = connect().set_ownership(live, SHIRT, OLD)
    assert (stamped.key, stamped.uid, stamped.resource_version) == (live.key, live.uid, "8")
    assert (stamped.managed_by_helm, stamped.owner, stamped.body) == (True, OLD, None)
    (request,) = server.asked("PATCH .*")
    assert f"{request.method} {request.path}" == PATCH
    assert request.query == {"fieldManager": "postrender"}
    assert request.headers["content-type"] == ("application/merge-patch+json",)
    assert json.loads(request.body) == {
        "metadata": {
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "shop"},
        }
    }


def test_everything_else_stays(server: Server, connect: Connect, shirt: dict[str, Any]) -> None:
    live = read(connect, body=True)
    stamped = connect().set_ownership(live, SHIRT, OLD)
    now = server.objects[SHIRT.path("shop", "shirt")]
    assert stamped.body == now
    assert now["spec"] == shirt["spec"]
    assert now["metadata"]["labels"] == {"app": "x", "app.kubernetes.io/managed-by": "Helm"}
    assert now["metadata"]["annotations"]["note"] == "y"


def test_a_cluster_scoped_object(server: Server, connect: Connect) -> None:
    server.put(NAMESPACE, an_object(NAMESPACE, "shop"))
    (found,) = connect().get_objects([ObjectLookup(NAMESPACE, "", "shop", False)])
    assert isinstance(found, Found)
    assert connect().set_ownership(found.live, NAMESPACE, OLD).owner == OLD
    assert server.asked("PATCH .*")[0].path == "/api/v1/namespaces/shop"


@pytest.mark.usefixtures("shirt")
def test_an_object_that_changed_meanwhile_is_not_written(server: Server, connect: Connect) -> None:
    live = read(connect)
    changed = an_object(SHIRT, "shirt", metadata={"resourceVersion": "8"})
    server.put(SHIRT, changed)
    assert refused(connect, live) == (
        "shirts.stable.example.com/shop/shirt: it changed since it was read, so it was not given ownership "
        "metadata for release "
        "shop/old: the object has been modified; please apply your changes to the latest version\n"
        "hint: ...\n"
        "hint: kubectl get shirts.stable.example.com shirt -o yaml -n shop"
    )
    assert server.objects[SHIRT.path("shop", "shirt")] == changed
    assert len(server.asked("PATCH .*")) == 1


@pytest.mark.usefixtures("shirt")
def test_no_right_to_write(server: Server, connect: Connect) -> None:
    live = read(connect)
    server.on(PATCH, status(403, "Forbidden", 'User "jane" cannot patch resource "shirts"'))
    assert refused(connect, live) == (
        "shirts.stable.example.com/shop/shirt: it could not be given ownership metadata for release shop/old: "
        "no right to patch "
        'shirts.stable.example.com (403): User "jane" cannot patch resource "shirts"\n'
        "hint: kubectl auth can-i patch shirts.stable.example.com/shirt -n shop"
    )


@pytest.mark.usefixtures("shirt")
@pytest.mark.parametrize("reply", [status(500, "InternalError", "no"), html(502)])
def test_a_server_error_is_not_tried_again(server: Server, connect: Connect, reply: Reply) -> None:
    live = read(connect)
    server.on(PATCH, reply)
    assert "it could not be given ownership metadata for release shop/old: the server failed (50" in refused(
        connect, live
    )
    assert len(server.asked("PATCH .*")) == 1


@pytest.mark.usefixtures("shirt")
@pytest.mark.parametrize("behaviour", [gone, Reply(200, b"{}" * 99, cut=20)], ids=["no answer", "half an answer"])
def test_a_connection_that_breaks_off_leaves_it_open(server: Server, connect: Connect, behaviour: Reply) -> None:
    live = read(connect)
    server.on(PATCH, behaviour)
    told = refused(connect, live)
    assert told.startswith(
        "shirts.stable.example.com/shop/shirt: the request failed, and whether it was given ownership metadata for "
        "release shop/old is unknown: the connection broke off: "
    )
    assert told.endswith(LOOK)
    assert len(server.asked("PATCH .*")) == 1


@pytest.mark.usefixtures("shirt")
def test_a_server_that_takes_too_long_leaves_it_open(server: Server, connect: Connect) -> None:
    live = read(connect)
    server.on(PATCH, lambda _: Reply(200) if server.over.wait(5) else Reply(500))
    assert " is unknown: no answer within 0.2 s\n" in refused(connect, live, timeout=0.2)


@pytest.mark.usefixtures("shirt")
def test_too_many_requests_were_not_carried_out_and_are_repeated(server: Server, connect: Connect) -> None:
    live = read(connect)
    server.on(PATCH, status(429, "TooManyRequests", "slow down"), times=1)
    assert connect().set_ownership(live, SHIRT, OLD).owner == OLD
    assert len(server.asked("PATCH .*")) == 2


def test_a_connection_that_went_stale_meanwhile_is_not_written_to(
    server: Server, connect: Connect, shirt: dict[str, Any]
) -> None:
    cluster = connect()
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", False)])
    assert isinstance(found, Found)
    assert found.live.uid == shirt["metadata"]["uid"]
    before = server.connections
    cluster.set_ownership(found.live, SHIRT, OLD)
    assert server.connections == before + 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"uid": "another"}, "but the object does not show it"),
        ({"labels": {}}, "but the object does not show it"),
        ({"annotations": {"meta.helm.sh/release-name": "else"}}, "but the object does not show it"),
        (
            {"name": "blouse"},
            "but the server's answer is unexpected: it is about Shirt.stable.example.com/shop/blouse, not about",
        ),
    ],
)
def test_an_answer_without_the_stamps_is_not_believed(
    server: Server, connect: Connect, shirt: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    live = read(connect)
    metadata = {
        **shirt["metadata"],
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "shop"},
    }
    server.on(PATCH, ok({**shirt, "metadata": {**metadata, **change}}))
    assert told in refused(connect, live)


def invalid(*causes: tuple[str, str, str]) -> Reply:
    """A 422 with causes: field, reason and message of each."""
    body = json.loads(status(422, "Invalid", "geheim").body)
    rows = [dict(zip(("field", "reason", "message"), each, strict=True)) for each in causes]
    return Reply(422, json.dumps({**body, "details": {"causes": rows}}).encode())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            status(403, "Forbidden", 'admission webhook "a.example.com" denied the request: data.a is geheim'),
            'no right to patch secrets (403): admission webhook "a.example.com" denied the request',
        ),
        (
            status(
                403, "Forbidden", 'secrets "db" is forbidden: User "jane" cannot patch resource "secrets" in geheim'
            ),
            'no right to patch secrets (403): secrets "db" is forbidden: User "jane" cannot patch resource "secrets"',
        ),
        (status(422, "Invalid", "Secret is invalid: geheim"), "the server answers 422: it is not valid"),
        (
            status(422, "Invalid", 'data: Forbidden: field is immutable when `immutable` is set: "geheim"'),
            "the server answers 422: field is immutable when `immutable` is set",
        ),
        (
            status(
                403, "Forbidden", 'secrets "geheim" is forbidden: exceeded quota: q, requested: secrets=1, used: geheim'
            ),
            "no right to patch secrets (403): exceeded quota: q, requested: secrets=1",
        ),
        (
            invalid(("data[key]", "FieldValueInvalid", 'Invalid value: "geheim": field is immutable')),
            "the server answers 422: data[key] (field is immutable)",
        ),
        (
            invalid(("data[key]", "FieldValueInvalid", 'Invalid value: "geheim"'), ("geheim", "geheim", "geheim")),
            "the server answers 422: data[key] (FieldValueInvalid)",
        ),
        (
            invalid(("type", "geheim", "geheim")),
            "the server answers 422: type (not valid)",
        ),
        (status(500, "InternalError", "geheim"), "the server failed (500): it is not valid"),
    ],
)
def test_what_is_said_of_a_secret_holds_no_value(server: Server, connect: Connect, reply: Reply, said: str) -> None:
    server.put(SECRET, an_object(SECRET, "db", data={"a": "Z2VoZWlt"}))
    (found,) = connect().get_objects([ObjectLookup(SECRET, "shop", "db", False)])
    assert isinstance(found, Found)
    server.on("PATCH .*", reply)
    with pytest.raises(ClusterError) as caught:
        connect().set_ownership(found.live, SECRET, OLD)
    assert str(caught.value).splitlines()[0] == (
        f"secrets/shop/db: it could not be given ownership metadata for release shop/old: {said}"
    )


def test_a_conflict_about_a_secret_holds_no_value(server: Server, connect: Connect) -> None:
    server.put(SECRET, an_object(SECRET, "db", data={"a": "Z2VoZWlt"}))
    (found,) = connect().get_objects([ObjectLookup(SECRET, "shop", "db", False)])
    assert isinstance(found, Found)
    server.on("PATCH .*", status(409, "Conflict", "geheim"))
    with pytest.raises(ClusterError) as caught:
        connect().set_ownership(found.live, SECRET, OLD)
    assert "geheim" not in str(caught.value)
    assert "it changed since it was read" in str(caught.value)
