"""A release that comes back between the look at its objects and the write: nothing is taken from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postrender.cli.commands.verify import repaired_all
from postrender.cluster.client import Cluster
from postrender.errors import ClusterError, Refused
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import ObjectKey, ReleaseName
from postrender.operations import adopt
from postrender.operations.filter.pipeline import filter_stream
from postrender.operations.unpin import carry_out, find_pins
from postrender.operations.verify import verify
from postrender.planner.policy import Adopt, Policy
from tests.cli.test_unpin import put_back
from tests.cli.test_verify import OWNED
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Server, status

NEW, OLD, WEB = ReleaseName("shop", "new"), ReleaseName("shop", "old"), ReleaseName("shop", "web")
MANIFEST = "apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: shirt}\n"
LEFT = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "shop"},
}
ALIVE = (
    "shirts.stable.example.com/shop/shirt: owned by release shop/old, which was installed again meanwhile; not adopted"
)
WRITES = "(PATCH|PUT|POST|DELETE) .*"


def written(server: Server) -> list[str]:
    found = server.asked(WRITES)
    return [f"{each.method} {each.path}" for each in found if each.query.get("dryRun") != "All"]


def back(server: Server, driver: str = "secret") -> None:
    """The owner is installed again, and Helm changes nothing of the object."""
    record: dict[str, Any] = a_revision("old", 1, "deployed", driver=driver, manifest=MANIFEST)
    server.put(SECRET if driver == "secret" else CONFIG_MAP, record)


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize("metadata", [LEFT, {}], ids=["named", "stripped"])
def test_adopt_asks_again_before_it_writes(
    server: Server, connect: Connect, driver: str, metadata: dict[str, Any]
) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata=metadata))
    cluster = connect(request_timeout=5)
    places = [(SHIRT, ObjectKey(SHIRT.gvk.group_kind, "shop", "shirt"))]
    found = adopt.plan_adoption(cluster, NEW, "secret", places, absent=False).adoptions
    back(server, driver)
    with pytest.raises(Refused) as error:
        adopt.carry_out(cluster, found, NEW, "secret", lambda _: None)
    assert str(error.value) == f"{ALIVE} (PR101)\nhint: helm get manifest old -n shop\nhint: postrender explain PR101"
    assert written(server) == []


def test_adopt_asks_again_before_each_write(server: Server, connect: Connect) -> None:
    for name in ("shirt", "red"):
        server.put(SHIRT, an_object(SHIRT, name, metadata=LEFT))
    cluster = connect(request_timeout=5)
    places = [(SHIRT, ObjectKey(SHIRT.gvk.group_kind, "shop", name)) for name in ("red", "shirt")]
    found = adopt.plan_adoption(cluster, NEW, "secret", places, absent=False).adoptions
    done: list[str] = []

    def told(name: str) -> None:
        done.append(name)
        back(server)

    with pytest.raises(Refused) as error:
        adopt.carry_out(cluster, found, NEW, "secret", told)
    assert str(error.value).startswith(f"{ALIVE} (PR101)\n")
    assert done == ["shirts.stable.example.com/shop/red"]
    assert [each.rpartition("/")[2] for each in written(server)] == ["red"]


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize("metadata", [LEFT, {}], ids=["named", "stripped"])
def test_the_filter_asks_again_before_it_writes(
    server: Server, connect: Connect, driver: str, metadata: dict[str, Any]
) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata=metadata))
    cluster = connect(request_timeout=5)
    run = Invocation(HelmVersion(3, 18, 6), Action.INSTALL, NEW)
    policy = Policy(adopt=frozenset(Adopt))
    with pytest.raises(Refused) as error:
        filter_stream(MANIFEST.encode(), run, policy, cluster, cluster, seen=lambda _: back(server, driver))
    assert str(error.value) == (
        f"{ALIVE} (PR101); nothing was written before it\n"
        "hint: helm get manifest old -n shop\nhint: postrender explain PR101"
    )
    assert written(server) == []


def test_what_cannot_be_asked_again_is_not_written(server: Server, connect: Connect) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata=LEFT))
    cluster = connect(request_timeout=1)
    run = Invocation(HelmVersion(3, 18, 6), Action.INSTALL, NEW)

    def down(_: object) -> None:
        server.on("GET .*/secrets", status(503, "ServiceUnavailable", "down"))

    with pytest.raises(ClusterError):
        filter_stream(MANIFEST.encode(), run, Policy(adopt=frozenset(Adopt)), cluster, cluster, seen=down)
    assert written(server) == []


@pytest.fixture
def web(server: Server, connect: Connect) -> Cluster:
    """A release with a missing object, a drifted one and a pin."""
    shirt = MANIFEST.replace("{name: shirt}", "{name: shirt, resourceVersion: '7'}") + "spec: {color: a}\n"
    settings = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
    server.put(SECRET, a_revision("web", 1, "deployed", manifest=shirt + settings))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "9"}, metadata=OWNED))
    return connect(request_timeout=5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda server: server.put(SECRET, a_revision("web", 2, "deployed", manifest=MANIFEST)),
            "its newest revision is 2 (deployed) by now, and was 1 (deployed)",
        ),
        (
            lambda server: server.put(SECRET, a_revision("web", 2, "pending-upgrade", manifest=MANIFEST)),
            "its newest revision is 2 (pending-upgrade) by now, and was 1 (deployed)",
        ),
        (
            lambda server: server.objects.pop(SECRET.path("shop", "sh.helm.release.v1.web.v1")),
            "its newest revision is none by now, and was 1 (deployed)",
        ),
    ],
    ids=["upgraded", "being upgraded", "uninstalled"],
)
def test_verify_asks_again_before_it_mends(
    server: Server, web: Cluster, change: Callable[[Server], None], why: str
) -> None:
    found = verify(web, WEB, "secret")
    change(server)
    with pytest.raises(Refused) as error:
        repaired_all(web, found, "secret")
    assert str(error.value) == (
        f"release shop/web: {why}; written before it: nothing\nhint: postrender verify web --fix -n shop"
    )
    assert written(server) == []


def test_unpin_writes_no_revision_that_changed_since(server: Server, web: Cluster, tmp_path: Path) -> None:
    put_back(server)
    found = find_pins(web, WEB, "secret")
    changed = a_revision("web", 1, "superseded", manifest=MANIFEST)
    changed["metadata"]["resourceVersion"] = "8"
    server.put(SECRET, changed)
    with pytest.raises(ClusterError) as error:
        carry_out(web, found, str(tmp_path / "backup"))
    assert server.objects[SECRET.path("shop", "sh.helm.release.v1.web.v1")] == changed
    assert "nothing was written before it" in str(error.value)
