"""What the API server makes of an update, as far as it is not what the update says."""

from __future__ import annotations

from typing import Any

from postrender.helm.patch import PatchType, patch_type
from postrender.models import GroupKind, GroupVersionKind, Json

SERVER_KEPT = ("uid", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp")
"""Metadata that an update cannot change: the server puts its own back (``BeforeUpdate``, k8s.io/apiserver 0.34,
pkg/registry/rest/update.go)."""

NEEDS_VERSION = frozenset(
    GroupKind(group, kind)
    for group, kinds in {
        "admissionregistration.k8s.io": (
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
        "apiextensions.k8s.io": ("CustomResourceDefinition",),
        "certificates.k8s.io": ("ClusterTrustBundle", "PodCertificateRequest"),
        "coordination.k8s.io": ("Lease", "LeaseCandidate"),
        "internal.apiserver.k8s.io": ("StorageVersion",),
        "lifecycle.k8s.io": ("Eviction", "EvictionRequest"),
        "node.k8s.io": ("RuntimeClass",),
        "policy": ("PodDisruptionBudget",),
        "resource.k8s.io": ("ResourcePoolStatusRequest",),
        "scheduling.k8s.io": ("CompositePodGroup", "PodGroup", "Workload"),
        "storage.k8s.io": ("CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment"),
        "storagemigration.k8s.io": ("StorageVersionMigration",),
    }.items()
    for kind in kinds
)
"""Built-in kinds that, as every custom resource, cannot be updated without a resourceVersion.

``AllowUnconditionalUpdate`` of the strategies in k8s.io/kubernetes 1.30.14, 1.34.3 and 1.37.2, pkg/registry, and of
k8s.io/apiextensions-apiserver 0.37.2, pkg/registry/customresource/strategy.go: no kind's answer has changed. For every
other built-in kind a patch with ``resourceVersion: null`` is valid, which the end-to-end tests show for a ConfigMap.
"""


VERSION_MISSING = "metadata.resourceVersion: ... must be specified for an update"
"""The server's error for an update without a resourceVersion, if it needs one.

``Invalid value: 0`` at the dots is ``Invalid value: 0x0`` up to Kubernetes 1.33: ``ErrorBody``
(pkg/util/validation/field/errors.go of k8s.io/apimachinery 0.33.3 and 0.34.3).
"""


def resource_version_error(gvk: GroupVersionKind, live: Json, after: Json) -> str:
    """The server's error for the resourceVersion of an update, ``""`` for none: it must be set, and the live one."""
    version = _metadata(after).get("resourceVersion")
    if version:
        return "" if version == _metadata(live).get("resourceVersion") else "the object has been modified"
    return VERSION_MISSING if requires_resource_version(gvk) else ""


def requires_resource_version(gvk: GroupVersionKind) -> bool:
    """True if the server rejects an update without a resourceVersion: custom resources, and a few built-in kinds."""
    return patch_type(gvk) is not PatchType.STRATEGIC or gvk.group_kind in NEEDS_VERSION


def drop_empty_data(gvk: GroupVersionKind, body: Json) -> Json:
    """A ConfigMap or Secret without ``data: {}``: its Go struct leaves an empty map out (``omitempty``)."""
    if gvk.group_kind not in _DATA or not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in ("data", "binaryData") or value != {}}


_DATA = frozenset((GroupKind("", "ConfigMap"), GroupKind("", "Secret")))


def preserve_server_fields(gvk: GroupVersionKind, live: Json, after: Json, *, status_apart: bool) -> Json:
    """``after`` with what an update of the object cannot change put back from ``live``."""
    before = _metadata(live)
    metadata = {name: value for name, value in _metadata(after).items() if name not in SERVER_KEPT}
    for name in (*SERVER_KEPT, "resourceVersion"):
        if name in before:
            metadata[name] = before[name]
    result = {**drop_empty_data(gvk, after), "metadata": metadata}
    if status_apart:
        result.pop("status", None)
        if "status" in live:
            result["status"] = live["status"]
    return result


def _metadata(body: Json) -> dict[str, Any]:
    return body.get("metadata") or {} if isinstance(body, dict) else {}
