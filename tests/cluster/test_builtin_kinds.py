"""Plural and scope where no server is asked."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.cluster import builtin_kinds
from postrender.models import GroupVersionKind, Resource


@pytest.mark.parametrize(
    ("api_version", "kind", "plural", "namespaced", "status"),
    [
        ("v1", "ConfigMap", "configmaps", True, False),
        ("v1", "Endpoints", "endpoints", True, False),
        ("v1", "Namespace", "namespaces", False, True),
        ("apps/v1", "Deployment", "deployments", True, True),
        ("apps/v1beta2", "Deployment", "deployments", True, True),
        ("extensions/v1beta1", "Ingress", "ingresses", True, True),
        ("networking.k8s.io/v1", "Ingress", "ingresses", True, True),
        ("policy/v1beta1", "PodSecurityPolicy", "podsecuritypolicies", False, False),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False, False),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False, True),
        ("storage.k8s.io/v1", "StorageClass", "storageclasses", False, False),
    ],
)
def test_kubernetes_own_kinds(api_version: str, kind: str, plural: str, namespaced: bool, status: bool) -> None:
    gvk = GroupVersionKind.parse(api_version, kind)
    assert builtin_kinds.builtin_resource(gvk) == Resource(gvk, plural, namespaced, status)


@pytest.mark.parametrize(("api_version", "kind"), [("v1", "Deployment"), ("apps/v1", "deployment"), ("x/v1", "Shirt")])
def test_other_kinds_are_not_known(api_version: str, kind: str) -> None:
    assert builtin_kinds.builtin_resource(GroupVersionKind.parse(api_version, kind)) is None


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Shirt", "shirts"),
        ("Policy", "policies"),
        ("Gateway", "gatewaies"),
        ("Class", "classes"),
        ("VPCEndpoints", "vpcendpoints"),
        ("NetworkBox", "networkboxs"),
    ],
)
def test_a_guess_is_kubectls(kind: str, plural: str) -> None:
    gvk = GroupVersionKind("example.com", "v1", kind)
    assert builtin_kinds.guess_resource(gvk) == Resource(gvk, plural, True)


NAMES = {"kind": "Shirt", "plural": "shirts"}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (
            {"scope": "Cluster", "versions": [{"name": "v1", "served": True}, {"name": "v2", "served": True}]},
            [("v1", False, False), ("v2", False, False)],
        ),
        ({"scope": "Namespaced", "versions": [{"name": "v1", "served": False}]}, []),
        ({"scope": "Namespaced", "version": "v1beta1", "subresources": {"status": {}}}, [("v1beta1", True, True)]),
        (
            {"scope": "Namespaced", "versions": [{"name": "v1", "served": True, "subresources": {"scale": {}}}]},
            [("v1", True, False)],
        ),
        ({"scope": "Namespaced", "versions": "v1"}, []),
        ({"scope": "Namespaced", "versions": [7, {"served": True}]}, []),
    ],
)
def test_what_a_crd_defines(spec: dict[str, Any], found: list[tuple[str, bool, bool]]) -> None:
    resources = builtin_kinds.resources_of_crd({"spec": {"group": "example.com", "names": NAMES, **spec}})
    assert [(each.gvk.version, each.namespaced, each.status_apart) for each in resources] == found


@pytest.mark.parametrize("body", [None, {}, {"spec": []}, {"spec": {"group": "g", "names": {"kind": "K"}}}])
def test_what_is_no_crd_defines_nothing(body: Any) -> None:
    assert list(builtin_kinds.resources_of_crd(body)) == []
