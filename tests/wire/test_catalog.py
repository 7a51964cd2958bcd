"""Everything a server serves, asked in one question or in many."""

from __future__ import annotations

import pytest

from postrender.cluster.interface import NamedKind
from postrender.models import GroupVersionKind, Resource, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, DEPLOYMENT, SERVED, SHIRT
from tests.wire.server import Server, status

V2 = Resource(GroupVersionKind("stable.example.com", "v2", "Shirt"), "shirts", True, False)


@pytest.mark.parametrize(("discovery", "questions"), [("v2", 2), ("v2beta1", 2), ("none", 6)])
def test_every_kind_once(server: Server, connect: Connect, discovery: str, questions: int) -> None:
    server.discovery = discovery
    found = connect().catalog()
    assert {each.resource for each in found.kinds} == set(SERVED)
    assert found.unknown == {}
    assert NamedKind(DEPLOYMENT, "deployment", ("deploy",)) in found.kinds
    assert len(server.asked()) == questions


@pytest.mark.parametrize("discovery", ["v2", "none"])
def test_the_first_version_of_a_group_counts(server: Server, connect: Connect, discovery: str) -> None:
    server.discovery = discovery
    server.served.append(V2)
    assert [each.resource for each in connect().catalog().kinds if each.resource.plural == "shirts"] == [SHIRT]


@pytest.mark.parametrize("verbs", [["get", "list"], ["create", "get"]])
def test_what_nobody_can_make_or_list_is_left_out(server: Server, connect: Connect, verbs: list[str]) -> None:
    server.verbs["configmaps"] = verbs
    assert CONFIG_MAP not in {each.resource for each in connect().catalog().kinds}


def test_a_group_behind_which_nobody_answers_is_named(server: Server, connect: Connect) -> None:
    server.stale.add("stable.example.com/v1")
    found = connect().catalog()
    assert SHIRT not in {each.resource for each in found.kinds}
    assert found.unknown == {
        "/apis/stable.example.com/v1": Unknown(
            "what the server knows of it is stale: its API server does not answer",
            ("kubectl get apiservices v1.stable.example.com",),
        )
    }


def test_no_right_to_ask(server: Server, connect: Connect) -> None:
    server.on("GET /apis", status(403, "Forbidden", "no"))
    found = connect().catalog()
    assert {each.resource.gvk.group for each in found.kinds} == {""}
    assert found.unknown == {"/apis": Unknown("no right to ask what is served (403): no", ("kubectl get --raw /apis",))}


def test_one_version_that_does_not_answer(server: Server, connect: Connect) -> None:
    server.discovery = "none"
    server.on("GET /apis/apps/v1", status(503, "ServiceUnavailable", "no"))
    found = connect(request_timeout=1).catalog()
    assert {each.resource for each in found.kinds} == {each for each in SERVED if each != DEPLOYMENT}
    assert list(found.unknown) == ["/apis/apps/v1"]
