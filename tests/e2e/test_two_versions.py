"""What ``postrender lint OLD NEW`` says of an upgrade is what the real Helm and the real API server do."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from postrender.lint.model import Facts
from postrender.lint.rules import immutable_field
from postrender.lint.upgrade import renderings
from tests.e2e.api import MERGE_PATCH, ApiError, Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import CONFIG_MAP, CRD, DEPLOYMENT, ROLE_BINDING, SECRET, SERVICE, Kind, definition

pytestmark = pytest.mark.one_in(3)

CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
JOB = Kind("batch", "v1", "Job", "jobs")
STORAGE = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
PRIORITY = Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False)
SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
CHOSEN = {"matchLabels": {"app": "a"}}
PLACE = manifest(CONFIG_MAP, "place", {"a": "b"})


def findings(it: Helm, old: Path, new: Path) -> list[str]:
    """The codes that lint prints for two charts, each with its object's name."""
    command = [sys.executable, "-m", "postrender", "lint", str(old), str(new), "-o", "json", "--helm", str(it.binary)]
    command += ["--release", "shop", "-n", it.namespace]
    done = subprocess.run(command, capture_output=True, text=True, env=it.env, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return [f"{each['code']} {each['object'].rpartition('/')[2]}" for each in json.loads(done.stdout)["findings"]]


@pytest.fixture
def hat(namespace: Namespace, control_plane: ControlPlane) -> Iterator[Kind]:
    """A kind of the test's own, of which a definition may come and go."""
    kind = Kind(f"{namespace.name[-20:].strip('-')}.example.com", "v1", "Hat", "hats")
    yield kind
    control_plane.api.request("DELETE", CRD.path("", f"hats.{kind.group}"))


def defined(kind: Kind, *, keep: bool = False, short: str = "") -> Object:
    body = copy.deepcopy(definition(kind))
    if keep:
        body["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    if short:
        body["spec"]["names"]["shortNames"] = [short]
    return body


def short_names(namespace: Namespace, kind: Kind) -> Any:
    return namespace.found(CRD, f"hats.{kind.group}")["spec"]["names"].get("shortNames")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_definition_that_moves_to_the_templates(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, hat: Kind
) -> None:
    it, name = helm(version), f"hats.{hat.group}"
    old = chart(tmp_path, {"place": PLACE}, crds={"hats": defined(hat)})
    new = chart(tmp_path, {"place": PLACE, "hats": defined(hat, keep=True, short="ht")})
    it.install("shop", old).expect_ok()
    uid = namespace.uid(CRD, name)
    assert findings(it, old, new) == [f"PL203 {name}"]
    refused = it.upgrade("shop", new)
    assert "invalid ownership metadata" in refused.stderr
    it.upgrade("shop", new, filter=Filter(("--adopt=unmanaged",))).expect_ok()
    assert short_names(namespace, hat) == ["ht"]
    it.run("uninstall", "shop").expect_ok()
    assert namespace.uid(CRD, name) == uid


@pytest.mark.parametrize("version", VERSIONS)
def test_a_definition_that_moves_to_the_folder(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, hat: Kind
) -> None:
    it, name = helm(version), f"hats.{hat.group}"
    old = chart(tmp_path, {"place": PLACE, "hats": defined(hat)})
    kept = chart(tmp_path, {"place": PLACE, "hats": defined(hat, keep=True)})
    new = chart(tmp_path, {"place": PLACE}, crds={"hats": defined(hat)})
    it.install("shop", old).expect_ok()
    assert findings(it, old, new) == [f"PL203 {name}"]
    it.upgrade("shop", new).expect_ok()
    assert gone(namespace, CRD, name)
    it.upgrade("shop", kept).expect_ok()
    uid = namespace.uid(CRD, name)
    assert findings(it, kept, new) == []
    it.upgrade("shop", new).expect_ok()
    assert namespace.uid(CRD, name) == uid


@pytest.mark.parametrize("version", VERSIONS)
def test_a_definition_in_the_folder_that_changes(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, hat: Kind
) -> None:
    it = helm(version)
    old, new = (
        chart(tmp_path, {"place": PLACE}, crds={"hats": body}) for body in (defined(hat), defined(hat, short="ht"))
    )
    it.install("shop", old).expect_ok()
    assert findings(it, old, new) == [f"PL208 hats.{hat.group}"]
    it.upgrade("shop", new).expect_ok()
    assert short_names(namespace, hat) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_claim_that_leaves(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    claim, kept = (manifest(CLAIM, name, SPEC, keep=keep) for name, keep in (("data", False), ("kept", True)))
    misspelt = manifest(CLAIM, "spelt", SPEC, keep="Keep")
    old = chart(tmp_path, {"place": PLACE, "claim": claim, "kept": kept, "spelt": misspelt})
    new = chart(tmp_path, {"place": PLACE})
    it.install("shop", old).expect_ok()
    assert findings(it, old, new) == ["PL201 data", "PL201 spelt"]
    it.upgrade("shop", new).expect_ok()
    assert [gone(namespace, CLAIM, name) for name in ("data", "kept", "spelt")] == [True, False, True]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hook_that_becomes_part_of_the_release(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    it = helm(version)
    hook = manifest(CONFIG_MAP, "settings", {"a": "b"}, annotations={"helm.sh/hook": "pre-install,pre-upgrade"})
    managed = manifest(CONFIG_MAP, "settings", {"a": "b"})
    old, new = (chart(tmp_path, {"place": PLACE, "settings": body}) for body in (hook, managed))
    it.install("shop", old).expect_ok()
    assert findings(it, old, new) == ["PL209 settings"]
    refused = it.upgrade("shop", new)
    assert "invalid ownership metadata" in refused.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_an_object_that_becomes_a_hook(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    hook = manifest(CONFIG_MAP, "settings", {"a": "b"}, annotations={"helm.sh/hook": "pre-install,pre-upgrade"})
    managed = manifest(CONFIG_MAP, "settings", {"a": "b"})
    old, new = (chart(tmp_path, {"place": PLACE, "settings": body}) for body in (managed, hook))
    it.install("shop", old).expect_ok()
    assert findings(it, old, new) == ["PL209 settings"]
    it.upgrade("shop", new).expect_ok()
    assert gone(namespace, CONFIG_MAP, "settings")
    it.upgrade("shop", new).expect_ok()
    assert not gone(namespace, CONFIG_MAP, "settings")


def test_immutable_fields_are_those_that_the_server_refuses(namespace: Namespace) -> None:
    """Each change is sent as a dry run. What lint lets pass, the server takes; what lint finds, it refuses."""
    wrong = {}
    for number, (name, (kind, old, new)) in enumerate(changes().items()):
        before, after = ({"apiVersion": kind.api_version, "kind": kind.kind, **body} for body in (old, new))
        for body in (before, after):
            body["metadata"] = {"name": f"{namespace.name}-{number}"[-30:].lstrip("-")}
        live = namespace.create(before, kind)
        first, second = (yaml.safe_dump(body).encode() for body in (before, after))
        stream, other = renderings(first, second, namespace.name)
        found = list(immutable_field.check(Facts(other, before=Facts(stream))))
        refused = rejected(namespace, kind, live, updated(before, after))
        namespace.api.request("DELETE", kind.path(namespace.name, live["metadata"]["name"]))
        if bool(found) != bool(refused):
            wrong[name] = refused or [each.text for each in found]
    assert wrong == {}, "\n".join(f"{name}: {text}" for name, text in wrong.items())


def updated(before: Object, after: Object) -> Object:
    """The JSON merge patch that Helm would send: what left is null."""
    patch: Object = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            patch[name] = updated(old, new)
        elif old != new:
            patch[name] = new
    return {name: value for name, value in patch.items() if value != {}}


def rejected(namespace: Namespace, kind: Kind, live: Object, patch: Object) -> str:
    """Why the server refuses the patch; "" if it takes it."""
    path = kind.path(namespace.name, live["metadata"]["name"])
    try:
        namespace.api.request("PATCH", path, patch, content_type=MERGE_PATCH, query={"dryRun": "All"})
    except ApiError as error:
        if error.status == 422:
            return str(error)
        raise
    return ""


def gone(namespace: Namespace, kind: Kind, name: str) -> bool:
    """Whether it was deleted: no controller runs here that would finish it."""
    live = namespace.get(kind, name)
    return live is None or "deletionTimestamp" in live["metadata"]


def pods(image: str = "a:1", **more: object) -> Object:
    spec = {"containers": [{"name": "a", "image": image}], **more}
    return {"metadata": {"labels": {"app": "a"}}, "spec": spec}


def stateful(**more: object) -> Object:
    template = {"metadata": {"name": "data"}, "spec": SPEC}
    base = {"serviceName": "a", "selector": CHOSEN, "template": pods(), "volumeClaimTemplates": [template]}
    return {"spec": {**base, **more}}


def changes() -> dict[str, tuple[Kind, Object, Object]]:
    """Per case a kind, and an object before and after."""
    job = {"template": pods(restartPolicy="Never")}
    ports = {"ports": [{"port": 80}], "selector": {"app": "a"}}
    set_a = {"matchLabels": {"app": "a", "b": "c"}}
    both = pods()
    both["metadata"]["labels"] = {"app": "a", "b": "c"}
    template = {"metadata": {"name": "data"}, "spec": {**SPEC, "volumeMode": "Filesystem"}}
    labelled = {"metadata": {"name": "data", "labels": {"a": "b"}}, "spec": SPEC}
    larger = {**SPEC, "resources": {"requests": {"storage": "2Gi"}}}
    written = {**SPEC, "resources": {"requests": {"storage": "1024Mi"}}}
    role = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}}
    return {
        "a selector": (
            DEPLOYMENT,
            {"spec": {"selector": CHOSEN, "template": both}},
            {"spec": {"selector": set_a, "template": both}},
        ),
        "replicas": (
            DEPLOYMENT,
            {"spec": {"selector": CHOSEN, "template": pods()}},
            {"spec": {"selector": CHOSEN, "template": pods("b:1"), "replicas": 2}},
        ),
        "a DaemonSet's selector": (
            Kind("apps", "v1", "DaemonSet", "daemonsets"),
            {"spec": {"selector": CHOSEN, "template": both}},
            {"spec": {"selector": set_a, "template": both}},
        ),
        "a service": (STATEFUL_SET, stateful(), stateful(serviceName="b")),
        "a policy": (STATEFUL_SET, stateful(), stateful(podManagementPolicy="Parallel")),
        "a policy's default": (STATEFUL_SET, stateful(), stateful(podManagementPolicy="OrderedReady")),
        "revisions": (STATEFUL_SET, stateful(), stateful(revisionHistoryLimit=3)),
        "ordinals": (STATEFUL_SET, stateful(), stateful(ordinals={"start": 1}, minReadySeconds=3, replicas=2)),
        "retention": (
            STATEFUL_SET,
            stateful(),
            stateful(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Retain"}),
        ),
        "a template's claims": (STATEFUL_SET, stateful(), stateful(volumeClaimTemplates=[labelled])),
        "a template's mode": (STATEFUL_SET, stateful(), stateful(volumeClaimTemplates=[template])),
        "a template's size": (
            STATEFUL_SET,
            stateful(),
            stateful(volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": larger}]),
        ),
        "a template's kind": (
            STATEFUL_SET,
            stateful(),
            stateful(
                volumeClaimTemplates=[
                    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": SPEC}
                ]
            ),
        ),
        "a Job's image": (JOB, {"spec": job}, {"spec": {"template": pods("b:1", restartPolicy="Never")}}),
        "a Job's defaults": (
            JOB,
            {"spec": job},
            {
                "spec": {
                    "template": pods(
                        restartPolicy="Never",
                        dnsPolicy="ClusterFirst",
                        schedulerName="default-scheduler",
                        terminationGracePeriodSeconds=30,
                    ),
                    "completionMode": "NonIndexed",
                }
            },
        ),
        "a Job's deadline": (JOB, {"spec": job}, {"spec": {**job, "activeDeadlineSeconds": 5, "parallelism": 2}}),
        "a Job's completions": (JOB, {"spec": job}, {"spec": {**job, "completions": 2}}),
        "one completion": (JOB, {"spec": job}, {"spec": {**job, "completions": 1}}),
        "a Job's mode": (
            JOB,
            {"spec": {**job, "completions": 2}},
            {"spec": {**job, "completions": 2, "completionMode": "Indexed"}},
        ),
        "headless": (SERVICE, {"spec": ports}, {"spec": {**ports, "clusterIP": "None"}}),
        "no more headless": (SERVICE, {"spec": {**ports, "clusterIP": "None"}}, {"spec": ports}),
        "an external name": (
            SERVICE,
            {"spec": {**ports, "clusterIP": "None"}},
            {"spec": {"type": "ExternalName", "externalName": "a.example.com"}},
        ),
        "a type": (SERVICE, {"spec": ports}, {"spec": {**ports, "type": "NodePort"}}),
        "a balancer's class": (
            SERVICE,
            {"spec": {**ports, "type": "LoadBalancer", "loadBalancerClass": "example.com/a"}},
            {"spec": {**ports, "type": "LoadBalancer", "loadBalancerClass": "example.com/b"}},
        ),
        "a role": (ROLE_BINDING, role, {"roleRef": {**role["roleRef"], "name": "b"}}),
        "subjects": (
            ROLE_BINDING,
            role,
            {**role, "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "a"}]},
        ),
        "a claim's class": (
            CLAIM,
            {"spec": {**SPEC, "storageClassName": "a"}},
            {"spec": {**SPEC, "storageClassName": "b"}},
        ),
        "a claim's modes": (CLAIM, {"spec": SPEC}, {"spec": {**SPEC, "accessModes": ["ReadWriteMany"]}}),
        "a claim's mode": (CLAIM, {"spec": SPEC}, {"spec": {**SPEC, "volumeMode": "Filesystem"}}),
        "a claim's notation": (CLAIM, {"spec": SPEC}, {"spec": written}),
        "a smaller claim": (CLAIM, {"spec": larger}, {"spec": SPEC}),
        "a Secret's type": (SECRET, {}, {"type": "example.com/a"}),
        "a Secret's own type": (SECRET, {}, {"type": "Opaque"}),
        "a Secret's data": (
            SECRET,
            {"immutable": True, "data": {"a": "YQ=="}},
            {"immutable": True, "data": {"a": "Yg=="}},
        ),
        "a ConfigMap no more immutable": (
            CONFIG_MAP,
            {"immutable": True, "data": {"a": "b"}},
            {"data": {"a": "b"}},
        ),
        "a StorageClass": (STORAGE, {"provisioner": "a"}, {"provisioner": "a", "parameters": {"a": "b"}}),
        "a StorageClass's default": (
            STORAGE,
            {"provisioner": "a"},
            {"provisioner": "a", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
        ),
        "a StorageClass's expansion": (
            STORAGE,
            {"provisioner": "a"},
            {"provisioner": "a", "allowVolumeExpansion": True},
        ),
        "a priority": (PRIORITY, {"value": 1}, {"value": 2}),
        "a priority's default": (PRIORITY, {"value": 1}, {"value": 1, "preemptionPolicy": "PreemptLowerPriority"}),
        "a controller": (
            Kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False),
            {"spec": {"controller": "example.com/a"}},
            {"spec": {"controller": "example.com/b"}},
        ),
        "a handler": (
            Kind("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", namespaced=False),
            {"handler": "a"},
            {"handler": "b"},
        ),
    }
