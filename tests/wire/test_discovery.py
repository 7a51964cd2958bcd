"""How kinds are served: aggregated discovery of every age, servers without it, and answers that settle nothing."""

from __future__ import annotations

import json

import pytest

from postrender.cluster.http import TRIES
from postrender.models import GroupVersionKind, NotServed, Resource, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import BETA_SHIRT, CONFIG_MAP, DEPLOYMENT, NAMESPACE, SHIRT
from tests.wire.server import Reply, Server, gone, html, ok, status

ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


def served(connect: Connect, gvk: GroupVersionKind) -> Resource | NotServed | Unknown:
    """What is said about one kind."""
    answer = connect(request_timeout=5).resolve_kinds([gvk])
    assert list(answer) == [gvk]
    return answer[gvk]


def gvk(api_version: str, kind: str) -> GroupVersionKind:
    return GroupVersionKind.parse(api_version, kind)


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_one_question_for_all_groups(server: Server, connect: Connect, version: str) -> None:
    server.discovery = version
    kinds = [DEPLOYMENT, SHIRT, BETA_SHIRT, CONFIG_MAP, NAMESPACE]
    found = connect().resolve_kinds(each.gvk for each in kinds)
    assert list(found.items()) == [(each.gvk, each) for each in kinds]
    assert sorted(each.path for each in server.asked()) == ["/api", "/apis"]
    assert {each.headers["accept"] for each in server.asked()} == {(ACCEPT,)}


@pytest.mark.parametrize(("kind", "path"), [(CONFIG_MAP, "/api"), (SHIRT, "/apis")])
def test_only_what_the_kinds_need_is_asked(server: Server, connect: Connect, kind: Resource, path: str) -> None:
    assert served(connect, kind.gvk) == kind
    assert [each.path for each in server.asked()] == [path]


def test_a_resource_that_is_badly_described_settles_nothing(server: Server, connect: Connect) -> None:
    resource = {"resource": "shirts", "responseKind": {"kind": "Shirt"}}
    group = {"metadata": {"name": "stable.example.com"}, "versions": [{"version": "v1", "resources": [resource]}]}
    server.on("GET /apis", ok({"kind": "APIGroupDiscoveryList", "items": [group]}))
    found = connect().resolve_kinds([SHIRT.gvk, DEPLOYMENT.gvk])
    assert found[SHIRT.gvk] == Unknown(
        "unexpected answer of the server: it is not an APIGroupDiscoveryList", ("kubectl get --raw /apis -v=6",)
    )
    assert found[DEPLOYMENT.gvk] == DEPLOYMENT


def test_no_kinds_are_no_questions(server: Server, connect: Connect) -> None:
    assert connect().resolve_kinds([]) == {}
    assert server.asked() == []


def test_the_core_group_is_no_wildcard(server: Server, connect: Connect) -> None:
    """``v1 Gateway`` is not ``gateway.networking.k8s.io/v1 Gateway``."""
    gateway = Resource(gvk("gateway.networking.k8s.io/v1", "Gateway"), "gateways", True, False)
    server.served.append(gateway)
    assert served(connect, gvk("v1", "Gateway")) == NotServed()
    assert served(connect, gateway.gvk) == gateway


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("stable.example.com/v2", "Shirt"),
        ("stable.example.com/v1", "Trousers"),
        ("stable.example.com/v1", "shirt"),
        ("nowhere.example.com/v1", "Shirt"),
        ("v2", "ConfigMap"),
        ("v1", "Shirt"),
        ("apps/v1/deep", "Deployment"),
    ],
)
def test_not_served_is_said_only_after_a_second_question(
    server: Server, connect: Connect, api_version: str, kind: str
) -> None:
    assert served(connect, gvk(api_version, kind)) == NotServed()
    root, second = (each.path for each in server.asked())
    group, _, version = api_version.partition("/") if "/" in api_version else ("", "", api_version)
    assert root == ("/apis" if group else "/api")
    expected = f"/apis/{group}/{version.replace('/', '%2F')}" if group else f"/api/{version}"
    assert second == expected


