"""Kinds, keys, exact paths, and names for people."""

from __future__ import annotations

import pytest

from postrender.models import GroupKind, GroupVersionKind, ObjectKey, Resource, object_name

SHIRT = GroupVersionKind("stable.example.com", "v1", "Shirt")
CONFIGMAP = GroupVersionKind("", "v1", "ConfigMap")


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("apps/v1", "Deployment", GroupVersionKind("apps", "v1", "Deployment")),
        ("v1", "ConfigMap", CONFIGMAP),
        ("", "ConfigMap", GroupVersionKind("", "", "ConfigMap")),
        ("a/b/c", "X", GroupVersionKind("a", "b/c", "X")),
    ],
)
def test_parse(api_version: str, kind: str, expected: GroupVersionKind) -> None:
    parsed = GroupVersionKind.parse(api_version, kind)
    assert parsed == expected
    assert parsed.api_version == api_version


def test_the_version_is_no_part_of_the_identity() -> None:
    assert GroupVersionKind("apps", "v1beta1", "Deployment").group_kind == GroupKind("apps", "Deployment")
    assert str(SHIRT.group_kind) == "Shirt.stable.example.com"
    assert str(CONFIGMAP.group_kind) == "ConfigMap"


def test_exact_paths() -> None:
    shirts = Resource(SHIRT, "shirts", namespaced=True)
    assert shirts.path("shop", "shirt") == "/apis/stable.example.com/v1/namespaces/shop/shirts/shirt"
    assert shirts.path("", "") == "/apis/stable.example.com/v1/shirts"
    assert Resource(CONFIGMAP, "configmaps", namespaced=True).path("shop", "") == "/api/v1/namespaces/shop/configmaps"
    flags = Resource(GroupVersionKind("stable.example.com", "v1", "Flag"), "flags", namespaced=False)
    assert flags.path("ignored", "flag") == "/apis/stable.example.com/v1/flags/flag"


def test_names_for_people() -> None:
    shirts = Resource(SHIRT, "shirts", namespaced=True)
    assert object_name(shirts, ObjectKey(SHIRT.group_kind, "shop", "shirt")) == "shirts.stable.example.com/shop/shirt"
    assert object_name(shirts, ObjectKey(SHIRT.group_kind, "", "flag")) == "shirts.stable.example.com/flag"
    assert object_name(shirts, ObjectKey(SHIRT.group_kind, "shop", "")) == "shirts.stable.example.com/shop/(generated)"
