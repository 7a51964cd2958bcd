"""Helm 4 over objects that Helm 3 made: what its migration of field ownership and its apply make of them.

Each plan is held against what the real Helm then leaves on a real API server.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import controlplane
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory
from tests.e2e.kinds import CONFIG_MAP, CRD, DEPLOYMENT, SERVICE, Kind
from tests.e2e.test_plan import plain, planned

OLD, NEW = "3.21.4", "4.3.1"
CONTROLLER = Kind("", "v1", "ReplicationController", "replicationcontrollers")
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


RUNTIME_CLASS = Kind("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", namespaced=False)
SIGNING = Kind("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", namespaced=False)


MINIMAL = Path(__file__).parents[1] / "conformance" / "minimal.yaml"
(REQUEST,) = re.findall(r'request: "(\S+)"', MINIMAL.read_text())


def findings_of(report: Any) -> list[Any]:
    (object_,) = report["objects"]
    return [each for each in object_["findings"] if each["code"] not in ("PR104", "PR107")]


def patched_as_advised(namespace: Namespace, kind: Kind, finding: Any) -> Object:
    """The object once the command that the finding names was run."""
    (words,) = (
        words for each in finding["hints"] if (words := shlex.split(each["command"]))[:2] == ["kubectl", "patch"]
    )
    path = kind.path(namespace.name, words[2].partition("/")[2])
    json_patch = "application/json-patch+json"
    return namespace.api.request("PATCH", path, json.loads(words[words.index("-p") + 1]), content_type=json_patch)


def test_what_kubectl_applied_stays_and_is_listed(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """Entries of lists and fields of its own; the command of the finding removes them."""
    before = {
        "set": ["one", "two", "three"],
        "map": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
        "color": "red",
    }
    namespace.apply(manifest(PART, "a", before), PART, "kubectl")
    wanted = {"set": ["one", "three"], "map": [{"name": "b", "value": "2"}], "size": "L"}
    place = chart(tmp_path, {"a": manifest(PART, "a", wanted)})
    it = helm(NEW)
    (finding,) = findings_of(planned(it, place, 10, "--adopt", "unmanaged"))
    assert (finding["code"], finding["severity"], finding["text"]) == (
        "PR317",
        "warning",
        "3 fields that the chart does not set belong to another field manager, and Helm leaves them: "
        'spec.color (kubectl), spec.map[name="a"] (kubectl), spec.set["two"] (kubectl)',
    )
    it.install("r", place, filter=Filter(("--adopt", "unmanaged"))).expect_ok()
    assert namespace.content(PART, "a")["color"] == "red"
    assert patched_as_advised(namespace, PART, finding)["spec"] == {**wanted, "kept": "server"}


def test_what_kubectl_applied_stays_after_a_client_side_patch(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    namespace.apply(manifest(CONFIG_MAP, "a", {"mine": "1", "theirs": "2"}), CONFIG_MAP, "kubectl")
    place = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"mine": "1"})})
    it = helm(OLD)
    (finding,) = findings_of(planned(it, place, 10, "--adopt", "unmanaged"))
    assert (finding["code"], finding["severity"], finding["text"]) == (
        "PR317",
        "warning",
        "1 field that the chart does not set belongs to another field manager, and Helm leaves it: "
        "data.theirs (kubectl)",
    )
    it.install("r", place, filter=Filter(("--adopt", "unmanaged"))).expect_ok()
    assert namespace.content(CONFIG_MAP, "a") == {"mine": "1", "theirs": "2"}
    assert patched_as_advised(namespace, CONFIG_MAP, finding)["data"] == {"mine": "1"}


def test_a_default_whose_condition_is_gone_after_a_client_side_patch(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """The server gives a controller without labels those of its template, and Helm's objects always have labels."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "x:1"}]}}
    body = manifest(CONTROLLER, "a", {"selector": {"a": "b"}, "template": template})
    namespace.apply(body, CONTROLLER, "kubectl")
    place = chart(tmp_path, {"a": body})
    (finding,) = findings_of(planned(helm(OLD), place, 10, "--adopt", "unmanaged"))
    assert (finding["code"], finding["severity"], finding["text"]) == (
        "PR318",
        "warning",
        "1 field will not be as in a fresh installation, since no field manager owns it: metadata.labels.a",
    )
    helm(OLD).install("r", place, filter=Filter(("--adopt", "unmanaged"))).expect_ok()
    assert "a" in namespace.labels(CONTROLLER, "a")
    assert "a" not in patched_as_advised(namespace, CONTROLLER, finding)["metadata"]["labels"]