def test_a_group_that_would_be_another_path_is_not_asked_for(server: Server, connect: Connect) -> None:
    assert served(connect, gvk("../v1", "Shirt")) == Unknown(
        "nothing can be called that, since its path /apis/../v1 would be another's",
        ("kubectl get --raw /apis/../v1 -v=6",),
    )
    assert [each.path for each in server.asked()] == ["/apis"]


def test_a_kind_that_the_aggregate_does_not_know_yet_is_found_at_its_version(server: Server, connect: Connect) -> None:
    """A server that has just started aggregates what it serves a little later than it serves it."""
    server.on("GET /apis", ok({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": []}))
    assert served(connect, SHIRT.gvk) == SHIRT


def test_a_server_without_aggregated_discovery_is_asked_for_each_version_once(server: Server, connect: Connect) -> None:
    server.discovery = "none"
    kinds = [DEPLOYMENT, CONFIG_MAP, NAMESPACE, SHIRT]
    found = connect().resolve_kinds(
        [*(each.gvk for each in kinds), gvk("v1", "Nothing"), gvk("gone.example.com/v1", "X")]
    )
    assert list(found.values()) == [*kinds, NotServed(), NotServed()]
    assert sorted(each.path for each in server.asked()) == [
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps/v1",
        "/apis/gone.example.com/v1",
        "/apis/stable.example.com/v1",
    ]


def test_a_stale_version_is_unknown_and_its_neighbours_are_not(server: Server, connect: Connect) -> None:
    server.stale.add("stable.example.com/v1")
    found = connect().resolve_kinds([SHIRT.gvk, DEPLOYMENT.gvk])
    assert found[DEPLOYMENT.gvk] == DEPLOYMENT
    assert found[SHIRT.gvk] == Unknown(
        "what the server knows of stable.example.com/v1 is stale: its API server does not answer",
        ("kubectl get apiservices v1.stable.example.com",),
    )


def test_a_version_that_a_stale_group_does_not_name_is_unknown(server: Server, connect: Connect) -> None:
    server.stale.add("stable.example.com/v1")
    assert isinstance(served(connect, gvk("stable.example.com/v2", "Shirt")), Unknown)


def test_a_failing_aggregated_api_is_unknown_on_an_old_server(server: Server, connect: Connect) -> None:
    server.discovery = "none"
    server.on("GET /apis/stable.example.com/v1", status(503, "ServiceUnavailable", "service unavailable"))
    found = connect().resolve_kinds([SHIRT.gvk, DEPLOYMENT.gvk])
    assert found[DEPLOYMENT.gvk] == DEPLOYMENT
    assert found[SHIRT.gvk] == Unknown(
        "the server failed (503): service unavailable", ("kubectl get --raw /apis/stable.example.com/v1 -v=6",)
    )


def test_a_discovery_that_fails_for_a_moment(server: Server, connect: Connect) -> None:
    server.on("GET /apis", status(503, "ServiceUnavailable", "starting"), times=TRIES - 1)
    assert served(connect, SHIRT.gvk) == SHIRT


@pytest.mark.parametrize(
    ("reply", "unknown"),
    [
        (
            status(503, "ServiceUnavailable", "starting"),
            Unknown("the server failed (503): starting", ("kubectl get --raw /apis -v=6",)),
        ),
        (
            status(403, "Forbidden", 'forbidden: User "jane" cannot get path "/apis"'),
            Unknown(
                'no right to ask what is served (403): forbidden: User "jane" cannot get path "/apis"',
                ("kubectl get --raw /apis",),
            ),
        ),
        (
            status(401, "Unauthorized", "Unauthorized"),
            Unknown("the server does not accept our credentials (401): Unauthorized", ("kubectl auth whoami",)),
        ),
        (
            html(404),
            Unknown(
                "the server answers 404: no word of an API server, but text/html", ("kubectl get --raw /apis -v=6",)
            ),
        ),
        (
            html(200),
            Unknown("unexpected answer of the server: it is not a JSON object", ("kubectl get --raw /apis -v=6",)),
        ),
        (
            ok({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "stable.example.com"}}]}),
            Unknown(
                "unexpected answer of the server: it is not an APIGroupDiscoveryList",
                ("kubectl get --raw /apis -v=6",),
            ),
        ),
        (
            Reply(302, headers={"Location": "/login"}),
            Unknown(
                "the server redirects (302), which is not followed; check the server's address",
                ("kubectl get --raw /apis -v=6",),
            ),
        ),
    ],
)
def test_an_unclear_answer_about_all_groups(server: Server, connect: Connect, reply: Reply, unknown: Unknown) -> None:
    server.on("GET /apis", reply)
    assert served(connect, SHIRT.gvk) == unknown
    assert not server.asked("GET /apis/.*")


