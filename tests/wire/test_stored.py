"""Helm's stored releases, read from a cluster."""

from __future__ import annotations

import json

import pytest

from postrender.models import ReleaseName, StoredRelease, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision, an_object
from tests.wire.server import Reply, Server, html, not_found, ok, status

OLD = ReleaseName("shop", "old")
LIST = "GET /api/v1/namespaces/shop/secrets"
AGAIN = ("kubectl get secrets -n shop",)
SECRETS = {"kind": "SecretList", "apiVersion": "v1", "metadata": {}}


def stored(connect: Connect, *, manifest: bool = False, driver: str = "secret") -> tuple[StoredRelease, ...] | Unknown:
    return connect(request_timeout=5).get_revisions(OLD, manifest=manifest, driver=driver)


@pytest.fixture
def revisions(server: Server) -> None:
    """Ten revisions of which the eighth is deployed, and what must not be taken for one."""
    statuses = {8: "deployed", 9: "failed", 10: "pending-upgrade"}
    server.put(SECRET, *(a_revision("old", each, statuses.get(each, "superseded")) for each in range(1, 11)))
    server.put(SECRET, a_revision("older", 1, "deployed"))
    server.put(SECRET, an_object(SECRET, "old", metadata={"labels": {"name": "old"}}))


def test_no_revision_is_gone(server: Server, connect: Connect) -> None:
    assert stored(connect) == ()
    (request,) = server.asked()
    assert f"{request.method} {request.path}" == LIST
    assert request.query == {"labelSelector": "owner=helm,name=old", "limit": "500"}


@pytest.mark.usefixtures("revisions")
def test_labels_tell_what_is_stored_and_one_payload_is_read(server: Server, connect: Connect) -> None:
    found = stored(connect)
    assert isinstance(found, tuple)
    assert [each.revision for each in found] == list(range(1, 11))
    assert [each.status for each in found][6:] == ["superseded", "deployed", "failed", "pending-upgrade"]
    assert {each.manifest for each in found} == {None}
    assert [each.headers["accept"] for each in server.asked(LIST)] == [
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",)
    ]


@pytest.mark.usefixtures("revisions")
def test_only_payloads_that_matter_are_read(server: Server, connect: Connect) -> None:
    found = stored(connect, manifest=True)
    assert isinstance(found, tuple)
    assert {each.revision: each.manifest for each in found if each.manifest is not None} == {
        8: "# revision 8\n",
        10: "# revision 10\n",
    }
    assert sorted(each.path.rpartition(".v")[2] for each in server.asked(f"{LIST}/.*")) == ["10", "8"]


def test_the_newest_revision_is_read_once_where_it_is_deployed(server: Server, connect: Connect) -> None:
    server.put(SECRET, a_revision("old", 1, "superseded"), a_revision("old", 2, "deployed", apply_method="ssa"))
    assert stored(connect, manifest=True) == (
        StoredRelease(OLD, 1, "superseded"),
        StoredRelease(OLD, 2, "deployed", "# revision 2\n", "ssa"),
    )
    assert len(server.asked(f"{LIST}/.*")) == 1


def test_config_maps(server: Server, connect: Connect) -> None:
    server.put(CONFIG_MAP, a_revision("old", 3, "deployed", driver="configmap"))
    assert stored(connect, manifest=True, driver="configmap") == (StoredRelease(OLD, 3, "deployed", "# revision 3\n"),)
    assert stored(connect, manifest=True, driver="secret") == ()


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        ("sql", "HELM_DRIVER=sql keeps releases in a database, where they cannot be read"),
        ("memory", "HELM_DRIVER=memory keeps releases in the memory of Helm itself, where they cannot be read"),
    ],
)
def test_drivers_that_no_cluster_can_tell_of(server: Server, connect: Connect, driver: str, reason: str) -> None:
    assert stored(connect, driver=driver) == Unknown(reason, ("postrender doctor",))
    assert server.asked() == []


@pytest.mark.usefixtures("revisions")
def test_a_list_in_pages(server: Server, connect: Connect) -> None:
    server.page = 3
    found = stored(connect)
    assert isinstance(found, tuple)
    assert [each.revision for each in found] == list(range(1, 11))
    assert [each.query.get("continue") for each in server.asked(LIST)] == [None, "3", "6", "9"]
    assert {each.query["labelSelector"] for each in server.asked(LIST)} == {"owner=helm,name=old"}


