"""Many objects of one kind and namespace are looked up in one list, as exactly as one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postrender.cluster import reads
from postrender.cluster.client import Cluster
from postrender.cluster.interface import ObjectLookup
from postrender.models import Absent, Found, Observation, Resource, Unknown
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, an_object
from tests.wire.server import Reply, Request, Server, gone, ok, status

LIST = "GET /api/v1/namespaces/shop/configmaps"
ONE = f"{LIST}/.*"
MANY = reads.LISTED_FROM

Connect = Callable[..., Cluster]


def lookups(count: int = MANY, *, body: bool = False) -> list[ObjectLookup]:
    return [ObjectLookup(CONFIG_MAP, "shop", f"c{place}", body) for place in range(count)]


def put(server: Server, *places: int) -> None:
    server.put(
        CONFIG_MAP, *(an_object(CONFIG_MAP, f"c{place}", metadata={"labels": {"at": str(place)}}) for place in places)
    )


def exactly(monkeypatch: pytest.MonkeyPatch, connect: Connect, wanted: list[ObjectLookup]) -> list[Observation]:
    """What one request for each tells."""
    with monkeypatch.context() as patched:
        patched.setattr("postrender.cluster.client.LISTED_FROM", 10**9)
        return connect().get_objects(wanted)


def test_ten_objects_are_looked_up_by_one_request(server: Server, connect: Connect) -> None:
    assert connect().get_objects(lookups(10)) == [Absent()] * 10
    assert len(server.asked()) == server.connections == 1


def test_one_request_tells_the_same_as_many(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    put(server, 3, 7)
    listed = connect().get_objects(lookups())
    assert len(server.asked()) == len(server.asked(LIST)) == 1
    assert [place for place, each in enumerate(listed) if isinstance(each, Found)] == [3, 7]
    assert listed == exactly(monkeypatch, connect, lookups())


@pytest.mark.parametrize(
    "wanted",
    [lookups(MANY - 1), [ObjectLookup(SECRET, "shop", f"c{place}", False) for place in range(MANY)]],
    ids=["few", "Secrets"],
)
def test_what_is_read_one_by_one(server: Server, connect: Connect, wanted: list[ObjectLookup]) -> None:
    assert connect().get_objects(wanted) == [Absent()] * len(wanted)
    assert len(server.asked()) == len(wanted)
    assert server.asked(".*/(configmaps|secrets)") == []


@pytest.mark.parametrize(
    "behaviour",
    [
        status(403, "Forbidden", 'configmaps is forbidden: User "jane" cannot list resource "configmaps"'),
        status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
        Reply(500, b"conversion webhook failed"),
        Reply(200, b"no JSON"),
        ok({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}}),
        ok({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"remainingItemCount": 3}, "items": []}),
        ok({"kind": "ConfigMapList", "apiVersion": "v1", "items": []}),
        ok({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": [{"metadata": {"name": "c3"}}]}),
        ok({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}),
        gone,
    ],
    ids=[
        "forbidden",
        "not allowed",
        "fails",
        "no JSON",
        "no items",
        "lost",
        "no metadata",
        "no uid",
        "another",
        "gone",
    ],
)
def test_a_list_that_does_not_tell_is_not_believed(server: Server, connect: Connect, behaviour: Any) -> None:
    put(server, 3)
    server.on(LIST, behaviour)
    found = connect().get_objects(lookups())
    assert [place for place, each in enumerate(found) if isinstance(each, Found)] == [3]
    assert [place for place, each in enumerate(found) if each != Absent()] == [3]
    assert len(server.asked(ONE)) == MANY


def test_no_more_is_listed_than_it_saves(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a namespace with many others one page is read; what it does not tell is read one by one."""
    others = [an_object(CONFIG_MAP, f"a{place:04}") for place in range(10 * MANY)]
    server.put(CONFIG_MAP, *others)
    put(server, 1, 5)
    wanted = [*lookups(), ObjectLookup(CONFIG_MAP, "shop", "a0003", False)]
    found = connect().get_objects(wanted)
    (listed,) = server.asked(LIST)
    assert listed.query["limit"] == str(len(wanted))
    assert [place for place, each in enumerate(found) if isinstance(each, Found)] == [1, 5, MANY]
    assert len(server.asked(ONE)) == MANY
    assert found == exactly(monkeypatch, connect, wanted)


