"""The kinds that the misbehaving server serves, and objects of them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from postrender.models import GroupVersionKind, Resource

CONFIG_MAP = Resource(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", True, False)
SECRET = Resource(GroupVersionKind("", "v1", "Secret"), "secrets", True, False)
NAMESPACE = Resource(GroupVersionKind("", "v1", "Namespace"), "namespaces", False, True)
DEPLOYMENT = Resource(GroupVersionKind("apps", "v1", "Deployment"), "deployments", True, True)
SHIRT = Resource(GroupVersionKind("stable.example.com", "v1", "Shirt"), "shirts", True, False)
BETA_SHIRT = Resource(GroupVersionKind("beta.example.com", "v1", "Shirt"), "blouses", True, False)

SERVED = (CONFIG_MAP, SECRET, NAMESPACE, DEPLOYMENT, SHIRT, BETA_SHIRT)

SHORT = {"configmaps": ["cm"], "namespaces": ["ns"], "deployments": ["deploy"]}
"""Short names, by plural, as the server tells them."""


def an_object(resource: Resource, name: str, namespace: str = "shop", **fields: Any) -> dict[str, Any]:
    """An object as a server stores it; ``fields`` are added on the top level, ``metadata`` merged."""
    metadata: dict[str, Any] = {"name": name, "uid": f"uid-of-{name}", "resourceVersion": "7"}
    if resource.namespaced:
        metadata["namespace"] = namespace
    metadata.update(fields.pop("metadata", {}))
    return {"apiVersion": resource.gvk.api_version, "kind": resource.gvk.kind, "metadata": metadata, **fields}


def a_revision(name: str, revision: int, status: str, *, driver: str = "secret", **payload: Any) -> dict[str, Any]:
    """A revision of a release in namespace ``shop``, stored as Helm does; ``payload`` changes what is in it."""
    content = {
        "name": name,
        "namespace": "shop",
        "version": revision,
        "manifest": f"# revision {revision}\n",
        "info": {"status": status},
        **payload,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode()))
    resource, field = (CONFIG_MAP, packed) if driver == "configmap" else (SECRET, base64.b64encode(packed))
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    return an_object(
        resource,
        f"sh.helm.release.v1.{name}.v{revision}",
        metadata={"labels": labels},
        data={"release": field.decode()},
        **({} if driver == "configmap" else {"type": "helm.sh/release.v1"}),
    )
