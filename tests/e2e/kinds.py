"""The kinds the tests use, and the custom resource definitions behind those that are not built in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GROUPS = ("stable.example.com", "beta.example.com", "gamma.example.com")
"""The groups that each serve a kind ``Shirt``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as a server serves it, and where its objects keep their content (``spec``, ``data``)."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    content: str = "spec"

    @property
    def api_version(self) -> str:
        """``stable.example.com/v1``; ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """``/apis/stable.example.com/v1``; ``/api/v1`` for the core group."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str, name: str = "") -> str:
        """The exact path of an object, or of the collection; ``namespace`` is ignored for a cluster-scoped kind."""
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.root}{scope}/{self.plural}" + (f"/{name}" if name else "")


CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", content="data")
SECRET = Kind("", "v1", "Secret", "secrets", content="data")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles", content="rules")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", content="roleRef")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False, "rules")
CLUSTER_ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False, "")
CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
SERVICE = Kind("", "v1", "Service", "services")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
DISRUPTION_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
#: one stored object, served by two groups
EVENT = Kind("", "v1", "Event", "events", content="reason")
EVENTS_EVENT = Kind("events.k8s.io", "v1", "Event", "events", content="reason")

STABLE_SHIRT, BETA_SHIRT, GAMMA_SHIRT = (Kind(group, "v1", "Shirt", "shirts") for group in GROUPS)
#: the same objects as STABLE_SHIRT's, seen through the group's other version
STABLE_SHIRT_V2 = Kind("stable.example.com", "v2", "Shirt", "shirts")
STABLE_FLAG = Kind("stable.example.com", "v1", "Flag", "flags", namespaced=False)
BETA_FLAG = Kind("beta.example.com", "v1", "Flag", "flags", namespaced=False)
CUSTOM_CONFIG_MAP = Kind("cm.example.com", "v1", "ConfigMap", "configmaps")

CUSTOM = (
    STABLE_SHIRT,
    STABLE_SHIRT_V2,
    BETA_SHIRT,
    GAMMA_SHIRT,
    STABLE_FLAG,
    BETA_FLAG,
    CUSTOM_CONFIG_MAP,
)
"""The custom resources that every control plane of the tests serves."""


def definitions() -> list[dict[str, Any]]:
    """One CustomResourceDefinition per kind of ``CUSTOM``, all its versions in it; ``v1`` is the stored one."""
    versions: dict[tuple[str, str], list[Kind]] = {}
    for kind in CUSTOM:
        versions.setdefault((kind.group, kind.plural), []).append(kind)
    return [definition(*kinds) for kinds in versions.values()]


def definition(*kinds: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind in one or more versions; the first one is stored.

    ``spec`` has two strings and takes any other field; ``status`` takes any, and is no subresource.
    """
    first = kinds[0]
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {
        "type": "object",
        "properties": {
            "spec": {**anything, "properties": {"color": {"type": "string"}, "size": {"type": "string"}}},
            "status": anything,
        },
    }
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": f"{first.plural}.{first.group}"},
        "spec": {
            "group": first.group,
            "scope": "Namespaced" if first.namespaced else "Cluster",
            "names": {"kind": first.kind, "plural": first.plural, "singular": first.kind.lower()},
            "versions": [
                {
                    "name": kind.version,
                    "served": True,
                    "storage": kind is first,
                    "schema": {"openAPIV3Schema": schema},
                }
                for kind in kinds
            ],
        },
    }
