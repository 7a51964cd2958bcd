"""Living releases that hold an object in their stored manifests, whatever its own annotations say."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.holders import holders
from postrender.live import Found, ReleaseName
from postrender.source import Wanted
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Server

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
    (found,) = cluster.observe([Wanted(SHIRT, "shop", "shirt", body=False)])
    assert isinstance(found, Found)
    assert holders(cluster, [found.live], NEW, "secret") == ({found.live.key: holder} if holder else {})
