"""Releases in a cluster whose controllers run: Helm waits, rolls back and runs Jobs, and what is deleted goes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace, Object, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, STABLE_SHIRT, Kind
from tests.e2e.pods import NAME, Node

pytestmark = pytest.mark.one_in(3)

JOB = Kind("batch", "v1", "Job", "jobs")


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One with controllers, and a node on which Pods do as their label says."""
    etcd, kube_apiserver, manager = (program(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager"))
    folder = tmp_path_factory.mktemp("users")
    with ControlPlane(etcd, kube_apiserver, folder, manager) as running, Node(running.api):
        yield running


def pods(fate: str, **more: Any) -> Object:
    """A Pod template whose Pods do as ``fate`` says."""
    container = {"name": "web", "image": "web:1"}
    return {
        "metadata": {"labels": {"app": "web", "fate": fate}},
        "spec": {"nodeName": NAME, "containers": [container], **more},
    }


def deployment(fate: str, size: str) -> Object:
    content = {"selector": {"matchLabels": {"app": "web"}}, "template": pods(fate)}
    return manifest(DEPLOYMENT, "web", content, keep=True, annotations={"size": size})


def hook(fate: str) -> Object:
    content = {"backoffLimit": 0, "template": pods(fate, restartPolicy="Never")}
    return manifest(JOB, "prepare", content, annotations={"helm.sh/hook": "pre-install,pre-upgrade"})


def shop(folder: Path, size: str, *, fate: str = "runs", job: str = "succeeds") -> Path:
    """A kept Deployment whose Pods do as ``fate`` says, a kept Shirt of a size, and a Job before both."""
    shirt = manifest(STABLE_SHIRT, "shirt", {"size": size}, keep=True)
    return chart(folder, {"web": deployment(fate, size), "shirt": shirt, "job": hook(job)})


def uids(namespace: Namespace) -> list[str]:
    return [namespace.uid(DEPLOYMENT, "web"), namespace.uid(STABLE_SHIRT, "shirt")]


def sizes(namespace: Namespace) -> list[str]:
    """What the Deployment and the Shirt have of the chart."""
    return [namespace.annotations(DEPLOYMENT, "web")["size"], namespace.content(STABLE_SHIRT, "shirt")["size"]]


def undone(helm: Helm) -> tuple[str, ...]:
    """The flags by which this Helm waits, and takes back what does not become ready."""
    return ("--atomic" if helm.major == 3 else "--rollback-on-failure", "--timeout=6s")


@pytest.mark.parametrize("version", VERSIONS)
def test_helm_waits_until_what_was_kept_is_ready(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("shop", shop(tmp_path, "M"), "--wait", "--timeout=60s", filter=True).expect_ok()
    before = uids(namespace)
    it.uninstall("shop", "--wait").expect_ok()
    again = shop(tmp_path, "L")
    it.install("shop", again, "--wait", "--timeout=60s", filter=True).expect_ok()
    it.upgrade("shop", again, "--wait", "--timeout=60s", filter=True).expect_ok()
    assert uids(namespace) == before
    assert sizes(namespace) == ["L", "L"]
    assert namespace.found(DEPLOYMENT, "web")["status"]["readyReplicas"] == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_that_never_becomes_ready_is_rolled_back(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """After an adoption the rollback applies the manifest that the filter rewrote, whatever is in it."""
    it = helm(version)
    first = shop(tmp_path, "M")
    it.install("shop", first, filter=True).expect_ok()
    it.uninstall("shop").expect_ok()
    it.install("shop", first, "--wait", "--timeout=60s", filter=True).expect_ok()
    before = uids(namespace)
    failed = it.upgrade("shop", shop(tmp_path, "L", fate="never"), *undone(it), filter=True)
    assert not failed.ok
    assert [each.status for each in namespace.releases("shop")] == ["superseded", "failed", "deployed"], failed.stderr
    assert uids(namespace) == before
    assert sizes(namespace) == ["M", "M"]
    it.upgrade("shop", shop(tmp_path, "S"), "--wait", "--timeout=60s", filter=True).expect_ok()
    assert sizes(namespace) == ["S", "S"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_installation_that_never_becomes_ready_leaves_what_was_kept(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """Helm uninstalls it again, which keeps the kept objects: the next installation takes the same ones."""
    it = helm(version)
    it.install("shop", shop(tmp_path, "M"), filter=True).expect_ok()
    it.uninstall("shop").expect_ok()
    before = uids(namespace)
    failed = it.install("shop", shop(tmp_path, "M", job="fails"), *undone(it), filter=True)
    assert not failed.ok
    assert namespace.releases("shop") == []
    assert (uids(namespace), sizes(namespace)) == (before, ["M", "M"])
    it.install("shop", shop(tmp_path, "M"), "--wait", "--timeout=60s", filter=True).expect_ok()
    assert (uids(namespace), sizes(namespace)) == (before, ["M", "M"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_namespace_that_is_being_deleted(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """Its objects are refused as being deleted; once it is gone, an installation makes it anew."""
    it = helm(version)
    it.install("shop", shop(tmp_path, "M"), filter=True).expect_ok()
    it.uninstall("shop").expect_ok()
    namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"finalizers": ["example.com/held"]}})
    namespace.api.request("DELETE", NAMESPACE.path("", namespace.name))
    wait_until(lambda: "deletionTimestamp" in namespace.found(STABLE_SHIRT, "shirt")["metadata"], "the deletion")
    refused = it.install("shop", shop(tmp_path, "M"), filter=True)
    assert not refused.ok
    assert "is being deleted" in refused.stderr
    assert namespace.releases("shop") == []
    namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"finalizers": None}})
    wait_until(lambda: namespace.api.get(NAMESPACE.path("", namespace.name)) is None, "the namespace to be gone")
    it.install("shop", shop(tmp_path, "L"), "--create-namespace", filter=True).expect_ok()
    assert sizes(namespace) == ["L", "L"]


@pytest.mark.parametrize("version", VERSIONS)
def test_keep_does_not_hold_what_an_owner_takes_along(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """A kept object with an owner reference goes with its owner, and the next installation creates it."""
    it = helm(version)
    shirt = manifest(STABLE_SHIRT, "shirt", {"size": "M"}, keep=True)
    folder = chart(tmp_path, {"shirt": shirt, "sizes": manifest(CONFIG_MAP, "sizes", {"a": "b"})})
    it.install("shop", folder, filter=True).expect_ok()
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "sizes", "uid": namespace.uid(CONFIG_MAP, "sizes")}
    namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"ownerReferences": [owner]}})
    before = namespace.uid(STABLE_SHIRT, "shirt")
    it.uninstall("shop").expect_ok()
    wait_until(lambda: namespace.get(STABLE_SHIRT, "shirt") is None, "the Shirt to be collected")
    it.install("shop", folder, filter=True).expect_ok()
    assert namespace.uid(STABLE_SHIRT, "shirt") != before