def test_what_is_live_is_read_whole_if_it_is_wanted_whole(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(server, 3, 7)
    found = connect().get_objects(lookups(body=True))
    assert sorted(each.path.rpartition("/")[2] for each in server.asked()) == ["c3", "c7", "configmaps"]
    assert found == exactly(monkeypatch, connect, lookups(body=True))


@pytest.mark.parametrize("resource", [CONFIG_MAP, SHIRT], ids=["built in", "custom"])
def test_many_that_are_live_are_listed_whole(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch, resource: Resource
) -> None:
    names = [f"c{place}" for place in range(300)]
    server.put(resource, *(an_object(resource, name, spec={"at": name}) for name in names))
    wanted = [ObjectLookup(resource, "shop", name, True) for name in [*names, *(f"{each}-new" for each in names)]]
    found = connect().get_objects(wanted)
    assert [each.query["limit"] for each in server.asked()] == ["600", "250", "250"]
    assert found == exactly(monkeypatch, connect, wanted)


def test_no_more_is_listed_whole_than_is_wanted(server: Server, connect: Connect) -> None:
    """Half of what is there may be read for nothing, no more."""
    put(server, *range(MANY))
    server.put(CONFIG_MAP, *(an_object(CONFIG_MAP, f"a{place}") for place in range(MANY + 1)))
    wanted = [*lookups(body=True), *(ObjectLookup(CONFIG_MAP, "shop", f"new{each}", True) for each in range(3 * MANY))]
    found = connect().get_objects(wanted)
    assert sum(isinstance(each, Found) for each in found) == MANY
    assert len(server.asked(LIST)) == 1
    assert len(server.asked(ONE)) == MANY


@pytest.mark.parametrize("item", ["kind", "metadata"])
def test_an_item_that_is_not_the_object_is_not_believed(server: Server, connect: Connect, item: str) -> None:
    put(server, *range(MANY))

    def behave(request: Request) -> Reply | None:
        if "as=PartialObjectMetadataList" in request.headers["accept"][0]:
            return None
        listed = {"metadata": {"name": "c0", "namespace": "shop"}}
        wrong = {**listed, "kind": "Pod"} if item == "kind" else listed
        return ok({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": [wrong]})

    server.on(LIST, behave)
    found = connect().get_objects(lookups(body=True))
    assert all(isinstance(each, Found) for each in found)
    assert len(server.asked(ONE)) == MANY


def test_one_that_goes_meanwhile_is_read_once_more(server: Server, connect: Connect) -> None:
    put(server, *range(MANY))

    def behave(request: Request) -> Reply | None:
        if "as=PartialObjectMetadataList" not in request.headers["accept"][0]:
            server.objects.pop("/api/v1/namespaces/shop/configmaps/c3", None)
        return None

    server.on(LIST, behave)
    found = connect().get_objects(lookups(body=True))
    assert [place for place, each in enumerate(found) if each == Absent()] == [3]
    assert [each.path.rpartition("/")[2] for each in server.asked(ONE)] == ["c3"]


def test_each_namespace_is_listed_by_itself(server: Server, connect: Connect) -> None:
    put(server, 0)
    wanted = [
        *lookups(),
        *(ObjectLookup(CONFIG_MAP, "other", f"c{place}", False) for place in range(MANY)),
        ObjectLookup(CONFIG_MAP, "third", "c0", False),
    ]
    found = connect().get_objects(wanted)
    assert [place for place, each in enumerate(found) if isinstance(each, Found)] == [0]
    assert sorted(each.path for each in server.asked()) == [
        "/api/v1/namespaces/other/configmaps",
        "/api/v1/namespaces/shop/configmaps",
        "/api/v1/namespaces/third/configmaps/c0",
    ]


def test_a_server_that_fails_throughout(server: Server, connect: Connect) -> None:
    server.on(".*", Reply(500))
    assert {type(each) for each in connect().get_objects(lookups())} == {Unknown}
