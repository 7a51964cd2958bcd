"""What is asked of a real API server before Helm comes: that nothing changes by it, and what it foresees."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from postrender.cluster.client import Cluster, connect
from postrender.cluster.interface import Accepted, Conflict, Conflicts, DryRunRequest, Rejected, Verb
from postrender.models import Connection, GroupVersionKind, ObjectKey, Resource
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory, executable
from tests.e2e.kinds import CONFIG_MAP, ROLE_BINDING, STABLE_SHIRT, Kind


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Cluster:
    return connect(Connection(kubeconfig=str(control_plane.kubeconfig)))


def request(verb: Verb, kind: Kind, namespace: Namespace, body: object, *, force: bool = False) -> DryRunRequest:
    gvk = GroupVersionKind(kind.group, kind.version, kind.kind)
    resource = Resource(gvk, kind.plural, kind.namespaced, False)
    return DryRunRequest(verb, resource, ObjectKey(gvk.group_kind, namespace.name, "a"), body, force)


def test_no_dry_run_writes(control_plane: ControlPlane, cluster: Cluster, namespace: Namespace) -> None:
    before = namespace.apply(manifest(CONFIG_MAP, "a", {"x": "1"}), CONFIG_MAP, "someone")
    whole = manifest(CONFIG_MAP, "a", {"x": "2"})
    version = {"metadata": {**whole["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}}
    asked = [
        request(Verb.APPLY, CONFIG_MAP, namespace, whole),
        request(Verb.APPLY, CONFIG_MAP, namespace, whole, force=True),
        request(Verb.MERGE, CONFIG_MAP, namespace, {"data": {"x": "2"}}),
        request(Verb.STRATEGIC, CONFIG_MAP, namespace, {"data": {"x": "2"}}),
        request(Verb.REPLACE, CONFIG_MAP, namespace, {**whole, **version}),
    ]
    mark = control_plane.audit.mark()
    conflict, *others = cluster.dry_run(asked)
    assert isinstance(conflict, Conflicts)
    assert conflict.conflicts == (Conflict(".data.x", "someone", False),)
    assert [each.live["data"] for each in others if isinstance(each, Accepted)] == [{"x": "2"}] * 4
    requests = control_plane.audit.since(mark, namespace=namespace.name)
    assert [request.query["dryRun"] for request in requests] == ["All"] * len(asked)
    assert control_plane.api.get(CONFIG_MAP.path(namespace.name, "a")) == before


def test_an_immutable_field(cluster: Cluster, namespace: Namespace) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}
    namespace.apply(manifest(ROLE_BINDING, "a", role), ROLE_BINDING, "someone")
    (answer,) = cluster.dry_run([request(Verb.STRATEGIC, ROLE_BINDING, namespace, {"roleRef": {**role, "name": "b"}})])
    assert isinstance(answer, Rejected)
    assert re.search("roleRef: .*(cannot change roleRef|field is immutable)$", answer.message)  # up to 1.34, from 1.37


@pytest.mark.parametrize("version", ["3.21.4", "4.3.1"])
def test_who_may_only_read_is_not_held_up(
    helm: HelmFactory, control_plane: ControlPlane, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """As in a pipeline that looks before another one writes."""
    old, new = (
        chart(tmp_path, {"b": manifest(STABLE_SHIRT, "b", {"size": size}), "a": manifest(CONFIG_MAP, "a", {"x": size})})
        for size in "12"
    )
    admin = helm(version)
    admin.install("shop", old).expect_ok()
    stream = admin.template("shop", new).expect_ok().stdout
    reader = control_plane.user(namespace, [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}])
    mark = control_plane.audit.mark()
    done = subprocess.run(
        [executable(tmp_path), "--release", "shop", "--namespace", namespace.name, "--action", "upgrade"],
        env={
            "HOME": str(tmp_path),
            "KUBECONFIG": str(reader.kubeconfig),
            "POSTRENDER_HELM_VERSION": version,
            "POSTRENDER_KUBE_CONTEXT": "test",
        },
        input=stream.encode(),
        capture_output=True,
        timeout=60,
    )
    told = " ".join(done.stderr.decode().split())
    assert done.returncode == 0, told
    assert (
        "note: no dry run of Helm's requests was possible for "
        f"configmaps/{namespace.name}/a, shirts.stable.example.com/{namespace.name}/b: "
        "no right to patch configmaps (403)"
    ) in told
    asked = control_plane.audit.since(mark, user=reader.name)
    assert [each for each in asked if each.writes] == []
    assert sum(each.verb == "patch" for each in asked) == 2
