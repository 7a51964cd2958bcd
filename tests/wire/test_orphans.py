"""The search for orphans over the wire: pages, rights, forgotten places, and releases that cannot be told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from postrender.cluster.parallel import MAX_REQUESTS
from postrender.models import GroupVersionKind, ReleaseName, Resource, Unknown
from postrender.operations.orphans import LABELLED, Scope, Search, search
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SERVED, SHIRT, a_revision, an_object
from tests.wire.server import Reply, Request, Server, gone, html, ok, status

OLD = ReleaseName("shop", "old")
LIST = "GET /apis/stable.example.com/v1/shirts"


def left(resource: Resource, name: str, release: str = "old", **metadata: Any) -> dict[str, Any]:
    """An object that names a release of namespace ``shop`` as its owner."""
    owned = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "shop"}
    return an_object(
        resource,
        name,
        metadata={
            "uid": f"uid-of-{resource.qualified}-{name}",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {**owned, **metadata.pop("annotations", {})},
            **metadata,
        },
    )


def searched(connect: Connect, namespace: str = "", *, selector: str = LABELLED, timeout: float = 5) -> Search:
    scope = Scope(namespace, selector)
    return search(connect(request_timeout=timeout), scope, lambda *_: None)


def names(found: Search) -> list[str]:
    return [each.name for each in found.orphans]


def test_what_names_a_release_that_is_gone(server: Server, connect: Connect) -> None:
    server.put(SECRET, a_revision("alive", 1, "deployed"), a_revision("archived", 1, "uninstalled"))
    server.put(SHIRT, left(SHIRT, "a"), left(SHIRT, "b", "alive"), left(SHIRT, "c", "archived"), an_object(SHIRT, "d"))
    server.put(CONFIG_MAP, left(CONFIG_MAP, "a"))
    found = searched(connect)
    assert names(found) == [
        "shirts.stable.example.com/shop/c",
        "configmaps/shop/a",
        "shirts.stable.example.com/shop/a",
    ]
    assert (found.undecided, found.forbidden, found.failed) == ((), (), ())
    assert (found.objects, found.kinds) == (4, len(SERVED))


def test_a_release_whose_newest_revision_lives_though_an_older_one_does_not(server: Server, connect: Connect) -> None:
    server.put(SECRET, a_revision("old", 1, "uninstalled"), a_revision("old", 2, "failed"))
    server.put(SHIRT, left(SHIRT, "a"))
    assert names(searched(connect)) == []


def test_a_release_stored_in_config_maps_lives(server: Server, connect: Connect) -> None:
    server.put(CONFIG_MAP, a_revision("old", 1, "deployed", driver="configmap"))
    server.put(SHIRT, left(SHIRT, "a"))
    assert names(searched(connect)) == []


def test_releases_are_listed_once_before_and_once_behind_and_never_one_by_one(server: Server, connect: Connect) -> None:
    server.put(SHIRT, *(left(SHIRT, f"{index}", f"release-{index}") for index in range(40)))
    assert len(searched(connect).orphans) == 40
    stored = [each for each in server.asked("GET /api/v1/secrets") if each.query["labelSelector"] == "owner=helm"]
    assert len(stored) == 2
    assert {each.headers["accept"] for each in server.asked("GET .*/(secrets|shirts|configmaps)")} == {
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",)
    }
    assert {each.method for each in server.asked()} == {"GET"}


def test_a_release_that_is_installed_meanwhile_is_not_taken_for_gone(server: Server, connect: Connect) -> None:
    def install(_: Request) -> None:
        server.put(SECRET, a_revision("new", 1, "pending-install"))
        server.put(SHIRT, left(SHIRT, "of-new", "new"))

    server.on(LIST, install, times=1)
    server.put(SHIRT, left(SHIRT, "a"))
    assert names(searched(connect)) == ["shirts.stable.example.com/shop/a"]


def test_many_pages_at_most_so_many_at_once(server: Server, connect: Connect) -> None:
    kinds = [Resource(GroupVersionKind(f"g{each}.io", "v1", "Thing"), "things", True, False) for each in range(30)]
    server.served += kinds
    server.page = 7
    for kind in kinds:
        server.put(kind, *(left(kind, f"{index:03}") for index in range(50)))
    found = searched(connect)
    assert len(found.orphans) == 1500
    assert found.objects == 1500
    assert {each.query["limit"] for each in server.asked(".*/things")} == {"500"}
    assert server.most_in_flight <= MAX_REQUESTS


def test_a_namespace_and_what_its_releases_have_outside(server: Server, connect: Connect) -> None:
    server.put(SHIRT, left(SHIRT, "in"), left(SHIRT, "out", namespace="other"))
    server.put(NAMESPACE, left(NAMESPACE, "ours"))
    elsewhere = {"meta.helm.sh/release-namespace": "other"}
    server.put(NAMESPACE, left(NAMESPACE, "theirs", annotations=elsewhere))
    server.put(CONFIG_MAP, left(CONFIG_MAP, "guest", annotations=elsewhere))
    assert names(searched(connect, "shop")) == [
        "configmaps/shop/guest",
        "namespaces/ours",
        "shirts.stable.example.com/shop/in",
    ]
    assert not server.asked("GET /api/v1/secrets"), "all namespaces were asked"
    assert len(server.asked("GET /api/v1/namespaces/other/secrets")) == 2


def test_kinds_that_the_caller_may_not_list_are_named(server: Server, connect: Connect) -> None:
    server.put(SHIRT, left(SHIRT, "a"))
    server.put(CONFIG_MAP, left(CONFIG_MAP, "a"))
    server.on(LIST, status(403, "Forbidden", "no"))
    found = searched(connect)
    assert found.forbidden == ("shirts.stable.example.com",)
    assert names(found) == ["configmaps/shop/a"]
    assert (found.failed, found.kinds) == ((), len(SERVED) - 1)


def test_releases_that_cannot_be_listed_leave_it_open(server: Server, connect: Connect) -> None:
    forbidden = status(403, "Forbidden", "no")
    server.on("GET /api/v1/(namespaces/closed/)?secrets", forbidden)
    elsewhere = {"meta.helm.sh/release-namespace": "closed"}
    server.put(
        SHIRT, left(SHIRT, "a"), left(SHIRT, "b", annotations=elsewhere), left(SHIRT, "c", annotations=elsewhere)
    )
    found = searched(connect)
    assert names(found) == ["shirts.stable.example.com/shop/a"]
    (undecided,) = found.undecided
    assert (undecided.release, undecided.objects) == (ReleaseName("closed", "old"), 2)
    assert undecided.why == Unknown(
        "secrets in closed: no right to list secrets (403): no",
        ("kubectl auth can-i list secrets -n closed",),
    )
    assert len(server.asked("GET /api/v1/namespaces/closed/secrets")) == 1


def test_releases_in_one_of_two_places_that_cannot_be_listed(server: Server, connect: Connect) -> None:
    server.put(SHIRT, left(SHIRT, "a"))
    server.on("GET .*/configmaps", status(403, "Forbidden", "no"))
    ((undecided),) = searched(connect, "shop").undecided
    assert undecided.why == Unknown(
        "configmaps in shop: no right to list configmaps (403): no",
        ("kubectl auth can-i list configmaps -n shop",),
    )


def test_releases_that_can_no_longer_be_told_leave_it_open(server: Server, connect: Connect) -> None:
    """The list behind the objects fails: nobody is called gone on what was true before."""
    server.put(SHIRT, left(SHIRT, "a"))
    asked = threading.Event()

    def behave(request: Request) -> Reply | None:
        if request.query.get("labelSelector") != "owner=helm":
            return None
        if asked.is_set():
            return status(403, "Forbidden", "no more")
        asked.set()
        return None

    server.on("GET .*/secrets", behave)
    found = searched(connect)
    assert names(found) == []
    assert [(each.release, each.objects) for each in found.undecided] == [(OLD, 1)]


def expired(offered: str) -> Reply:
    metadata = {"continue": offered} if offered else {}
    body = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "metadata": metadata}
    return Reply(410, ok({**body, "message": "the provided continue parameter is too old"}).body)


@pytest.mark.parametrize(
    ("offered", "places"),
    [("06", [None, "3", "6", "06"]), ("", [None, "3", "6", None, "3", "6"])],
    ids=["goes on with what is offered", "begins anew"],
)
def test_a_place_that_the_server_forgot(
    server: Server, connect: Connect, offered: str, places: list[str | None]
) -> None:
    server.page = 3
    server.put(SHIRT, *(left(SHIRT, f"{index}") for index in range(8)))
    once = iter([expired(offered)])
    server.on(LIST, lambda request: next(once, None) if request.query.get("continue") == "6" else None)
    found = searched(connect)
    assert (len(found.orphans), found.objects, found.failed) == (8, 8, ())
    assert [each.query.get("continue") for each in server.asked(LIST)] == places


def test_a_place_that_is_always_forgotten(server: Server, connect: Connect) -> None:
    server.page = 3
    server.put(SHIRT, *(left(SHIRT, f"{index}") for index in range(8)))
    server.on(LIST, lambda request: expired("") if "continue" in request.query else None)
    found = searched(connect)
    reason = "the server answers 410: the provided continue parameter is too old"
    again = ("kubectl get shirts.v1.stable.example.com",)
    assert found.failed == (("shirts.stable.example.com", Unknown(reason, again)),)
    assert len(found.orphans) == 3


def test_a_list_without_end(server: Server, connect: Connect) -> None:
    kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
    body = {**kind, "metadata": {"continue": "more"}, "items": []}
    server.on(LIST, ok(body))
    ((name, why),) = searched(connect).failed
    assert name == "shirts.stable.example.com"
    assert why.reason == "unexpected answer of the server: its list does not end"
    assert len(server.asked(LIST)) == 2


def test_too_many_requests_are_waited_for(server: Server, connect: Connect) -> None:
    server.put(SHIRT, left(SHIRT, "a"))
    server.on("GET .*/(shirts|secrets)", status(429, "TooManyRequests", "slow down"), times=3)
    found = searched(connect)
    assert names(found) == ["shirts.stable.example.com/shop/a"]
    assert found.failed == ()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(500, "InternalError", "no"), "the server failed (500): no"),
        (html(200), "unexpected answer of the server: it is not a list of shirts.stable.example.com"),
        (
            ok({"kind": "PodList", "items": []}),
            "unexpected answer of the server: it is not a list of shirts.stable.example.com",
        ),
        (
            ok({"kind": "ShirtList", "apiVersion": "stable.example.com/v1", "metadata": {}, "items": [{}]}),
            "unexpected answer of the server: an item has no metadata",
        ),
        (Reply(200, b"{}" * 99, cut=20), "the connection broke off"),
    ],
)
def test_a_kind_that_cannot_be_listed_is_named(server: Server, connect: Connect, reply: Reply, reason: str) -> None:
    server.put(CONFIG_MAP, left(CONFIG_MAP, "a"))
    server.on(LIST, reply)
    found = searched(connect)
    assert names(found) == ["configmaps/shop/a"]
    ((name, why),) = found.failed
    assert name == "shirts.stable.example.com"
    assert reason in why.reason


def test_many_kinds_that_are_broken_do_not_cost_the_others(server: Server, connect: Connect) -> None:
    broken = [Resource(GroupVersionKind(f"b{each:02}.io", "v1", "Thing"), "things", True, False) for each in range(20)]
    server.served[:0] = broken
    server.put(SHIRT, left(SHIRT, "a"))
    server.on("GET .*/things", status(500, "InternalError", "conversion webhook failed"))
    found = searched(connect)
    assert len(found.failed) == 20
    assert names(found) == ["shirts.stable.example.com/shop/a"]


def test_a_kind_that_takes_too_long_is_named(server: Server, connect: Connect) -> None:
    server.put(CONFIG_MAP, left(CONFIG_MAP, "a"))
    server.on(LIST, lambda _: Reply(200) if server.over.wait(5) else Reply(500))
    found = searched(connect, timeout=0.2)
    assert names(found) == ["configmaps/shop/a"]
    assert [name for name, _ in found.failed] == ["shirts.stable.example.com"]


def test_a_server_that_goes_away(server: Server, connect: Connect) -> None:
    server.on("GET .*/namespaces/.*", gone)
    found = searched(connect, "shop")
    assert len(found.failed) == len(SERVED) - 1, "all but the one cluster-scoped kind"


def test_a_group_that_is_stale_is_named(server: Server, connect: Connect) -> None:
    server.stale.add("stable.example.com/v1")
    assert [name for name, _ in searched(connect).failed] == ["/apis/stable.example.com/v1"]


def test_what_a_controller_made_goes_with_its_owner(server: Server, connect: Connect) -> None:
    owners = [{"kind": "Deployment", "name": "a", "controller": True}]
    server.put(DEPLOYMENT, left(DEPLOYMENT, "made", ownerReferences=owners))
    server.put(DEPLOYMENT, left(DEPLOYMENT, "owned", ownerReferences=[{"kind": "Shirt", "name": "a"}]))
    assert names(searched(connect)) == ["deployments.apps/shop/owned"]


FLUX = {"app.kubernetes.io/managed-by": "Helm", "helm.toolkit.fluxcd.io/namespace": "flux"}


@pytest.mark.parametrize("scope", ["", "shop"])
def test_what_flux_installs_is_no_orphan_though_its_release_is_stored_elsewhere(
    server: Server, connect: Connect, scope: str
) -> None:
    stored = a_revision("old", 1, "deployed")
    stored["metadata"]["namespace"] = "flux"
    server.put(SECRET, stored)
    server.put(SHIRT, left(SHIRT, "a", labels=FLUX), left(SHIRT, "b"))
    assert names(searched(connect, scope)) == ["shirts.stable.example.com/shop/b"]
    del server.objects[SECRET.path("flux", stored["metadata"]["name"])]
    a, _ = searched(connect, scope).orphans
    assert (a.live.key.name, a.gitops_controller) == ("a", "Flux")


def test_flux_may_be_told_to_store_a_release_anywhere(server: Server, connect: Connect) -> None:
    stored = a_revision("old", 1, "deployed")
    stored["metadata"]["namespace"] = "anywhere"
    server.put(SECRET, stored)
    server.put(SHIRT, left(SHIRT, "a", labels=FLUX), left(SHIRT, "b"))
    assert names(searched(connect)) == ["shirts.stable.example.com/shop/b"]


def test_flux_stores_where_we_may_not_look(server: Server, connect: Connect) -> None:
    server.on("GET .*/namespaces/flux/secrets", status(403, "Forbidden", "no"))
    server.put(SHIRT, left(SHIRT, "a", labels=FLUX), left(SHIRT, "b"))
    found = searched(connect, "shop")
    assert names(found) == ["shirts.stable.example.com/shop/b"]
    assert [(each.release, each.objects) for each in found.undecided] == [(OLD, 1)]


def test_an_object_that_two_groups_serve_is_found_once(server: Server, connect: Connect) -> None:
    twin = Resource(GroupVersionKind("twin.example.com", "v1", "Shirt"), "shirts", True, False)
    server.served.append(twin)
    server.put(SHIRT, left(SHIRT, "a", uid="one"))
    server.put(twin, left(twin, "a", uid="one"))
    assert len(searched(connect).orphans) == 1


def test_without_its_label_an_object_is_nobodys_unless_asked_for(server: Server, connect: Connect) -> None:
    server.put(SHIRT, left(SHIRT, "a"), left(SHIRT, "b", labels={}))
    server.put(SHIRT, an_object(SHIRT, "c", metadata={"annotations": {"meta.helm.sh/release-name": "old"}}))
    assert names(searched(connect)) == ["shirts.stable.example.com/shop/a"]
    everything = searched(connect, selector="")
    assert [(each.live.key.name, each.live.managed_by_helm) for each in everything.orphans] == [
        ("a", True),
        ("b", False),
    ]
    assert "labelSelector" not in server.asked(LIST)[-1].query


def test_since_when_and_by_whom_else_it_is_applied(server: Server, connect: Connect) -> None:
    written = [
        {"manager": "helm", "time": "2026-09-14T10:00:00Z"},
        {"manager": "helm", "time": "2026-09-15T10:00:00Z"},
        {"manager": "kubectl", "time": "2026-10-01T10:00:00Z"},
    ]
    server.put(SHIRT, left(SHIRT, "a", creationTimestamp="2026-09-01T10:00:00Z", managedFields=written))
    server.put(SHIRT, left(SHIRT, "b", creationTimestamp="2026-09-01T10:00:00Z"))
    server.put(SHIRT, left(SHIRT, "c", annotations={"argocd.argoproj.io/tracking-id": "x"}))
    a, b, c = searched(connect).orphans
    assert (a.written, a.created, a.since) == (
        "2026-09-15T10:00:00Z",
        "2026-09-01T10:00:00Z",
        "2026-09-15T10:00:00Z",
    )
    assert (b.since, a.gitops_controller, c.gitops_controller) == ("2026-09-01T10:00:00Z", "", "Argo CD")
    assert a.live.managed_fields == ()


def test_what_is_being_deleted_is_an_orphan_only_where_its_release_is_gone(server: Server, connect: Connect) -> None:
    server.put(SECRET, a_revision("alive", 1, "deployed"))
    at = "2026-09-14T10:00:00Z"
    server.put(SHIRT, left(SHIRT, "a", deletionTimestamp=at), left(SHIRT, "b", "alive", deletionTimestamp=at))
    assert names(searched(connect)) == ["shirts.stable.example.com/shop/a"]
