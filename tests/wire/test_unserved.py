"""Removed APIs in stored manifests: what replaces each, and what is not decided without an answer."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.errors import ClusterError
from postrender.models import GroupVersionKind, ReleaseName, Resource
from postrender.operations.unserved import UnservedRelease, find_unserved
from tests.wire.conftest import Connect
from tests.wire.kinds import SECRET, a_revision
from tests.wire.server import Server, status

CURRENT = [
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", False),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", False),
    ("apiregistration.k8s.io/v1", "APIService", False),
    ("apps/v1", "DaemonSet", True),
    ("apps/v1", "Deployment", True),
    ("apps/v1", "ReplicaSet", True),
    ("apps/v1", "StatefulSet", True),
    ("autoscaling/v2", "HorizontalPodAutoscaler", True),
    ("autoscaling/v1", "HorizontalPodAutoscaler", True),
    ("batch/v1", "CronJob", True),
    ("certificates.k8s.io/v1", "CertificateSigningRequest", False),
    ("coordination.k8s.io/v1", "Lease", True),
    ("discovery.k8s.io/v1", "EndpointSlice", True),
    ("events.k8s.io/v1", "Event", True),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", False),
    ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", False),
    ("networking.k8s.io/v1", "Ingress", True),
    ("networking.k8s.io/v1", "IngressClass", False),
    ("networking.k8s.io/v1", "NetworkPolicy", True),
    ("node.k8s.io/v1", "RuntimeClass", False),
    ("policy/v1", "PodDisruptionBudget", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", False),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", True),
    ("scheduling.k8s.io/v1", "PriorityClass", False),
    ("storage.k8s.io/v1", "CSIDriver", False),
    ("storage.k8s.io/v1", "CSIStorageCapacity", True),
    ("storage.k8s.io/v1", "StorageClass", False),
]
"""What a Kubernetes 1.34 API server serves, in its order of preference."""

REMOVED = [
    # https://kubernetes.io/docs/reference/using-api/deprecation-guide/, from 1.16 to 1.32.
    ("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    ("extensions/v1beta1", "DaemonSet", "apps/v1"),
    ("apps/v1beta2", "DaemonSet", "apps/v1"),
    ("extensions/v1beta1", "Deployment", "apps/v1"),
    ("apps/v1beta1", "Deployment", "apps/v1"),
    ("apps/v1beta2", "Deployment", "apps/v1"),
    ("apps/v1beta1", "StatefulSet", "apps/v1"),
    ("apps/v1beta2", "StatefulSet", "apps/v1"),
    ("extensions/v1beta1", "ReplicaSet", "apps/v1"),
    ("apps/v1beta1", "ReplicaSet", "apps/v1"),
    ("apps/v1beta2", "ReplicaSet", "apps/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy", ""),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1"),
    ("extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1alpha1", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIDriver", "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1"),
    ("batch/v1beta1", "CronJob", "batch/v1"),
    ("batch/v2alpha1", "CronJob", "batch/v1"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", "Event", "events.k8s.io/v1"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy", ""),
    ("node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1"),
    # CHANGELOG-1.19.md, CHANGELOG-1.20.md, CHANGELOG-1.31.md and CHANGELOG-1.32.md of kubernetes/kubernetes.
    ("auditregistration.k8s.io/v1alpha1", "AuditSink", ""),
    ("settings.k8s.io/v1alpha1", "PodPreset", ""),
    ("resource.k8s.io/v1alpha2", "ResourceClass", ""),
    ("resource.k8s.io/v1alpha3", "PodSchedulingContext", ""),
]
"""Removed APIs, and the served one that is to take the place of each."""

PSP = "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: psp}\n"
RACK = "apiVersion: old.example.com/v1beta1\nkind: Rack\nmetadata: {name: rack}\n"
DEFINITIONS = Resource(
    GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "customresourcedefinitions", False
)


def resource(api_version: str, kind: str, namespaced: bool) -> Resource:
    plural = {"Ingress": "ingresses"}.get(kind, f"{kind.lower()}s".replace("ys", "ies"))
    return Resource(GroupVersionKind.parse(api_version, kind), plural, namespaced)


def crd(*versions: dict[str, Any]) -> dict[str, Any]:
    names = {"kind": "Rack", "plural": "racks"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.old.example.com", "uid": "1", "resourceVersion": "1"},
        "spec": {"group": "old.example.com", "names": names, "scope": "Namespaced", "versions": list(versions)},
    }


@pytest.fixture
def current(server: Server) -> Server:
    """A server that serves what Kubernetes 1.34 does."""
    server.served += [resource(*row) for row in CURRENT if (row[0], row[1]) != ("apps/v1", "Deployment")]
    return server


def found(server: Server, connect: Connect, *manifests: str) -> UnservedRelease:
    for index, manifest in enumerate(manifests):
        status = "deployed" if index == len(manifests) - 1 else "superseded"
        server.put(SECRET, a_revision("r", index + 1, status, manifest=manifest))
    return find_unserved(connect(), ReleaseName("shop", "r"), "secret")


def test_every_removed_api_and_what_takes_its_place(current: Server, connect: Connect) -> None:
    stream = "".join(f"---\napiVersion: {old}\nkind: {kind}\nmetadata: {{name: a}}\n" for old, kind, _ in REMOVED)
    (revision,) = found(current, connect, stream).revisions
    assert [
        (each.ref.gvk.api_version, each.ref.gvk.kind, each.replacement.api_version) for each in revision.objects
    ] == REMOVED
    assert not any(each.replacement.blocked for each in revision.objects)


def test_what_helm_cannot_do_any_more(current: Server, connect: Connect) -> None:
    served = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    kept = PSP.replace("{name: psp}", "{name: psp, annotations: {helm.sh/resource-policy: ' Keep'}}")
    assert found(current, connect, served, PSP).fails == ("upgrade", "uninstall", "rollback")
    assert found(current, connect, served, kept).fails == ("upgrade", "rollback")
    assert found(current, connect, PSP, served).fails == ()
    assert [each.stored.revision.revision for each in found(current, connect, PSP, served).affected] == [1]


def test_objects_of_a_definition_that_serves_no_version_stay(current: Server, connect: Connect) -> None:
    current.put(DEFINITIONS, crd({"name": "v1beta1", "served": False, "storage": True}))
    (revision,) = found(current, connect, RACK + "---\n" + PSP).revisions
    rack, psp = revision.objects
    assert (rack.replacement.blocked, psp.replacement.blocked) == (True, False)
    assert rack.replacement.reason == "its objects still exist, but its CRD racks.old.example.com serves no version"
    assert revision.edited is None


def test_a_custom_kind_without_a_definition_is_gone(current: Server, connect: Connect) -> None:
    (revision,) = found(current, connect, RACK).revisions
    (rack,) = revision.objects
    assert (rack.name, rack.replacement.api_version) == ("racks.old.example.com/shop/rack", "")
    assert rack.replacement.reason == "no API of the kind is served, and no CRD defines it"
    assert revision.edited is not None


@pytest.mark.parametrize(
    ("pattern", "manifest"),
    [
        ("GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions", RACK),
        ("GET /apis", PSP),
    ],
    ids=["definitions", "discovery"],
)
def test_what_is_not_known_is_not_gone(current: Server, connect: Connect, pattern: str, manifest: str) -> None:
    current.on(pattern, status(403, "Forbidden", "you cannot"))
    with pytest.raises(ClusterError):
        found(current, connect, manifest)


def test_a_group_whose_server_does_not_answer_is_not_gone(current: Server, connect: Connect) -> None:
    current.served.append(resource("old.example.com/v1", "Rack", True))
    current.stale.add("old.example.com/v1")
    with pytest.raises(ClusterError, match="stale"):
        found(current, connect, RACK)
