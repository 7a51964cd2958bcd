"""Helm 4 over objects that Helm 3 made: what its migration of field ownership and its apply make of them.

Each plan is held against what the real Helm then leaves on a real API server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import controlplane
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory
from tests.e2e.kinds import CONFIG_MAP, CRD, Kind
from tests.e2e.test_plan import plain, planned

OLD, NEW = "3.21.4", "4.3.1"
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
PART = Kind("parts.example.com", "v1", "Part", "parts")
PART_V2 = Kind("parts.example.com", "v2", "Part", "parts")

_TEXT = {"type": "string"}
_ENTRY = {"type": "object", "properties": {"name": _TEXT, "value": _TEXT}, "required": ["name"]}
_SPEC = {
    "type": "object",
    "properties": {
        "color": _TEXT,
        "size": _TEXT,
        "kept": {"type": "string", "default": "server"},
        "map": {
            "type": "array",
            "items": _ENTRY,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "set": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "atomic": {"type": "array", "items": _TEXT},
        "leaf": {"type": "object", "additionalProperties": _TEXT, "x-kubernetes-map-type": "atomic"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


@pytest.fixture(scope="module", autouse=True)
def parts(control_plane: ControlPlane) -> Iterator[None]:
    """A kind in two versions with every type of list and map."""
    definition = {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": "parts.parts.example.com"},
        "spec": {
            "group": PART.group,
            "scope": "Namespaced",
            "names": {"kind": "Part", "plural": "parts", "singular": "part"},
            "versions": [
                {
                    "name": kind.version,
                    "served": True,
                    "storage": kind is PART,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": _SPEC}}
                    },
                }
                for kind in (PART, PART_V2)
            ],
        },
    }
    controlplane.serve(control_plane.api, [definition])
    yield
    control_plane.api.request("DELETE", CRD.path("", "parts.parts.example.com"))


def deployment(replicas: int | None, names: str) -> Object:
    labels = {"app": "a"}
    container = {"name": "c", "image": "i", "env": [{"name": name, "value": "1"} for name in names]}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return manifest(DEPLOYMENT, "a", spec, keep=True)


def over_what_helm_3_kept(helm: HelmFactory, folder: Path, *before: Object) -> Helm:
    """Helm 4 in a namespace where Helm 3 installed each of these in turn, and then kept the object."""
    old = helm(OLD)
    old.install("r", chart(folder, {"a": before[0]})).expect_ok()
    for each in before[1:]:
        old.upgrade("r", chart(folder, {"a": each})).expect_ok()
    old.uninstall("r").expect_ok()
    return helm(NEW)


def predicted(it: Helm, place: Path, code: int = 10) -> tuple[Any, list[str]]:
    """The object as the plan has it afterwards, and the findings about it beside that it is adopted (PR107)."""
    report = planned(it, place, code)
    (object_,) = report["objects"]
    return object_["after"], [
        f"{each['code']} {each['text']}" for each in object_["findings"] if each["code"] != "PR107"
    ]


def as_planned(it: Helm, namespace: Namespace, place: Path, kind: Kind) -> tuple[Object, list[str]]:
    """What is live after the installation, which is as the plan had it; and the plan's findings."""
    after, findings = predicted(it, place)
    it.install("r", place, filter=True).expect_ok()
    live = plain(namespace.found(kind, "a"))
    assert after == live
    return live, findings


