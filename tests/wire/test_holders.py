"""Living releases that hold an object in their stored manifests, whatever its own annotations say."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from postrender.cluster.interface import ObjectLookup
from postrender.cluster.parallel import MAX_REQUESTS
from postrender.cluster.release_lookup import MOST, Holders, holders
from postrender.errors import ClusterError
from postrender.models import Found, ReleaseName
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Request, Server

NEW, OLD = ReleaseName("shop", "new"), ReleaseName("shop", "old")
MANIFEST = "apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: shirt}\n"


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize(
    ("name", "status", "manifest", "holder"),
    [
        ("old", "deployed", MANIFEST, OLD),
        ("old", "failed", MANIFEST, OLD),
        ("old", "uninstalled", MANIFEST, None),
        ("old", "deployed", MANIFEST.replace("shirt}", "other}"), None),
        ("old", "deployed", MANIFEST.replace("shirt}", "shirt, namespace: stall}"), None),
    ],
)
def test_who_holds_an_object(
    server: Server, connect: Connect, driver: str, name: str, status: str, manifest: str, holder: ReleaseName | None
) -> None:
    record: dict[str, Any] = a_revision(name, 1, status, driver=driver, manifest=manifest)
    server.put(SECRET if driver == "secret" else CONFIG_MAP, record)
    server.put(SHIRT, an_object(SHIRT, "shirt"))
    cluster = connect(request_timeout=5)
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", body=False)])
    assert isinstance(found, Found)
    expected = Holders({found.live.key: holder} if holder else {}, 1)
    assert holders(cluster, [found.live], NEW, "secret") == expected


def test_releases_are_read_several_at_once(server: Server, connect: Connect) -> None:
    for number in range(40):
        server.put(SECRET, a_revision(f"r{number}", 1, "deployed", manifest=MANIFEST.replace("shirt}", "other}")))
    server.put(SHIRT, an_object(SHIRT, "shirt"))
    cluster = connect(request_timeout=5)
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", body=False)])
    assert isinstance(found, Found)
    under_way: list[int] = [0, 0]
    turn = threading.Lock()

    def slow(_: Request) -> None:
        with turn:
            under_way[0] += 1
            under_way[1] = max(under_way)
        time.sleep(0.05)
        with turn:
            under_way[0] -= 1

    server.on("GET .*/secrets.*", slow)
    told = holders(cluster, [found.live], NEW, "secret")
    assert told == Holders({}, 40)
    assert told.note == "checked the manifests of 40 other stored releases for the objects to be adopted"
    assert 4 <= under_way[1] <= MAX_REQUESTS


@pytest.mark.parametrize(("driver", "where"), [("sql", "in a database"), ("memory", "in the memory of Helm itself")])
def test_where_the_caller_stores_releases_elsewhere_nobody_knows(
    server: Server, connect: Connect, driver: str, where: str
) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt"))
    cluster = connect(request_timeout=5)
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", body=False)])
    assert isinstance(found, Found)
    with pytest.raises(ClusterError) as error:
        holders(cluster, [found.live], NEW, driver)
    assert str(error.value) == (
        "namespace shop: cannot check for installed releases that own these objects: "
        f"HELM_DRIVER={driver} keeps releases {where}, where they cannot be read\n"
        "hint: helm list --deployed --failed --pending -n shop"
    )
    server.put(SECRET, a_revision("old", 1, "deployed", manifest=MANIFEST))
    assert holders(cluster, [found.live], NEW, driver) == Holders({found.live.key: OLD}, 1)


def test_more_releases_than_are_read_is_not_known(server: Server, connect: Connect) -> None:
    for number in range(MOST + 1):
        server.put(SECRET, a_revision(f"r{number}", 1, "deployed"))
    server.put(SHIRT, an_object(SHIRT, "shirt"))
    cluster = connect(request_timeout=5)
    (found,) = cluster.get_objects([ObjectLookup(SHIRT, "shop", "shirt", body=False)])
    assert isinstance(found, Found)
    with pytest.raises(ClusterError) as error:
        holders(cluster, [found.live], NEW, "secret")
    assert str(error.value) == (
        "namespace shop: 501 releases may own these objects, and at most 500 are read\n"
        "hint: helm list --deployed --failed --pending -n shop"
    )
