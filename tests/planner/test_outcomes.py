"""What Helm alone would do with a stream, object by object."""

from __future__ import annotations

from typing import Any

from postrender import manifest
from postrender.helm.invocation import Action, Invocation
from postrender.helm.simulate import Request
from postrender.helm.versions import HelmVersion
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Absent,
    Found,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
)
from postrender.planner.facts import Desired, DesiredObject, Facts
from tests.unfiltered import predict_unfiltered

US = ReleaseName("shop", "shirts")
STREAM = b"""\
apiVersion: beta.example.com/v1
kind: Shirt
metadata: {name: shirt}
spec: {color: blue}
---
apiVersion: stable.example.com/v1
kind: Shirt
metadata: {name: shirt}
spec: {color: green}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
"""


def _facts(version: str, release: ReleaseName | None = US) -> Facts:
    stream = manifest.read(STREAM)
    items = []
    for index, ref in enumerate(stream.objects):
        key = ObjectKey(ref.gvk.group_kind, "shop", ref.name)
        resource = Resource(ref.gvk, f"{ref.gvk.kind.lower()}s", namespaced=True)
        metadata: dict[str, Any] = {
            "name": ref.name,
            "namespace": "shop",
            "resourceVersion": str(index + 1),
            "labels": {MANAGED_BY: "Helm"},
            "annotations": {RELEASE_NAME: US.name, RELEASE_NAMESPACE: US.namespace},
        }
        body = {**stream.value(ref), "metadata": metadata}
        live = LiveObject(
            key,
            ref.gvk.api_version,
            "uid",
            metadata["resourceVersion"],
            metadata["labels"],
            metadata["annotations"],
            body=body,
        )
        found = Found(live) if ref.gvk.kind == "Shirt" else Absent()
        items.append(DesiredObject(ref, key, resource, None if "hook" in ref.name else found))
    return Facts(Desired(stream), tuple(items), Invocation(HelmVersion.parse(version), Action.INSTALL, release))


def test_the_stream_as_it_came_in_without_any_rewriting() -> None:
    beta, stable, new, hook = predict_unfiltered(_facts("3.12.3"))
    assert beta is not None
    assert stable is not None
    assert new is not None
    assert (beta.request, beta.error) == (Request.NOTHING, "")
    assert stable.error.endswith("metadata.resourceVersion: ... must be specified for an update")
    assert new.request is Request.CREATE
    assert hook is None


def test_a_newer_helm_patches_nothing() -> None:
    found = predict_unfiltered(_facts("3.21.4"))
    assert [each.request for each in found if each] == [Request.NOTHING, Request.NOTHING, Request.CREATE]


def test_nothing_is_predicted_server_side_or_without_a_release() -> None:
    assert predict_unfiltered(_facts("4.3.1")) == (None, None, None, None)
    assert predict_unfiltered(_facts("3.12.3", None)) == (None, None, None, None)