def test_a_discovery_that_breaks_off(server: Server, connect: Connect) -> None:
    server.on("GET /apis", gone)
    answer = served(connect, SHIRT.gvk)
    assert isinstance(answer, Unknown)
    assert answer.reason.startswith("the connection broke off: ")


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (html(404), "the server answers 404: no word of an API server, but text/html"),
        (Reply(404, b"no such host", "text/plain"), "the server answers 404: no word of an API server, but text/plain"),
        (
            ok({"kind": "APIResourceList", "groupVersion": "other/v1", "resources": []}),
            "it is not an APIResourceList of",
        ),
        (ok({"kind": "APIResourceList", "groupVersion": "stable.example.com/v1"}), "it is not an APIResourceList of"),
        (ok([]), "it is not an APIResourceList of stable.example.com/v1"),
        (status(403, "Forbidden", "no"), "no right to ask what is served (403): no"),
    ],
)
def test_an_unclear_answer_about_one_version_is_not_not_served(
    server: Server, connect: Connect, reply: Reply, what: str
) -> None:
    server.discovery = "none"
    server.on("GET /apis/stable.example.com/v1", reply)
    answer = served(connect, SHIRT.gvk)
    assert isinstance(answer, Unknown)
    assert what in answer.reason


@pytest.mark.parametrize("discovery", ["v2", "none"])
def test_a_status_for_a_missing_version_is_an_answer_too(server: Server, connect: Connect, discovery: str) -> None:
    server.discovery = discovery
    server.on("GET /apis/apps/v1beta1", status(404, "NotFound", "the server could not find the requested resource"))
    assert served(connect, gvk("apps/v1beta1", "Deployment")) == NotServed()


def test_a_kind_with_two_resources_takes_the_one_that_can_be_read(server: Server, connect: Connect) -> None:
    """As OpenShift's templates and processedtemplates, both of kind Template."""
    row = {"responseKind": {"kind": "Shirt"}, "scope": "Namespaced"}
    version = {
        "version": "v1",
        "freshness": "Current",
        "resources": [
            {**row, "resource": "processedshirts", "verbs": ["create"]},
            {**row, "resource": "shirts", "verbs": ["create", "get"]},
            {"resource": "only-inner", "subresources": [{"subresource": "status"}], "verbs": []},
        ],
    }
    group = {"metadata": {"name": "stable.example.com"}, "versions": [version]}
    server.on("GET /apis", Reply(200, json.dumps({"kind": "APIGroupDiscoveryList", "items": [group]}).encode()))
    assert served(connect, SHIRT.gvk) == SHIRT


@pytest.mark.parametrize(
    ("verbs", "why"),
    [
        (["get"], "more than one resource for stable.example.com/v1 Shirt"),
        (["create"], "only a resource that cannot be read for stable.example.com/v1 Shirt"),
    ],
)
def test_a_kind_that_cannot_be_told_apart_or_read(server: Server, connect: Connect, verbs: list[str], why: str) -> None:
    server.discovery = "none"
    row = {"kind": "Shirt", "namespaced": True, "verbs": verbs}
    rows = [{**row, "name": "shirts"}, {**row, "name": "blouses"}, {**row, "name": "shirts/status"}]
    body = {"kind": "APIResourceList", "groupVersion": "stable.example.com/v1", "resources": rows}
    server.on("GET /apis/stable.example.com/v1", ok(body))
    assert served(connect, SHIRT.gvk) == Unknown(
        f"the server has {why}: shirts.stable.example.com, blouses.stable.example.com", ("kubectl api-resources",)
    )


def test_discovery_sends_no_write(server: Server, connect: Connect) -> None:
    server.discovery = "none"
    connect().resolve_kinds([SHIRT.gvk, CONFIG_MAP.gvk, gvk("v1", "Nothing")])
    assert {each.method for each in server.asked()} == {"GET"}