def test_a_deployment_without_replicas_and_an_entry(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = over_what_helm_3_kept(helm, tmp_path, deployment(3, "ab"))
    live, findings = as_planned(it, namespace, chart(tmp_path, {"a": deployment(None, "a")}), DEPLOYMENT)
    assert live["spec"]["replicas"] == 1
    assert [each["name"] for each in live["spec"]["template"]["spec"]["containers"][0]["env"]] == ["a"]
    assert findings == [
        'PR315 Helm removes or resets spec.replicas, spec.template.spec.containers[name="c"].env[name="b"]: '
        "an earlier Helm set this, and the chart does not"
    ]


@pytest.mark.parametrize("field", ["map", "set"])
def test_elements_of_a_custom_resource(helm: HelmFactory, namespace: Namespace, tmp_path: Path, field: str) -> None:
    entries: list[Any] = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}] if field == "map" else ["a", "b"]
    it = over_what_helm_3_kept(helm, tmp_path, manifest(PART, "a", {field: entries}, keep=True))
    place = chart(tmp_path, {"a": manifest(PART, "a", {field: entries[:1]}, keep=True)})
    live, findings = as_planned(it, namespace, place, PART)
    assert live["spec"][field] == entries[:1]
    gone = '[name="b"]' if field == "map" else '["b"]'
    assert findings == [
        f"PR315 Helm removes or resets spec.{field}{gone}: an earlier Helm set this, and the chart does not"
    ]


def test_whole_lists_and_maps_of_a_custom_resource(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    old = {"atomic": ["a", "b"], "leaf": {"a": "1", "b": "2"}, "free": {"x": {"y": 1, "z": [1]}}, "kept": "chart"}
    it = over_what_helm_3_kept(helm, tmp_path, manifest(PART, "a", old, keep=True))
    new = {"atomic": ["b"], "free": {"x": {"z": [2]}}}
    live, _ = as_planned(it, namespace, chart(tmp_path, {"a": manifest(PART, "a", new, keep=True)}), PART)
    assert live["spec"] == {**new, "kept": "server"}


@pytest.mark.parametrize("twice", [False, True])
def test_a_custom_resource_whose_version_moved(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, twice: bool
) -> None:
    """Written in one version only, a field leaves with its chart; of two, only one version's fields are migrated."""
    before = [manifest(PART, "a", {"color": "red", "size": "1"}, keep=True)]
    if twice:
        before.append(manifest(PART_V2, "a", {"color": "red", "size": "2"}, keep=True))
    it = over_what_helm_3_kept(helm, tmp_path, *before)
    place = chart(tmp_path, {"a": manifest(PART_V2, "a", {"set": ["x"]}, keep=True)})
    as_planned(it, namespace, place, PART_V2)


def test_a_config_map_with_null_for_data(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = over_what_helm_3_kept(helm, tmp_path, manifest(CONFIG_MAP, "a", {"x": "1"}, keep=True))
    place = chart(tmp_path, {"a": {**manifest(CONFIG_MAP, "a", keep=True), "data": None}})
    live, findings = as_planned(it, namespace, place, CONFIG_MAP)
    assert "data" not in live
    assert findings == ["PR315 Helm removes or resets data.x: an earlier Helm set this, and the chart does not"]


def test_a_map_that_loses_all_it_has(helm: HelmFactory, tmp_path: Path) -> None:
    """The apply leaves null, which the kind does not allow."""
    it = over_what_helm_3_kept(helm, tmp_path, manifest(PART, "a", {"free": {"a": {"b": "x"}}}, keep=True))
    place = chart(tmp_path, {"a": manifest(PART, "a", {"free": {}}, keep=True)})
    _, findings = predicted(it, place, 4)
    problem = 'spec.free: Invalid value: "null": spec.free in body must be of type object: "null"'
    assert findings == [f"PR307 the API server would refuse what this Helm sends: {problem}"]
    assert problem in it.install("r", place).stderr


def test_null_where_an_object_must_be(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = over_what_helm_3_kept(helm, tmp_path, manifest(PART, "a", {"color": "red"}, keep=True))
    place = chart(tmp_path, {"a": {**manifest(PART, "a", keep=True), "spec": None}})
    before = namespace.found(PART, "a")
    _, findings = predicted(it, place, 4)
    assert len(findings) == 1
    assert findings[0].startswith("PR307 the API server would refuse what this Helm sends: ")
    assert "spec" in findings[0]
    refused = it.install("r", place, filter=True)
    assert "PR307" in refused.stderr, refused.stderr
    assert plain(namespace.found(PART, "a")) == plain(before)
    done = it.install("s", place, "--take-ownership")
    assert not done.ok
    assert namespace.found(PART, "a") != before