@pytest.mark.usefixtures("revisions")
def test_a_list_whose_place_was_forgotten_is_begun_again(server: Server, connect: Connect) -> None:
    server.page = 6
    gone = status(410, "Expired", "The provided continue parameter is too old")
    server.on(LIST, lambda request: gone if "continue" in request.query else None, times=2)
    found = stored(connect)
    assert isinstance(found, tuple)
    assert len(found) == 10


@pytest.mark.usefixtures("revisions")
def test_a_list_whose_place_is_always_forgotten(server: Server, connect: Connect) -> None:
    server.page = 6
    gone = status(410, "Expired", "The provided continue parameter is too old")
    server.on(LIST, lambda request: gone if "continue" in request.query else None)
    assert stored(connect) == Unknown("the server answers 410: The provided continue parameter is too old", AGAIN)
    assert len(server.asked()) == 4


def test_a_list_without_end(server: Server, connect: Connect) -> None:
    server.on(LIST, ok({"kind": "SecretList", "apiVersion": "v1", "metadata": {"continue": "more"}, "items": []}))
    assert stored(connect) == Unknown("unexpected answer of the server: its list does not end", AGAIN)


@pytest.mark.usefixtures("revisions")
def test_a_server_that_lists_whole_objects(server: Server, connect: Connect) -> None:
    items = [each for path, each in server.objects.items() if ".old." in path]
    server.on(LIST, ok({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": items}))
    found = stored(connect)
    assert isinstance(found, tuple)
    assert len(found) == 10


def test_no_right_to_list(server: Server, connect: Connect) -> None:
    server.on(LIST, status(403, "Forbidden", 'secrets is forbidden: User "jane" cannot list resource "secrets"'))
    assert stored(connect) == Unknown(
        'no right to list secrets (403): secrets is forbidden: User "jane" cannot list resource "secrets"',
        ("kubectl auth can-i list secrets -n shop",),
    )


@pytest.mark.usefixtures("revisions")
def test_no_right_to_read_a_payload(server: Server, connect: Connect) -> None:
    server.on(f"{LIST}/.*", status(403, "Forbidden", "no"))
    answer = stored(connect, manifest=True)
    assert isinstance(answer, Unknown)
    assert answer.reason == "no right to get secrets (403): no"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(500, "InternalError", "no"), "the server failed (500): no"),
        (html(404), "the server answers 404: no word of an API server, but text/html"),
        (html(200), "unexpected answer of the server: it is not a list of secrets"),
        (ok({"kind": "PodList", "items": []}), "unexpected answer of the server: it is not a list of secrets"),
        (
            ok({**SECRETS, "items": [{"metadata": {"name": "a", "labels": {"owner": "helm"}}}]}),
            "unexpected answer of the server: Secret/a is not a revision of release shop/old",
        ),
        (Reply(200, b'{"kind": "Secr'), "unexpected answer of the server: it is not a list of secrets"),
    ],
)
def test_a_list_that_settles_nothing(server: Server, connect: Connect, reply: Reply, reason: str) -> None:
    server.on(LIST, reply)
    answer = stored(connect)
    assert isinstance(answer, Unknown)
    assert answer.reason == reason


def test_a_record_that_is_listed_twice(server: Server, connect: Connect) -> None:
    server.on(LIST, ok({**SECRETS, "items": [a_revision("old", 1, "deployed")] * 2}))
    assert stored(connect) == Unknown(
        "unexpected answer of the server: revision 1 of release shop/old is stored twice", AGAIN
    )


def test_a_release_that_changes_while_it_is_read(server: Server, connect: Connect) -> None:
    server.put(SECRET, a_revision("old", 1, "pending-install"))
    after = Reply(200, json.dumps(a_revision("old", 1, "deployed")).encode())
    server.on(f"{LIST}/.*", after)
    answer = stored(connect, manifest=True)
    assert isinstance(answer, Unknown)
    assert answer.reason == "unexpected answer of the server: sh.helm.release.v1.old.v1 changed while it was read"


def test_a_release_that_goes_away_while_it_is_read(server: Server, connect: Connect) -> None:
    revision = a_revision("old", 1, "deployed")
    server.put(SECRET, revision)
    server.on(f"{LIST}/.*", not_found(SECRET, revision["metadata"]["name"]))
    answer = stored(connect, manifest=True)
    assert isinstance(answer, Unknown)
    assert answer.reason == "unexpected answer of the server: sh.helm.release.v1.old.v1 went away while it was read"


@pytest.mark.usefixtures("revisions")
def test_reading_releases_sends_no_write(server: Server, connect: Connect) -> None:
    stored(connect, manifest=True)
    assert {each.method for each in server.asked()} == {"GET"}
