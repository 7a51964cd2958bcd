"""Payloads read whole, replaced, or taken away: what is sent, and that it is never half-known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.errors import ClusterError
from postrender.helm.storage import StoredObject
from postrender.models import ReleaseName, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision
from tests.wire.server import Reply, Server, gone, not_found, ok, status

OLD = ReleaseName("shop", "old")
FIRST = "/api/v1/namespaces/shop/secrets/sh.helm.release.v1.old.v1"
NAMED = "secrets/shop/sh.helm.release.v1.old.v1"


@pytest.fixture
def revisions(server: Server) -> None:
    server.put(SECRET, *(a_revision("old", each, "superseded") for each in (2, 10, 1)))
    server.put(SECRET, a_revision("older", 1, "deployed"))
    server.put(CONFIG_MAP, a_revision("old", 1, "deployed", driver="configmap"))


def payloads(connect: Connect, driver: str = "secret") -> tuple[StoredObject, ...]:
    found = connect(request_timeout=5).payloads(OLD, driver)
    assert isinstance(found, tuple), found
    return found


def refused(connect: Connect, stored: StoredObject) -> str:
    with pytest.raises(ClusterError) as caught:
        connect(request_timeout=5).replace_payload(stored, "bmV3")
    return str(caught.value)


@pytest.mark.usefixtures("revisions")
def test_every_revision_is_read_whole(server: Server, connect: Connect) -> None:
    found = payloads(connect)
    assert [(each.revision.revision, each.revision.manifest) for each in found] == [
        (1, "# revision 1\n"),
        (2, "# revision 2\n"),
        (10, "# revision 10\n"),
    ]
    assert found[0].packed == server.objects[FIRST]["data"]["release"]


@pytest.mark.usefixtures("revisions")
def test_one_that_cannot_be_read_ends_it(server: Server, connect: Connect) -> None:
    server.on(f"GET {FIRST}", status(403, "Forbidden", "no"))
    assert connect().payloads(OLD, "secret") == Unknown(
        "no right to get secrets (403): no",
        ("kubectl auth can-i get secrets/sh.helm.release.v1.old.v1 -n shop",),
    )


@pytest.mark.usefixtures("revisions")
@pytest.mark.parametrize(("driver", "resource"), [("secret", SECRET), ("configmap", CONFIG_MAP)])
def test_the_payload_and_nothing_else_is_replaced(server: Server, connect: Connect, driver: str, resource: Any) -> None:
    first = payloads(connect, driver)[0]
    path = resource.path("shop", "sh.helm.release.v1.old.v1")
    before = server.objects[path]
    server.on(f"PUT {path}", lambda request: ok({**json.loads(request.body), "kind": resource.gvk.kind}))
    now = connect().replace_payload(first, "bmV3")
    assert now.body["data"] == {"release": "bmV3"}
    (request,) = server.asked("PUT .*")
    assert request.query == {"fieldManager": "postrender"}
    assert request.headers["content-type"] == ("application/json",)
    assert json.loads(request.body) == {**before, "data": {"release": "bmV3"}}
    assert json.loads(request.body)["metadata"]["resourceVersion"] == "7"


@pytest.mark.usefixtures("revisions")
def test_somebody_wrote_meanwhile(server: Server, connect: Connect) -> None:
    first = payloads(connect)[0]
    server.on("PUT .*", status(409, "Conflict", "the object has been modified"))
    assert refused(connect, first) == (
        f"{NAMED}: it changed since it was read, so it was not given a new payload for revision 1: "
        "the object has been modified\n"
        "hint: ...\n"
        "hint: kubectl get secrets sh.helm.release.v1.old.v1 -o yaml -n shop"
    )


@pytest.mark.usefixtures("revisions")
def test_no_right_to_update(server: Server, connect: Connect) -> None:
    first = payloads(connect)[0]
    server.on("PUT .*", status(403, "Forbidden", "you cannot"))
    assert refused(connect, first) == (
        f"{NAMED}: it could not be given a new payload for revision 1: no right to update secrets (403): not allowed\n"
        "hint: kubectl auth can-i update secrets/sh.helm.release.v1.old.v1 -n shop"
    )


@pytest.mark.usefixtures("revisions")
def test_it_is_gone(server: Server, connect: Connect) -> None:
    first = payloads(connect)[0]
    server.on("PUT .*", not_found(SECRET, "sh.helm.release.v1.old.v1"))
    assert "it could not be given a new payload for revision 1: the server answers 404: " in refused(connect, first)


@pytest.mark.usefixtures("revisions")
def test_a_connection_that_breaks_off_leaves_it_open(server: Server, connect: Connect) -> None:
    first = payloads(connect)[0]
    server.on("PUT .*", gone)
    told = refused(connect, first)
    assert "the request failed, and whether it was given a new payload for revision 1 is unknown: " in told
    assert told.endswith("hint: kubectl get secrets sh.helm.release.v1.old.v1 -o yaml -n shop")
    assert len(server.asked("PUT .*")) == 1


@pytest.mark.usefixtures("revisions")
def test_an_answer_without_the_payload_is_not_believed(server: Server, connect: Connect) -> None:
    first = payloads(connect)[0]
    server.on("PUT .*", Reply(200, json.dumps(server.objects[FIRST]).encode()))
    assert refused(connect, first).startswith(
        f"{NAMED}: the server took the new payload of revision 1, but the object does not show it\n"
    )


class TestDeleting:
    @pytest.mark.usefixtures("revisions")
    def test_only_the_very_object_that_was_read(self, server: Server, connect: Connect) -> None:
        first = payloads(connect)[0]
        server.on("DELETE .*", ok({"kind": "Status", "status": "Success"}))
        connect().delete(first)
        (request,) = server.asked("DELETE .*")
        assert request.path == FIRST
        assert json.loads(request.body) == {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": "uid-of-sh.helm.release.v1.old.v1", "resourceVersion": "7"},
        }

    @pytest.mark.usefixtures("revisions")
    def test_one_that_is_gone_already(self, server: Server, connect: Connect) -> None:
        first = payloads(connect)[0]
        server.on("DELETE .*", not_found(SECRET, "sh.helm.release.v1.old.v1"))
        connect().delete(first)

    @pytest.mark.usefixtures("revisions")
    @pytest.mark.parametrize(
        ("reply", "told"),
        [
            (
                status(409, "Conflict", "the object has been modified"),
                "it changed since it was read, so it was not deleted: the object has been modified\n"
                "hint: ...\n"
                "hint: kubectl get secrets sh.helm.release.v1.old.v1 -o yaml -n shop",
            ),
            (
                status(403, "Forbidden", "you cannot"),
                "it could not be deleted: no right to delete secrets (403): not allowed\n"
                "hint: kubectl auth can-i delete secrets/sh.helm.release.v1.old.v1 -n shop",
            ),
        ],
    )
    def test_a_refusal(self, server: Server, connect: Connect, reply: Reply, told: str) -> None:
        first = payloads(connect)[0]
        server.on("DELETE .*", reply)
        with pytest.raises(ClusterError) as caught:
            connect().delete(first)
        assert str(caught.value) == f"{NAMED}: {told}"

    @pytest.mark.usefixtures("revisions")
    def test_a_connection_that_breaks_off_leaves_it_open(self, server: Server, connect: Connect) -> None:
        first = payloads(connect)[0]
        server.on("DELETE .*", gone)
        with pytest.raises(ClusterError, match="the request failed, and whether it was deleted is unknown: "):
            connect().delete(first)
