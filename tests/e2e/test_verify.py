"""``postrender verify`` on a real control plane, behind real Helms."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster.client import Cluster, connect
from postrender.errors import ClusterError
from postrender.models import Connection, ReleaseName
from postrender.operations.verify import State, repaired, verify
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE, STABLE_SHIRT

VERSIONS = ("3.12.3", "3.21.4", "4.3.1")

CONTAINER = {
    "name": "web",
    "image": "nginx:1",
    "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
    "ports": [{"containerPort": 80}],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
}
POD = {"hostNetwork": False, "terminationGracePeriodSeconds": 30, "containers": [CONTAINER]}
WEB = {
    "replicas": 2,
    "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}, "creationTimestamp": None}, "spec": POD},
}


def many(folder: Path) -> Path:
    """A chart of what real charts hold: values the server writes otherwise, defaults, nothing, plain Secret values."""
    secret = {**manifest(SECRET, "token"), "stringData": {"password": "s3cr3t", "number": "12"}, "type": "Opaque"}
    return chart(
        folder,
        {
            "a": manifest(DEPLOYMENT, "web", WEB),
            "b": manifest(SERVICE, "web", {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80}]}),
            "c": secret,
            "d": manifest(CONFIG_MAP, "settings", {"a": "1", "b": "2"}),
            "e": manifest(STABLE_SHIRT, "shirt", {"color": "blue", "tags": ["a", "b"], "nothing": None}),
        },
    )


def run(it: Helm, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(executable(it.home)), *arguments],
        env=it.env,
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=180,
        text=True,
    )


def verification(it: Helm, release: str = "r") -> dict[str, Any]:
    done = run(it, "verify", release, "-n", it.namespace, "--detailed-exitcode", "-o", "json")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["summary"]["inSync"] == len(found["objects"]) else 10)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {each["object"].replace(f"/{each['namespace']}", ""): each["state"] for each in found["objects"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_just_installed_is_in_sync(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("r", many(tmp_path)).expect_ok()
    before = {kind.kind: namespace.resource_version(kind, "web") for kind in (DEPLOYMENT, SERVICE)}
    assert set(states(verification(it)).values()) == {"inSync"}
    assert {kind.kind: namespace.resource_version(kind, "web") for kind in (DEPLOYMENT, SERVICE)} == before


@pytest.mark.parametrize("version", VERSIONS)
def test_what_others_changed_is_shown_and_mended(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("r", many(tmp_path)).expect_ok()
    namespace.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}, "metadata": {"labels": {"theirs": "stays"}}})
    namespace.patch(SECRET, "token", {"data": {"password": "cGxhbnRlZC00NzEx", "more": "bW9yZQ=="}})
    namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"color": "red", "size": "stays", "tags": ["a"]}})
    namespace.delete(CONFIG_MAP, "settings")
    found = verification(it)
    assert states(found) == {
        "services/web": "inSync",
        "secrets/token": "drifted",
        "configmaps/settings": "missing",
        "deployments.apps/web": "drifted",
        "shirts.stable.example.com/shirt": "drifted",
    }
    changed = {
        each["name"] + "." + ".".join(map(str, one["path"])) for each in found["objects"] for one in each["changes"]
    }
    assert changed == {"web.spec.replicas", "token.data.password", "shirt.spec.color", "shirt.spec.tags"}
    assert "cGxhbnRlZC00NzEx" not in json.dumps(found)
    done = run(it, "verify", "r", "-n", it.namespace, "--detailed-exitcode", "--fix", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "planted" not in done.stdout
    assert "s3cr3t" not in done.stdout
    assert set(states(verification(it)).values()) == {"inSync"}
    assert namespace.content(DEPLOYMENT, "web")["replicas"] == 2
    assert namespace.labels(DEPLOYMENT, "web")["theirs"] == "stays"
    assert namespace.content(SECRET, "token")["more"] == "bW9yZQ=="
    assert namespace.content(STABLE_SHIRT, "shirt") == {
        "color": "blue",
        "size": "stays",
        "tags": ["a", "b"],
        "nothing": None,
    }
    assert namespace.content(CONFIG_MAP, "settings") == {"a": "1", "b": "2"}
    it.upgrade("r", many(tmp_path)).expect_ok()


@pytest.mark.parametrize("version", ["3.21.4", "4.3.1"])
def test_after_a_fix_helm_can_change_the_same_fields(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("r", chart(tmp_path, {"a": manifest(STABLE_SHIRT, "shirt", {"color": "blue"})})).expect_ok()
    namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"color": "red"}}, manager="kubectl-edit")
    assert run(it, "verify", "r", "-n", it.namespace, "--fix", "--yes").returncode == 0
    it.upgrade("r", chart(tmp_path, {"a": manifest(STABLE_SHIRT, "shirt", {"color": "green"})})).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green"}


def test_what_is_someone_elses_is_never_written(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.21.4")
    it.install("r", many(tmp_path)).expect_ok()
    it.install("other", chart(tmp_path, {"a": manifest(CONFIG_MAP, "else", {"a": "1"})})).expect_ok()
    taken = {"annotations": {"meta.helm.sh/release-name": "other"}}
    namespace.patch(CONFIG_MAP, "settings", {"metadata": taken, "data": {"a": "9"}})
    bare = {"labels": {"app.kubernetes.io/managed-by": None}}
    namespace.patch(STABLE_SHIRT, "shirt", {"metadata": bare, "spec": {"color": "red"}})
    found = {each["name"]: each for each in verification(it)["objects"]}
    assert found["settings"]["state"] == found["shirt"]["state"] == "someoneElses"
    assert found["settings"]["reason"] == f"it is owned by installed release {it.namespace}/other"
    done = run(it, "verify", "r", "-n", it.namespace, "--detailed-exitcode", "--fix", "--yes")
    assert done.returncode == 10
    assert namespace.content(CONFIG_MAP, "settings")["a"] == "9"
    assert namespace.content(STABLE_SHIRT, "shirt")["color"] == "red"


@pytest.mark.parametrize("version", ["3.21.4", "4.3.1"])
def test_an_object_that_changes_between_the_look_and_the_fix_is_not_written(
    control_plane: ControlPlane, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("r", chart(tmp_path, {"a": manifest(CONFIG_MAP, "settings", {"a": "1"})})).expect_ok()
    namespace.patch(CONFIG_MAP, "settings", {"data": {"a": "2"}})
    cluster: Cluster = connect(Connection(kubeconfig=str(control_plane.kubeconfig)))
    (seen,) = verify(cluster, ReleaseName(namespace.name, "r"), "secret").objects
    assert seen.state is State.DRIFTED
    namespace.patch(CONFIG_MAP, "settings", {"data": {"a": "3"}})
    with pytest.raises(ClusterError) as refused:
        repaired(cluster, seen)
    assert "it changed since it was read, so it was not restored to the stored manifest" in str(refused.value)
    assert namespace.content(CONFIG_MAP, "settings") == {"a": "3"}


def test_who_may_only_look_is_told_that_it_was_not_confirmed(
    control_plane: ControlPlane, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    helm("3.21.4").install("r", chart(tmp_path, {"a": manifest(CONFIG_MAP, "c", {"a": "1"})})).expect_ok()
    namespace.patch(CONFIG_MAP, "c", {"data": {"a": "2"}})
    rule = {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list"]}
    it = helm("3.21.4", control_plane.user(namespace, [rule]))
    (found,) = verification(it)["objects"]
    assert (found["state"], found["confirmed"]) == ("drifted", False)
    assert "no right to patch configmaps (403)" in found["reason"]
    done = run(it, "verify", "r", "-n", it.namespace, "--detailed-exitcode", "--fix", "--yes")
    assert done.returncode == 10
    assert namespace.content(CONFIG_MAP, "c") == {"a": "2"}


def test_all_releases_as_a_table(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.21.4")
    it.install("a", chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"a": "1"})})).expect_ok()
    it.install("b", chart(tmp_path, {"a": manifest(CONFIG_MAP, "b", {"a": "1"})})).expect_ok()
    namespace.delete(CONFIG_MAP, "b")
    done = run(it, "verify", "--all", "-n", it.namespace)
    name = namespace.name
    assert done.stdout == (
        f"{'RELEASE':{len(name) + 2}}  REVISION  OBJECTS  STATE\n"
        f"{name}/a         1        1  in sync\n"
        f"{name}/b         1        1  1 missing\n"
        "2 releases, 1 in sync\n"
    )