def test_a_value_of_another_type(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """The server answers an apply with 500, and Helm would stop there."""
    it = helm(NEW)
    it.install("r", chart(tmp_path, {"a": manifest(PART, "a", {"color": "red"})})).expect_ok()
    place = chart(tmp_path, {"a": manifest(PART, "a", {"color": True})})
    (finding,) = findings_of(planned(it, place, 4))
    problem = (
        f"failed to create typed patch object ({namespace.name}/a; parts.example.com/v1, Kind=Part): "
        ".spec.color: expected string, got &value.valueUnstructured{Value:true}"
    )
    assert (finding["code"], finding["text"]) == (
        "PR307",
        f"the API server would refuse what this Helm sends: {problem}",
    )
    assert problem in it.upgrade("r", place).stderr


def test_a_default_that_depends_on_another_field(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """A headless Service without a selector is given every IP family, but not if it loses its selector later."""
    spec = {"clusterIP": "None", "ports": [{"port": 80}]}
    it = helm(NEW)
    it.install("r", chart(tmp_path, {"a": manifest(SERVICE, "a", {**spec, "selector": {"a": "b"}})})).expect_ok()
    place = chart(tmp_path, {"a": manifest(SERVICE, "a", spec)})
    (finding,) = findings_of(planned(it, place, 10))
    assert (finding["code"], finding["severity"], finding["text"]) == (
        "PR318",
        "warning",
        "2 fields will not be as in a fresh installation, since no field manager owns them: "
        "spec.ipFamilies, spec.ipFamilyPolicy",
    )
    it.upgrade("r", place, filter=True).expect_ok()
    assert namespace.content(SERVICE, "a")["ipFamilyPolicy"] == "SingleStack"
    assert patched_as_advised(namespace, SERVICE, finding)["spec"]["ipFamilyPolicy"] == "RequireDualStack"
    assert findings_of(planned(it, place, 0)) == []


def test_a_service_that_is_headless_no_more(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """The server takes the apply and keeps the old clusterIP, which only a new Service loses."""
    it = helm(NEW)
    headless = manifest(SERVICE, "a", {"clusterIP": "None", "ports": [{"port": 80}], "selector": {"a": "b"}})
    it.install("r", chart(tmp_path, {"a": headless})).expect_ok()
    place = chart(tmp_path, {"a": manifest(SERVICE, "a", {"ports": [{"port": 80}], "selector": {"a": "b"}})})
    (finding,) = findings_of(planned(it, place, 10))
    assert (finding["code"], finding["severity"], finding["text"]) == (
        "PR318",
        "warning",
        "2 fields will not be as in a fresh installation, since no field manager owns them: "
        "spec.clusterIP, spec.clusterIPs; the server changes this in a new object only",
    )
    it.upgrade("r", place, filter=True).expect_ok()
    assert namespace.content(SERVICE, "a")["clusterIP"] == "None"
    (advice,) = finding["hints"]
    assert advice["command"].startswith(f"kubectl delete services/a -n {namespace.name}")
    namespace.delete(SERVICE, "a")
    it.upgrade("r", place, filter=True).expect_ok()
    assert namespace.content(SERVICE, "a")["clusterIP"] != "None"
    assert findings_of(planned(it, place, 0)) == []


def test_an_empty_map_that_a_built_in_kind_loses(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    def charted(scheduling: Any) -> Path:
        body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": namespace.name}}
        return chart(tmp_path, {"a": {**body, "handler": "h", "scheduling": scheduling}})

    it = helm(NEW)
    it.install("r", charted({"nodeSelector": {"a": "b"}})).expect_ok()
    (finding,) = findings_of(planned(it, charted({}), 10))
    assert (finding["code"], finding["text"]) == (
        "PR308",
        "the API server drops scheduling",
    )
    it.upgrade("r", charted({}), filter=True).expect_ok()
    assert "scheduling" not in namespace.found(RUNTIME_CLASS, namespace.name)
    it.uninstall("r").expect_ok()


def test_a_spec_that_the_server_keeps(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    def charted(signer: str) -> Path:
        spec = {"request": REQUEST, "signerName": signer, "usages": ["client auth"]}
        body = {"apiVersion": SIGNING.api_version, "kind": SIGNING.kind, "metadata": {"name": namespace.name}}
        return chart(tmp_path, {"a": {**body, "spec": spec}})

    it = helm(NEW)
    it.install("r", charted("example.com/a")).expect_ok()
    (finding,) = findings_of(planned(it, charted("example.com/b"), 10))
    assert (finding["code"], finding["text"]) == (
        "PR308",
        "the API server drops spec.signerName",
    )
    it.upgrade("r", charted("example.com/b"), filter=True).expect_ok()
    assert namespace.found(SIGNING, namespace.name)["spec"]["signerName"] == "example.com/a"
    it.uninstall("r").expect_ok()


def test_a_list_of_a_built_in_kind_that_was_created_client_side(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """Helm 4.0.0 creates client-side what is new in an upgrade, and never migrates its fields."""
    it = helm("4.0.0")
    it.install("r", chart(tmp_path, {"b": manifest(CONFIG_MAP, "b", {"x": "1"})})).expect_ok()
    rest = {"b": manifest(CONFIG_MAP, "b", {"x": "1"})}
    it.upgrade("r", chart(tmp_path, {**rest, "a": deployment(3, "ab")})).expect_ok()
    place = chart(tmp_path, {**rest, "a": deployment(None, "a")})
    report = planned(it, place, 4)
    (finding,) = [each for one in report["objects"] for each in one["findings"] if each["code"] == "PR312"]
    assert finding["text"] == (
        'spec.replicas, spec.template.spec.containers[name="c"].env[name="b"] left the chart, and would stay: '
        "Helm set it client-side and now applies server-side"
    )
    it.upgrade("r", place).expect_ok()
    assert namespace.found(DEPLOYMENT, "a")["spec"]["replicas"] == 3
