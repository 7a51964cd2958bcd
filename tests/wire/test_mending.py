"""Objects restored to the stored manifest, over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.cluster.interface import ObjectLookup
from postrender.errors import ClusterError
from postrender.helm.drift import RepairMethod, RepairRequest
from postrender.models import Found, LiveObject, ObjectKey
from tests.wire.conftest import Connect
from tests.wire.kinds import SHIRT, an_object
from tests.wire.server import Server, gone, status

KEY = ObjectKey(SHIRT.gvk.group_kind, "shop", "shirt")
MERGE = RepairRequest(RepairMethod.MERGE, {"spec": {"color": "blue"}})
APPLY = RepairRequest(
    RepairMethod.APPLY, an_object(SHIRT, "shirt", spec={"color": "blue"}, metadata={"resourceVersion": "0"})
)
CREATE = RepairRequest(
    RepairMethod.CREATE, {**an_object(SHIRT, "new"), "metadata": {"name": "new", "namespace": "shop"}}
)
NEW = ObjectKey(SHIRT.gvk.group_kind, "shop", "new")


@pytest.fixture
def live(server: Server, connect: Connect) -> LiveObject:
    server.put(SHIRT, an_object(SHIRT, "shirt", spec={"color": "red"}))
    (found,) = connect().get_objects([ObjectLookup(SHIRT, "shop", "shirt", True)])
    assert isinstance(found, Found)
    return found.live


@pytest.mark.parametrize(
    ("mending", "content_type", "query"),
    [
        (MERGE, "application/merge-patch+json", {"fieldManager": "helm"}),
        (
            RepairRequest(RepairMethod.STRATEGIC, MERGE.body),
            "application/strategic-merge-patch+json",
            {"fieldManager": "helm"},
        ),
        (APPLY, "application/apply-patch+yaml", {"fieldManager": "helm", "force": "true"}),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_each_way_goes_as_helm_and_guarded(
    server: Server,
    connect: Connect,
    live: LiveObject,
    mending: RepairRequest,
    content_type: str,
    query: dict[str, str],
    dry_run: bool,
) -> None:
    now = connect().repair_object(SHIRT, KEY, live, mending, dry_run=dry_run)
    assert now.body["spec"] == {"color": "blue"}
    (request,) = server.asked("PATCH .*")
    assert request.path == SHIRT.path("shop", "shirt")
    assert request.headers["content-type"] == (content_type,)
    assert request.query == {**query, **({"dryRun": "All"} if dry_run else {})}
    assert json.loads(request.body)["metadata"]["resourceVersion"] == "7"
    assert server.objects[SHIRT.path("shop", "shirt")]["spec"] == {"color": "red" if dry_run else "blue"}


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_object_is_made(server: Server, connect: Connect, dry_run: bool) -> None:
    made = connect().repair_object(SHIRT, NEW, None, CREATE, dry_run=dry_run)
    assert made.key == NEW
    (request,) = server.asked("POST .*")
    assert request.path == "/apis/stable.example.com/v1/namespaces/shop/shirts"
    assert (SHIRT.path("shop", "new") in server.objects) is not dry_run


def refused(connect: Connect, live: LiveObject | None, mending: RepairRequest, **arguments: Any) -> str:
    key = KEY if live else NEW
    with pytest.raises(ClusterError) as error:
        connect(**arguments).repair_object(SHIRT, key, live, mending, dry_run=False)
    return str(error.value)


def test_an_object_that_changed_meanwhile(server: Server, connect: Connect, live: LiveObject) -> None:
    server.put(SHIRT, an_object(SHIRT, "shirt", spec={"color": "green"}, metadata={"resourceVersion": "8"}))
    assert refused(connect, live, MERGE) == (
        "shirts.stable.example.com/shop/shirt: it changed since it was read, so it was not restored to the "
        "stored manifest: "
        "the object has been modified; please apply your changes to the latest version\n"
        "hint: ...\n"
        "hint: kubectl get shirts.stable.example.com shirt -o yaml -n shop"
    )
    assert server.objects[SHIRT.path("shop", "shirt")]["spec"] == {"color": "green"}


def test_an_object_that_was_made_meanwhile(server: Server, connect: Connect) -> None:
    server.on("POST .*", status(409, "AlreadyExists", 'shirts.stable.example.com "new" already exists'))
    assert refused(connect, None, CREATE) == (
        "shirts.stable.example.com/shop/new: it exists already, so it was not made: "
        'shirts.stable.example.com "new" already exists\nhint: ...\n'
        "hint: kubectl get shirts.stable.example.com --field-selector metadata.name=new -o yaml -n shop"
    )


def test_no_right_to_make_it(server: Server, connect: Connect) -> None:
    server.on("POST .*", status(403, "Forbidden", "no"))
    assert refused(connect, None, CREATE) == (
        "shirts.stable.example.com/shop/new: it could not be made: no right to create shirts.stable.example.com (403): "
        "no\nhint: kubectl auth can-i create shirts.stable.example.com/new -n shop"
    )


def test_a_connection_that_breaks_off_leaves_it_open_and_is_not_tried_again(
    server: Server, connect: Connect, live: LiveObject
) -> None:
    server.on("PATCH .*", gone)
    told = refused(connect, live, MERGE)
    assert (
        "the request failed, and whether it was restored to the stored manifest is unknown: the connection broke off"
        in told
    )
    assert len(server.asked("PATCH .*")) == 1
