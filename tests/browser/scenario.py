"""One run with everything in it: what is new, changed, adopted, refused, deleted, kept, and left alone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from tests.plans.test_plans import _secret as a_revision

PASSWORDS = ("live-password", "stored-password", "chart-password")
"""Secret values in the stream and in the file of live objects."""


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def an_object(kind: str, name: str, api_version: str = "v1", *, keep: bool = False, **fields: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if keep:
        metadata["annotations"] = {"helm.sh/resource-policy": "keep"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def live(body: dict[str, Any], owner: str | None, namespace: str = "shop") -> dict[str, Any]:
    """The object as it is live in the namespace, owned by a release of it."""
    metadata = {**body["metadata"], "namespace": namespace, "uid": f"uid-{body['metadata']['name']}"}
    metadata["resourceVersion"] = "71"
    if owner:
        metadata["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
        metadata["annotations"] = {
            **metadata.get("annotations", {}),
            "meta.helm.sh/release-name": owner,
            "meta.helm.sh/release-namespace": namespace,
        }
    return {**body, "metadata": metadata}


def deployment(image: str, replicas: int) -> dict[str, Any]:
    container = {"name": "web", "image": image, "env": [{"name": "PORT", "value": "8080"}]}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
    }
    return an_object("Deployment", "web", "apps/v1", spec=spec)


def secret(password: str) -> dict[str, Any]:
    return an_object("Secret", "db", data={"user": packed("shop-user"), "password": packed(password)})


def shirt(group: str, **spec: Any) -> dict[str, Any]:
    return an_object("Shirt", "shirt", f"{group}.example.com/v1", keep=True, spec=spec)


CHART = [
    an_object("Namespace", "shop-extra"),
    secret("chart-password"),
    an_object("ConfigMap", "settings", data={"motd": "Welcome,\n<b>dear</b> guest.\n", "port": "9090"}),
    an_object("ConfigMap", "untouched", data={"a": "1"}),
    an_object("Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]}),
    an_object("ServiceAccount", "robot"),
    deployment("shop/web:2.0", 3),
    shirt("beta", color="blue", size="M"),
    shirt("stable", color="red"),
    an_object("PersistentVolumeClaim", "data", keep=True, spec={"accessModes": ["ReadWriteOnce"]}),
    an_object("Job", "migrate", "batch/v1", spec={}),
]
CHART[-1]["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}

STORED = [
    secret("stored-password"),
    an_object("ConfigMap", "settings", data={"motd": "Welcome.\n", "port": "8080"}),
    an_object("ConfigMap", "untouched", data={"a": "1"}),
    deployment("shop/web:1.9", 2),
    an_object("ConfigMap", "old", data={"gone": "soon"}),
    an_object("ConfigMap", "precious", keep=True, data={"a": "b"}),
]


def write(folder: Path, *, refused: bool = False) -> tuple[Path, Path]:
    """The stream and the file of live objects; with ``refused``, one object belongs to a release that is alive."""
    stream, objects = folder / "rendered.yaml", folder / "live.yaml"
    chart = [
        *CHART,
        an_object("ConfigMap", "theirs", data={"a": "1"}),
        an_object("Role", "found", "rbac.authorization.k8s.io/v1", rules=[]),
    ]
    stream.write_text(yaml.safe_dump_all(chart if refused else CHART, sort_keys=False))
    found = [
        *(live(body, "shop") for body in STORED[1:]),
        live(secret("live-password"), "shop"),
        live(shirt("beta", color="blue", size="M"), "shop"),
        live(shirt("stable", color="green", size="L"), "shop"),
        live(an_object("PersistentVolumeClaim", "data", keep=True, spec={"accessModes": ["ReadWriteOnce"]}), "gone"),
        live(an_object("ConfigMap", "theirs", data={"a": "0"}), "web"),
        live(an_object("Role", "found", "rbac.authorization.k8s.io/v1", rules=[]), None),
        a_revision({"name": "web", "namespace": "shop", "revision": 1}),
        a_revision(
            {
                "name": "shop",
                "namespace": "shop",
                "revision": 4,
                "manifest": yaml.safe_dump_all(STORED, sort_keys=False),
            }
        ),
    ]
    objects.write_text("\n---\n".join(map(json.dumps, found)))
    return stream, objects
