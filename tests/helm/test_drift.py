"""What a stored manifest says and a live object does not."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.helm.drift import Drift, RepairMethod, drift, sent_by_helm, without_volatile_metadata
from postrender.models import GroupVersionKind, ObjectKey, ReleaseName

WEB = ReleaseName("shop", "web")
SHIRT = GroupVersionKind("stable.example.com", "v1", "Shirt")
SECRET = GroupVersionKind("", "v1", "Secret")
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")


def an_object(gvk: GroupVersionKind, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": {"name": "a", "namespace": "shop"}, **fields}


def found(gvk: GroupVersionKind, stored: Any, live: Any, *, server_side: bool = False) -> Drift | None:
    return drift(gvk, an_object(gvk, spec=stored), an_object(gvk, spec=live), server_side=server_side)


def containers(*named: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": name, "image": image} for name, image in named], **more}}}


def test_what_is_stored_is_as_helm_sends_it() -> None:
    body = {
        "apiVersion": "stable.example.com/v1",
        "kind": "Shirt",
        "metadata": {"name": "a", "resourceVersion": "7", "creationTimestamp": None, "labels": {"x": "y"}},
        "spec": {"color": "blue"},
        "status": {},
    }
    assert sent_by_helm(SHIRT, ObjectKey(SHIRT.group_kind, "shop", "a"), body, WEB) == {
        "apiVersion": "stable.example.com/v1",
        "kind": "Shirt",
        "metadata": {
            "name": "a",
            "namespace": "shop",
            "labels": {"x": "y", "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
        },
        "spec": {"color": "blue"},
    }


def test_plain_values_of_a_secret_are_put_where_the_server_puts_them() -> None:
    body = an_object(SECRET, data={"a": "MQ==", "b": "eA=="}, stringData={"b": "2", "c": "3"})
    made = sent_by_helm(SECRET, ObjectKey(SECRET.group_kind, "shop", "a"), body, WEB)
    assert made["data"] == {"a": "MQ==", "b": "Mg==", "c": "Mw=="}
    assert "stringData" not in made


@pytest.mark.parametrize(
    ("gvk", "stored", "live"),
    [
        (SHIRT, {"color": "blue"}, {"color": "blue", "size": "theirs"}),
        (SHIRT, {"color": None}, {"size": "theirs"}),
        (SHIRT, {"color": None}, {"color": "theirs"}),
        (DEPLOYMENT, {"replicas": 2}, {"replicas": 2, "paused": True}),
        (DEPLOYMENT, containers(("a", "1")), containers(("a", "1"), ("sidecar", "2"))),
        (DEPLOYMENT, containers(("a", "1")), containers(("sidecar", "2"), ("a", "1"))),
        (DEPLOYMENT, containers(("a", "1"), ("b", "2")), containers(("a", "1"), ("b", "2"), restartPolicy="Always")),
    ],
)
def test_what_the_manifest_does_not_name_does_not_count(gvk: GroupVersionKind, stored: Any, live: Any) -> None:
    assert found(gvk, stored, live) is None


@pytest.mark.parametrize(
    ("gvk", "stored", "live", "patch", "after"),
    [
        (
            SHIRT,
            {"color": "blue", "tags": ["a", "b"]},
            {"color": "red", "size": "theirs", "tags": ["a"]},
            {"spec": {"color": "blue", "tags": ["a", "b"]}},
            {"color": "blue", "size": "theirs", "tags": ["a", "b"]},
        ),
        (DEPLOYMENT, {"replicas": 2}, {"replicas": 5}, {"spec": {"replicas": 2}}, {"replicas": 2}),
    ],
)
def test_a_difference_is_the_patch_that_mends_it(
    gvk: GroupVersionKind, stored: Any, live: Any, patch: Any, after: Any
) -> None:
    difference = found(gvk, stored, live)
    assert difference is not None
    assert difference.repair.body == patch
    assert difference.repair.how is (RepairMethod.MERGE if gvk == SHIRT else RepairMethod.STRATEGIC)
    assert difference.after == an_object(gvk, spec=after)


def test_a_list_is_matched_by_its_key() -> None:
    live = containers(("sidecar", "2"), ("a", "9"))
    difference = found(DEPLOYMENT, containers(("a", "1")), live)
    assert difference is not None
    after = difference.after["spec"]["template"]["spec"]["containers"]
    assert {each["name"]: each["image"] for each in after} == {"a": "1", "sidecar": "2"}


def test_a_release_that_is_applied_server_side_is_mended_so() -> None:
    difference = found(SHIRT, {"color": "blue"}, {"color": "red", "size": "theirs"}, server_side=True)
    assert difference is not None
    assert difference.repair.how is RepairMethod.APPLY
    assert difference.repair.body == an_object(SHIRT, spec={"color": "blue"})


def test_what_every_write_changes_is_no_difference() -> None:
    live = an_object(SHIRT)
    now = {**live, "metadata": {**live["metadata"], "resourceVersion": "9", "generation": 3, "managedFields": [{}]}}
    assert without_volatile_metadata(now) == without_volatile_metadata(live)
