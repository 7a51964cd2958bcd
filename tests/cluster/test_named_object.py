"""Objects by the names that people type."""

from __future__ import annotations

import pytest

from postrender.cluster.diagnose import Kubectl
from postrender.cluster.discovery import named_object
from postrender.cluster.interface import Catalog, NamedKind
from postrender.errors import ClusterError, UsageError
from postrender.models import Connection, GroupVersionKind, ObjectKey, Resource, Unknown

KUBECTL = Kubectl.of(Connection(context="dev"))
SHIRT = Resource(GroupVersionKind("stable.example.com", "v1", "Shirt"), "shirts", True)
BLOUSE = Resource(GroupVersionKind("beta.example.com", "v1", "Shirt"), "blouses", True)
CONFIG_MAP = Resource(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", True)
CUSTOM_CONFIG_MAP = Resource(GroupVersionKind("cm.example.com", "v1", "ConfigMap"), "configmaps", True)
ROLE = Resource(GroupVersionKind("rbac.authorization.k8s.io", "v1", "ClusterRole"), "clusterroles", False)
CATALOG = Catalog(
    (
        NamedKind(SHIRT, "shirt", ("sh",)),
        NamedKind(BLOUSE, "blouse"),
        NamedKind(CONFIG_MAP, "configmap", ("cm",)),
        NamedKind(CUSTOM_CONFIG_MAP, "configmap"),
        NamedKind(ROLE, "clusterrole"),
    ),
    {},
)


@pytest.mark.parametrize(
    ("text", "resource", "namespace"),
    [
        ("shirts.stable.example.com/other/a", SHIRT, "other"),
        ("shirts.stable.example.com/a", SHIRT, "shop"),
        ("shirts.v1.stable.example.com/a", SHIRT, "shop"),
        ("Shirt.stable.example.com/shop/a", SHIRT, "shop"),
        ("shirts/a", SHIRT, "shop"),
        ("sh/a", SHIRT, "shop"),
        ("blouse/other/a", BLOUSE, "other"),
        ("configmaps/a", CONFIG_MAP, "shop"),
        ("configmaps.cm.example.com/a", CUSTOM_CONFIG_MAP, "shop"),
        ("cm/a", CONFIG_MAP, "shop"),
        ("clusterroles.rbac.authorization.k8s.io/a", ROLE, ""),
        ("ClusterRole/a", ROLE, ""),
    ],
)
def test_what_can_be_typed(text: str, resource: Resource, namespace: str) -> None:
    key = ObjectKey(resource.gvk.group_kind, namespace, "a")
    assert named_object(text, "shop", CATALOG, kubectl=KUBECTL.call) == (resource, key)


@pytest.mark.parametrize("text", ["shirt", "shirts/", "/a", "a/b/c/d", ""])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError) as error:
        named_object(text, "shop", CATALOG, kubectl=KUBECTL.call)
    assert str(error.value).endswith(
        "invalid object name: shirts.stable.example.com/shop/shirt, or shirt/shirt as for kubectl"
    )


def test_a_kind_in_several_groups() -> None:
    several = Catalog((NamedKind(SHIRT, "shirt"), NamedKind(BLOUSE, "blouse")), {})
    with pytest.raises(UsageError) as error:
        named_object("shirt/shop/a", "shop", several, kubectl=KUBECTL.call)
    assert str(error.value) == (
        "shirt/shop/a: shirt are several kinds\n"
        "note: write it as shirts.stable.example.com/shop/a\n"
        "note: write it as blouses.beta.example.com/shop/a"
    )


def test_a_namespace_for_a_kind_that_has_none() -> None:
    with pytest.raises(UsageError) as error:
        named_object("clusterroles/shop/a", "shop", CATALOG, kubectl=KUBECTL.call)
    assert str(error.value) == (
        "clusterroles/shop/a: clusterroles.rbac.authorization.k8s.io are in no namespace\n"
        "note: write it as clusterroles.rbac.authorization.k8s.io/a"
    )


def test_a_kind_that_is_not_there() -> None:
    with pytest.raises(UsageError) as error:
        named_object("trousers/a", "shop", CATALOG, kubectl=KUBECTL.call)
    assert str(error.value) == "trousers/a: the server has no kind trousers\nhint: kubectl api-resources --context dev"


def test_a_kind_that_may_be_there() -> None:
    catalog = Catalog(CATALOG.kinds, {"/apis/legs.example.com/v1": Unknown("it does not answer", ("wait",))})
    with pytest.raises(ClusterError) as error:
        named_object("trousers/a", "shop", catalog, kubectl=KUBECTL.call)
    assert str(error.value) == (
        "trousers/a: the server shows no trousers, and cannot be read for /apis/legs.example.com/v1: "
        "it does not answer\nhint: wait"
    )
