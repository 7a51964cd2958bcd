"""Reads by exact path: what each answer of a server means, and that unknown is never absent."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from postrender.cluster.http import GIVE_UP_AFTER, TRIES
from postrender.cluster.interface import ObjectLookup
from postrender.cluster.parallel import MAX_REQUESTS
from postrender.models import Absent, Found, Observation, Resource, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import BETA_SHIRT, NAMESPACE, SECRET, SHIRT, an_object
from tests.wire.server import Reply, Request, Server, gone, html, not_found, ok, status

KUBECTL_GET = "kubectl get shirts.v1.stable.example.com"
PATH = "GET /apis/stable.example.com/v1/namespaces/shop/shirts/shirt"


def look(connect: Connect, *, body: bool = False, timeout: float = 5) -> Observation:
    """What is said about the one shirt."""
    (found,) = connect(request_timeout=timeout).get_objects([ObjectLookup(SHIRT, "shop", "shirt", body)])
    return found


def unknown(connect: Connect, *, body: bool = False, timeout: float = 5) -> Unknown:
    found = look(connect, body=body, timeout=timeout)
    assert isinstance(found, Unknown)
    return found


AGAIN = ("kubectl get shirts.v1.stable.example.com shirt -n shop",)
"""The command that asks the same of kubectl."""


@pytest.fixture
def shirt(server: Server) -> dict[str, object]:
    body = an_object(
        SHIRT,
        "shirt",
        metadata={
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "shop"},
            "managedFields": [{"manager": "helm"}],
        },
        spec={"size": "L"},
    )
    server.put(SHIRT, body)
    return body


@pytest.mark.usefixtures("shirt")
def test_metadata_is_all_that_is_asked_for(server: Server, connect: Connect) -> None:
    found = look(connect)
    assert isinstance(found, Found)
    live = found.live
    assert (str(live.key), live.api_version) == ("Shirt.stable.example.com/shop/shirt", "stable.example.com/v1")
    assert (live.uid, live.resource_version) == ("uid-of-shirt", "7")
    assert (live.managed_by_helm, str(live.owner)) == (True, "shop/old")
    assert (live.managed_fields, live.deleting, live.body) == (({"manager": "helm"},), False, None)
    (request,) = server.asked()
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    assert (f"{request.method} {request.path}", request.headers["accept"]) == (PATH, (accept,))


def test_a_body_is_the_whole_object(server: Server, connect: Connect, shirt: dict[str, object]) -> None:
    found = look(connect, body=True)
    assert isinstance(found, Found)
    assert found.live.body == shirt
    assert server.asked()[0].headers["accept"] == ("application/json",)


def test_a_server_that_sends_the_whole_object_is_understood(
    server: Server, connect: Connect, shirt: dict[str, object]
) -> None:
    server.on(".*", ok(shirt))
    found = look(connect)
    assert isinstance(found, Found)
    assert (found.live.uid, found.live.body) == ("uid-of-shirt", None)


def test_an_object_that_is_being_deleted_says_so(server: Server, connect: Connect) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    found = look(connect)
    assert isinstance(found, Found)
    assert found.live.deleting


def test_absent_is_what_the_api_server_says_of_this_object(connect: Connect) -> None:
    assert look(connect) == Absent()


def test_cluster_scope_has_no_namespace_in_its_path(server: Server, connect: Connect) -> None:
    server.put(NAMESPACE, an_object(NAMESPACE, "shop"))
    (found,) = connect().get_objects([ObjectLookup(NAMESPACE, "", "shop", False)])
    assert isinstance(found, Found)
    assert server.asked()[0].path == "/api/v1/namespaces/shop"


def test_the_same_name_in_two_groups_is_two_objects(server: Server, connect: Connect) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt"))
    stable, beta = connect().get_objects([ObjectLookup(kind, "shop", "shirt", False) for kind in (SHIRT, BETA_SHIRT)])
    assert isinstance(stable, Found)
    assert beta == Absent()


@pytest.mark.parametrize("name", ["a/b", "shirt/status", "a b", "a?x=y", "a#b", "100%", "ü", "a%2fb", "system:node"])
def test_a_name_is_one_segment_of_the_path_whatever_is_in_it(server: Server, connect: Connect, name: str) -> None:
    server.on(".*", not_found(SHIRT, name))
    assert connect().get_objects([ObjectLookup(SHIRT, "shop", name, False)]) == [Absent()]
    (request,) = server.asked()
    prefix, _, last = request.path.rpartition("/")
    assert prefix == "/apis/stable.example.com/v1/namespaces/shop/shirts"
    assert (request.query, "?" in last, "#" in last) == ({}, False, False)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_would_be_another_path_is_not_asked_for(server: Server, connect: Connect, name: str) -> None:
    (found,) = connect().get_objects([ObjectLookup(SHIRT, "shop", name, False)])
    path = f"/apis/stable.example.com/v1/namespaces/shop/shirts/{name}"
    assert found == Unknown(
        f"nothing can be called that, since its path {path} would be another's", (f"{KUBECTL_GET} {name} -n shop",)
    )
    assert server.asked() == []


@pytest.mark.parametrize(
    ("resource", "namespace", "name"), [(SHIRT, "", "shirt"), (NAMESPACE, "shop", "shop"), (SHIRT, "shop", "")]
)
def test_a_question_that_names_no_object_is_a_bug(
    connect: Connect, resource: Resource, namespace: str, name: str
) -> None:
    with pytest.raises(ValueError, match="does not name one object of"):
        connect().get_objects([ObjectLookup(resource, namespace, name, False)])


@pytest.mark.parametrize(
    "reply",
    [
        html(404),
        Reply(404, b"404 page not found\n", "text/plain; charset=utf-8"),
        status(404, "NotFound", "the server could not find the requested resource"),
        not_found(SHIRT, "blouse"),
        not_found(BETA_SHIRT, "shirt"),
        Reply(404),
        Reply(404, b"[]"),
    ],
    ids=["html", "no such path", "not served", "another name", "another group", "empty", "no object"],
)
def test_a_404_that_is_not_about_the_object_is_not_absence(server: Server, connect: Connect, reply: Reply) -> None:
    server.on(".*", reply)
    found = unknown(connect)
    assert found.reason.startswith("the server answers 404: ")
    assert found.next == AGAIN


def test_a_proxys_404_is_told_from_the_api_servers(server: Server, connect: Connect) -> None:
    server.on(".*", html(404))
    assert unknown(connect).reason == "the server answers 404: no word of an API server, but text/html"


def test_no_right_to_look_names_the_question_to_ask(server: Server, connect: Connect) -> None:
    server.on(".*", status(403, "Forbidden", 'shirts.stable.example.com "shirt" is forbidden: User "jane" cannot get'))
    assert unknown(connect) == Unknown(
        "no right to get shirts.stable.example.com (403): "
        'shirts.stable.example.com "shirt" is forbidden: User "jane" cannot get',
        ("kubectl auth can-i get shirts.stable.example.com/shirt -n shop",),
    )
    assert len(server.asked()) == 1


def test_unknown_credentials(server: Server, connect: Connect) -> None:
    server.on(".*", status(401, "Unauthorized", "Unauthorized"))
    assert unknown(connect) == Unknown(
        "the server does not accept our credentials (401): Unauthorized", ("kubectl auth whoami",)
    )
    assert len(server.asked()) == 1


def test_next_steps_reach_the_same_cluster_as_the_same_user(server: Server, connect: Connect) -> None:
    server.on(".*", status(401, "Unauthorized", "Unauthorized"))
    cluster = connect(context="dev", as_user="jane doe", as_groups=("a", "b"), as_uid="7", token="geheim")
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", False)])
    assert isinstance(found, Unknown)
    (step,) = found.next
    assert step.endswith(" --context dev --as 'jane doe' --as-group a --as-group b --as-uid 7")
    assert "geheim" not in step


@pytest.mark.usefixtures("shirt")
def test_too_many_requests_are_repeated_when_the_server_says(server: Server, connect: Connect) -> None:
    server.on(PATH, status(429, "TooManyRequests", "slow down", Retry_After="1"), times=1)
    server.on(PATH, status(429, "TooManyRequests", "slow down"), times=1)
    assert isinstance(look(connect), Found)
    assert len(server.asked()) == 3


def test_too_many_requests_for_longer_than_we_wait(server: Server, connect: Connect) -> None:
    server.on(PATH, status(429, "TooManyRequests", "slow down", Retry_After="3600"))
    assert unknown(connect) == Unknown(
        "too many requests for the server (429), which asks for 3600 s of patience", ("...",)
    )
    assert len(server.asked()) == 1


def test_too_many_requests_without_end(server: Server, connect: Connect) -> None:
    server.on(PATH, status(429, "TooManyRequests", "slow down", Retry_After="0"))
    assert unknown(connect, timeout=1).reason == (
        "too many requests for the server (429), which asks for 0 s of patience"
    )
    assert 2 < len(server.asked()) < 6


@pytest.mark.usefixtures("shirt")
@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_is_tried_again(server: Server, connect: Connect, code: int) -> None:
    server.on(PATH, status(code, "InternalError", "etcdserver: leader changed"), times=TRIES - 1)
    assert isinstance(look(connect), Found)
    assert len(server.asked()) == TRIES


def test_a_server_error_that_stays(server: Server, connect: Connect) -> None:
    server.on(PATH, status(500, "InternalError", "etcdserver: no leader"))
    assert unknown(connect) == Unknown(
        "the server failed (500): etcdserver: no leader", (f"{KUBECTL_GET} shirt -n shop",)
    )
    assert len(server.asked()) == TRIES


@pytest.mark.usefixtures("shirt")
def test_an_unavailable_server_is_given_the_time_it_asks_for(server: Server, connect: Connect) -> None:
    server.on(PATH, status(503, "ServiceUnavailable", "starting", Retry_After="60"))
    assert unknown(connect).reason == "the server failed (503): starting"
    assert len(server.asked()) == 1


@pytest.mark.usefixtures("shirt")
@pytest.mark.parametrize("behaviour", [gone, Reply(200, b"{}" * 99, cut=20)], ids=["no answer", "half an answer"])
def test_a_connection_that_breaks_off_is_tried_again(server: Server, connect: Connect, behaviour: Reply) -> None:
    server.on(PATH, behaviour, times=TRIES - 1)
    assert isinstance(look(connect), Found)
    assert len(server.asked()) == TRIES


@pytest.mark.parametrize("behaviour", [gone, Reply(200, b"{}" * 99, cut=20)], ids=["no answer", "half an answer"])
def test_connections_that_keep_breaking_off(server: Server, connect: Connect, behaviour: Reply) -> None:
    server.on(PATH, behaviour)
    assert unknown(connect).reason.startswith("the connection broke off: ")
    assert len(server.asked()) == TRIES


def test_a_server_that_takes_too_long(server: Server, connect: Connect) -> None:
    server.on(PATH, lambda _: Reply(200) if server.over.wait(5) else Reply(500))
    assert unknown(connect, timeout=0.2) == Unknown(
        "no answer within 0.2 s", ("--request-timeout 0.4", f"{KUBECTL_GET} shirt -n shop --request-timeout=0.4s")
    )
    assert len(server.asked()) == 1


def test_an_answer_that_drips_is_not_waited_for(server: Server, connect: Connect) -> None:
    server.on(PATH, replace(ok({"spec": "x" * 100_000}), drip=0.05))
    assert unknown(connect, timeout=0.2) == Unknown(
        "the server was reached, but its answer took too long", (f"{KUBECTL_GET} shirt -n shop",)
    )


def test_an_answer_without_end(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postrender.cluster.http.MAX_ANSWER", 1 << 20)
    server.on(PATH, Reply(200, b" " * ((1 << 20) + 1)))
    assert unknown(connect).reason == "the server was reached, but its answer is longer than 1 MiB"


def test_an_answer_that_is_not_what_its_encoding_says(server: Server, connect: Connect) -> None:
    server.on(PATH, Reply(200, b"not gzip", headers={"Content-Encoding": "gzip"}))
    assert unknown(connect).reason == "the answer cannot be unpacked"


@pytest.mark.usefixtures("shirt")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: Server, connect: Connect, code: int) -> None:
    server.on(PATH, Reply(code, headers={"Location": "/elsewhere"}))
    assert unknown(connect) == Unknown(
        f"the server redirects ({code}), which is not followed; check the server's address",
        (f"{KUBECTL_GET} shirt -n shop",),
    )
    assert [each.path for each in server.asked()] == [PATH.removeprefix("GET ")]


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (html(200), "it is not a JSON object, but text/html"),
        (Reply(200, b'{"kind": "Sh'), "it is not a JSON object, but application/json"),
        (Reply(200, b"null"), "it is not a JSON object, but application/json"),
        (
            ok({"kind": "Status", "apiVersion": "v1"}),
            "it is about a v1 Status, not about a stable.example.com/v1 Shirt",
        ),
        (
            ok(an_object(BETA_SHIRT, "shirt")),
            "it is about a beta.example.com/v1 Shirt, not about a stable.example.com/v1 Shirt",
        ),
        (
            ok(an_object(SHIRT, "blouse")),
            "it is about Shirt.stable.example.com/shop/blouse, not about Shirt.stable.example.com/shop/shirt",
        ),
        (
            ok(an_object(SHIRT, "shirt", "stall")),
            "it is about Shirt.stable.example.com/stall/shirt, not about Shirt.stable.example.com/shop/shirt",
        ),
        (ok(an_object(SHIRT, "shirt", metadata={"uid": ""})), "it has no uid or no resourceVersion"),
        (ok(an_object(SHIRT, "shirt", metadata={"labels": ["a"]})), "its metadata.labels do not map text to text"),
        (ok(an_object(SHIRT, "shirt", metadata={"uid": 7})), "its metadata.uid is not a text"),
        (ok({"kind": "Shirt", "apiVersion": "stable.example.com/v1"}), "it has no metadata"),
    ],
)
def test_an_answer_that_is_not_the_object_is_not_relied_on(
    server: Server, connect: Connect, reply: Reply, what: str
) -> None:
    server.on(PATH, reply)
    expected = Unknown(f"unexpected answer of the server: {what}", AGAIN)
    assert unknown(connect, body=True) == expected
    assert unknown(connect) == expected


def test_metadata_do_not_pass_for_a_body(server: Server, connect: Connect) -> None:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    server.on(PATH, ok({**partial, "metadata": an_object(SHIRT, "shirt")["metadata"]}))
    assert isinstance(look(connect), Found)
    assert "a meta.k8s.io/v1 PartialObjectMetadata, not" in unknown(connect, body=True).reason


def test_a_server_nobody_listens_on(connect: Connect) -> None:
    cluster = connect(apiserver="http://127.0.0.1:1")
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", False)])
    assert found == Unknown("no connection to the server: Connection refused", (f"{KUBECTL_GET} shirt -n shop",))


def test_many_objects_come_in_order_over_few_connections_and_no_more_at_once_than_allowed(
    server: Server, connect: Connect
) -> None:
    """Each answer waits until as many requests as allowed are under way: fewer at once would never get one."""
    count = 63 * MAX_REQUESTS
    full = threading.Barrier(MAX_REQUESTS)

    def together(_: Request) -> None:
        full.wait(20)

    server.put(SECRET, *(an_object(SECRET, f"c{place}") for place in range(0, count, 3)))
    server.on("GET .*", together)
    found = connect(request_timeout=30).get_objects(
        [ObjectLookup(SECRET, "shop", f"c{place}", False) for place in range(count)]
    )
    for place, each in enumerate(found):
        assert each == Absent() if place % 3 else isinstance(each, Found) and each.live.key.name == f"c{place}"
    assert server.most_in_flight == MAX_REQUESTS
    assert server.connections == MAX_REQUESTS
    assert len(server.asked()) == count


def test_nothing_wanted_is_nothing_asked(server: Server, connect: Connect) -> None:
    assert connect().get_objects([]) == []
    assert server.asked() == []


def test_a_server_in_trouble_is_left_alone(server: Server, connect: Connect) -> None:
    """So that a thousand objects on a server that hangs do not take a thousand times as long."""
    server.on("GET .*", status(500, "InternalError", "no"))
    found = connect().get_objects([ObjectLookup(SHIRT, "shop", f"s{place}", False) for place in range(200)])
    reasons = [each.reason for each in found if isinstance(each, Unknown)]
    assert len(reasons) == 200
    assert reasons[0] == "the server failed (500): no"
    assert reasons[-1].startswith("it was not asked for, since ")
    assert reasons[-1].endswith(" requests before got no clear answer")
    assert TRIES * GIVE_UP_AFTER <= len(server.asked()) <= TRIES * (GIVE_UP_AFTER + MAX_REQUESTS)


def test_one_bad_object_does_not_spoil_the_others(server: Server, connect: Connect) -> None:
    server.put(SHIRT, an_object(SHIRT, "a"), an_object(SHIRT, "c"))
    server.on("GET .*/shirts/b", status(500, "InternalError", "conversion webhook failed"))
    a, b, c = connect().get_objects([ObjectLookup(SHIRT, "shop", name, False) for name in "abc"])
    assert (isinstance(a, Found), isinstance(c, Found)) == (True, True)
    assert b == Unknown("the server failed (500): conversion webhook failed", (f"{KUBECTL_GET} b -n shop",))


@pytest.mark.usefixtures("shirt")
def test_reads_send_no_write(server: Server, connect: Connect) -> None:
    look(connect)
    look(connect, body=True)
    assert {each.method for each in server.asked()} == {"GET"}
    assert all(each.body == b"" for each in server.asked())


def test_a_long_message_is_cut_in_the_middle_and_stays_one_line(server: Server, connect: Connect) -> None:
    server.on(PATH, Reply(403, json.dumps({"kind": "Status", "message": "no\n" + "x" * 999}).encode()))
    said = unknown(connect).reason.partition("(403): ")[2]
    assert said == "no " + "x" * 197 + " ... " + "x" * 100
