"""Answers that are no answers: none of them may count as "there is nothing"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.cluster.discovery import PATH, AccessRule
from postrender.cluster.interface import ObjectLookup
from postrender.models import Found, GroupVersionKind, NotServed, ReleaseName, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import SHIRT, an_object
from tests.wire.server import Reply, Server, ok

OLD = ReleaseName("shop", "old")
LIST = "GET /api/v1/namespaces/shop/secrets"
PARTIAL = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
WHOLE = {"kind": "SecretList", "apiVersion": "v1"}
META = {"resourceVersion": "9"}

WRONG: list[Any] = [{}, "", False, 0, "x", 1]
NO_METADATA: list[Any] = [[], None, "x", "", 0, False]
NO_TOKEN: list[Any] = [None, 0, False, [], {}, 7]

NO_LISTS: list[Any] = [
    {**PARTIAL, "metadata": META},
    *({**kind, "metadata": META, "items": items} for kind in (PARTIAL, WHOLE) for items in WRONG),
    {**WHOLE, "metadata": META, "items": None},
    {"kind": "SecretList"},
    {"kind": "SecretList", "metadata": META, "items": []},
    {**PARTIAL, "apiVersion": "v1", "metadata": META, "items": []},
    {**PARTIAL, "items": []},
    *({**PARTIAL, "metadata": metadata, "items": []} for metadata in NO_METADATA),
    *({**PARTIAL, "metadata": {"continue": token}, "items": []} for token in NO_TOKEN),
    {**PARTIAL, "metadata": {**META, "remainingItemCount": 3}, "items": []},
    {**PARTIAL, "metadata": META, "items": [None]},
    {**PARTIAL, "metadata": META, "items": [[]]},
    {**PARTIAL, "metadata": META, "items": [{}]},
    {},
    [],
    None,
    "x",
]


@pytest.mark.parametrize("body", NO_LISTS, ids=json.dumps)
def test_a_malformed_list_is_not_an_empty_one(server: Server, connect: Connect, body: Any) -> None:
    server.on(LIST, ok(body))
    answer = connect(request_timeout=5).get_revisions(OLD, manifest=False, driver="secret")
    assert isinstance(answer, Unknown), answer
    assert answer.reason.startswith("unexpected answer of the server: it")
    assert answer.next == ("kubectl get secrets -n shop",)


@pytest.mark.parametrize("items", [None, []])
def test_an_empty_list_as_a_server_sends_it(server: Server, connect: Connect, items: Any) -> None:
    server.on(LIST, ok({**PARTIAL, "metadata": META, "items": items}))
    assert connect(request_timeout=5).get_revisions(OLD, manifest=False, driver="secret") == ()


WRONG_FIELDS: dict[str, list[Any]] = {
    "labels": [[], "", 0, False, "x", {"a": 1}],
    "annotations": [[], "", 0, False, "x", {"a": 1}],
    "managedFields": [{}, "", 0, False, "x"],
    "deletionTimestamp": [[], 0, False, {}, 1, True],
    "uid": [[], 0, False, None, "", 7],
    "resourceVersion": [[], 0, False, None, "", 7],
}


@pytest.mark.parametrize(
    "metadata", [{field: wrong} for field, each in WRONG_FIELDS.items() for wrong in each], ids=json.dumps
)
def test_a_malformed_object_is_not_one_without_an_owner(
    server: Server, connect: Connect, metadata: dict[str, Any]
) -> None:
    server.put(SHIRT, an_object(SHIRT, "a", metadata=metadata))
    (answer,) = connect(request_timeout=5).get_objects([ObjectLookup(SHIRT, "shop", "a", body=False)])
    assert isinstance(answer, Unknown), answer


def test_an_object_whose_maps_are_null_has_none(server: Server, connect: Connect) -> None:
    server.put(SHIRT, an_object(SHIRT, "a", metadata={"labels": None, "annotations": None, "managedFields": None}))
    (answer,) = connect(request_timeout=5).get_objects([ObjectLookup(SHIRT, "shop", "a", body=False)])
    assert isinstance(answer, Found)
    assert (answer.live.labels, answer.live.annotations, answer.live.managed_fields) == ({}, {}, ())


ROWS = [{}, "", False, 0, None, "x", [None], ["x"], [[]]]


@pytest.mark.parametrize("rows", ROWS, ids=json.dumps)
def test_malformed_discovery_is_not_a_kind_that_is_not_served(server: Server, connect: Connect, rows: Any) -> None:
    server.served.remove(SHIRT)
    body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "stable.example.com/v1", "resources": rows}
    server.on("GET /apis/stable.example.com/v1", ok(body))
    gvk = GroupVersionKind("stable.example.com", "v1", "Shirt")
    assert isinstance(connect(request_timeout=5).resolve_kinds([gvk])[gvk], Unknown)
    server.behaviours.clear()
    assert connect(request_timeout=5).resolve_kinds([gvk])[gvk] == NotServed()


@pytest.mark.parametrize("items", ROWS, ids=json.dumps)
def test_a_malformed_catalog_is_not_one_of_nothing(server: Server, connect: Connect, items: Any) -> None:
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}
    server.on("GET /apis?", ok(body))
    assert set(connect(request_timeout=5).catalog().unknown) == {"/api", "/apis"}


@pytest.mark.parametrize("status", ["x", [], None, 0, {"allowed": "true"}, {"allowed": 1}], ids=json.dumps)
def test_a_malformed_review_is_no_right(server: Server, connect: Connect, status: Any) -> None:
    server.on(f"POST {PATH}", Reply(201, json.dumps({"kind": "SelfSubjectAccessReview", "status": status}).encode()))
    (answer,) = connect(request_timeout=5).can_i([AccessRule("list", "", "secrets", "shop")])
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize("items", ["x", [None], [{"metadata": "x"}], [{"versions": 7}], 7], ids=json.dumps)
def test_malformed_capabilities_do_not_end_the_program(server: Server, connect: Connect, items: Any) -> None:
    server.on("GET /apis?", ok({"kind": "APIGroupDiscoveryList", "items": items}))
    assert connect(request_timeout=5).capabilities().kinds == ()
