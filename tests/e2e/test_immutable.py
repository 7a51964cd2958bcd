"""Immutable fields: each Helm fails, the filter stops first, and the commands of the page lose nothing."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.api import MERGE_PATCH, ApiError, Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.helm import Helm, HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import DEPLOYMENT, ROLE_BINDING, SERVICE, SERVICE_ACCOUNT, Kind
from tools.pages import DOCS

PAGE = DOCS / "immutable-fields.md"
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets")
JOB = Kind("batch", "v1", "Job", "jobs")
POD = Kind("", "v1", "Pod", "pods")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUME = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
OWNED = (REPLICA_SET, POD, CLAIM)
"""Kinds that controllers make for others."""

pytestmark = pytest.mark.one_in(3)


def commands(kind: str) -> str:
    """The commands of the page's section about a kind."""
    found = re.search(rf"^## {kind}: .*?^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, kind
    return found[1]


def template(app: str = "web", image: str = "a") -> Object:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "a", "image": image}]}}


def deployment(app: str) -> Object:
    return manifest(DEPLOYMENT, "web", {"selector": {"matchLabels": {"app": app}}, "template": template(app)})


def stateful_set(service: str, size: str) -> Object:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    spec = {
        "serviceName": service,
        "selector": {"matchLabels": {"app": "db"}},
        "template": template("db"),
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    return manifest(STATEFUL_SET, "db", spec)


def job(image: str) -> Object:
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": image}]}}}
    return manifest(JOB, "migrate", spec)


def service(**more: object) -> Object:
    return manifest(SERVICE, "web", {"selector": {"app": "web"}, "ports": [{"port": 80}], **more})


def binding(role: str) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
    return {
        **manifest(ROLE_BINDING, "web"),
        "roleRef": reference,
        "subjects": [{"kind": "ServiceAccount", "name": "web"}],
    }


def claim(class_: str) -> Object:
    spec = {
        "storageClassName": class_,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return manifest(CLAIM, "data", spec)


@dataclass(frozen=True)
class Case:
    """An object before and after the change, and what a controller would have made for it."""

    kind: Kind
    before: list[Object]
    after: list[Object]
    error: str
    made: Callable[[Namespace, Object], None] = lambda *_: None
    stays: tuple[tuple[Kind, str], ...] = ()
    left: Callable[[Namespace], None] = lambda *_: None
    hint: str = ""
    name: str = field(default="web")


def owned(namespace: Namespace, kind: Kind, name: str, owner: Object, spec: Object, labels: dict[str, str]) -> Object:
    """Make an object that belongs to another one, as its controller does."""
    reference = {name: owner[name] for name in ("apiVersion", "kind")}
    reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}
    body = manifest(kind, name, spec, labels=labels)
    body["metadata"]["ownerReferences"] = [{**reference, "blockOwnerDeletion": True}]
    return namespace.create(body, kind)


def of_deployment(namespace: Namespace, live: Object) -> None:
    labels = {"app": "old"}
    spec = {"selector": {"matchLabels": labels}, "template": template("old")}
    replicas = owned(namespace, REPLICA_SET, "web-1", live, spec, labels)
    owned(namespace, POD, "web-1-a", replicas, template("old")["spec"], labels)


def of_stateful_set(namespace: Namespace, live: Object) -> None:
    owned(namespace, POD, "db-0", live, template("db")["spec"], {"app": "db"})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    owned(namespace, CLAIM, "data-db-0", live, spec, {"app": "db"})


def of_job(namespace: Namespace, live: Object) -> None:
    owned(namespace, POD, "migrate-a", live, {"restartPolicy": "Never", **template()["spec"]}, {"job-name": "migrate"})
    now = "2026-01-01T00:00:00Z"
    condition = {"status": "True", "lastTransitionTime": now, "lastProbeTime": now}
    status = {
        "startTime": now,
        "completionTime": now,
        "succeeded": 1,
        "uncountedTerminatedPods": {},
        "conditions": [{"type": "SuccessCriteriaMet", **condition}, {"type": "Complete", **condition}],
    }
    path = f"{JOB.path(namespace.name, 'migrate')}/status"
    namespace.api.request("PATCH", path, {"status": status}, content_type=MERGE_PATCH)


def of_claim(namespace: Namespace, live: Object) -> None:
    """A volume that is bound to the claim, and would be deleted with it."""
    name = f"{namespace.name}-v"
    reference = {"kind": "PersistentVolumeClaim", "namespace": namespace.name, "name": "data"}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "slow",
        "persistentVolumeReclaimPolicy": "Delete",
        "hostPath": {"path": "/data"},
        "claimRef": {**reference, "uid": live["metadata"]["uid"]},
    }
    namespace.create(manifest(VOLUME, name, spec), VOLUME)
    namespace.patch(CLAIM, "data", {"spec": {"volumeName": name}})
    path = f"{CLAIM.path(namespace.name, 'data')}/status"
    namespace.api.request("PATCH", path, {"status": {"phase": "Bound"}}, content_type=MERGE_PATCH)


def volume_is_reserved(namespace: Namespace) -> None:
    spec = namespace.content(VOLUME, f"{namespace.name}-v")
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    reserved = {"kind": "PersistentVolumeClaim", "namespace": namespace.name, "name": "data"}
    assert spec["claimRef"] == reserved
    assert namespace.content(CLAIM, "data")["storageClassName"] == spec["storageClassName"] == "fast"


def old_pods_are_left_to_their_command(namespace: Namespace) -> None:
    assert namespace.get(REPLICA_SET, "web-1") is None
    assert namespace.content(DEPLOYMENT, "web")["selector"] == {"matchLabels": {"app": "new"}}


def headless(namespace: Namespace) -> None:
    assert namespace.content(SERVICE, "web")["clusterIP"] == "None"


def has_node_port(namespace: Namespace) -> None:
    spec = namespace.content(SERVICE, "web")
    assert (spec["type"], spec["clusterIP"] == "None") == ("NodePort", False)


def refers_to_new(namespace: Namespace) -> None:
    assert namespace.content(ROLE_BINDING, "web")["name"] == "new"


def has_new_template(namespace: Namespace) -> None:
    assert namespace.content(JOB, "migrate")["template"]["spec"]["containers"][0]["image"] == "b"


def has_new_claims(namespace: Namespace) -> None:
    spec = namespace.content(STATEFUL_SET, "db")
    assert spec["serviceName"] == "new"
    assert spec["volumeClaimTemplates"][0]["spec"]["resources"] == {"requests": {"storage": "2Gi"}}


CASES = {
    "Deployment": Case(
        DEPLOYMENT,
        [deployment("old")],
        [deployment("new")],
        "field is immutable",
        of_deployment,
        ((POD, "web-1-a"),),
        old_pods_are_left_to_their_command,
        "kubectl delete deployments.apps/web -n NS --cascade=orphan",
    ),
    "StatefulSet": Case(
        STATEFUL_SET,
        [stateful_set("old", "1Gi")],
        [stateful_set("new", "2Gi")],
        "updates to statefulset spec for fields other than",
        of_stateful_set,
        ((POD, "db-0"), (CLAIM, "data-db-0")),
        has_new_claims,
        "kubectl delete statefulsets.apps/db -n NS --cascade=orphan",
        "db",
    ),
    "Job": Case(
        JOB,
        [job("a")],
        [job("b")],
        "field is immutable",
        of_job,
        ((POD, "migrate-a"),),
        has_new_template,
        "kubectl delete jobs.batch/migrate -n NS --cascade=orphan",
        "migrate",
    ),
    "Service": Case(
        SERVICE,
        [service()],
        [service(clusterIP="None")],
        "may not change once set",
        left=headless,
        hint="kubectl delete services/web -n NS",
    ),
    "Service without a cluster IP": Case(
        SERVICE,
        [service(clusterIP="None")],
        [service(type="NodePort")],
        "may not be set to 'None' for NodePort services",
        left=has_node_port,
        hint="postrender explain PR307",
    ),
    "RoleBinding": Case(
        ROLE_BINDING,
        [binding("old")],
        [binding("new")],
        "cannot change roleRef",
        left=refers_to_new,
        hint="kubectl delete rolebindings.rbac.authorization.k8s.io/web -n NS",
    ),
    "PersistentVolumeClaim": Case(
        CLAIM,
        [deployment("web"), claim("slow")],
        [deployment("web"), claim("fast")],
        "spec is immutable after creation",
        of_claim,
        left=volume_is_reserved,
        hint="postrender explain PR307",
        name="data",
    ),
}


@contextmanager
def controllers(namespace: Namespace) -> Iterator[None]:
    """What the garbage collector and the protection of claims do to objects that are being deleted.

    ``orphanDependents`` (k8s.io/kubernetes 1.34, pkg/controller/garbagecollector/garbagecollector.go) takes the owner
    out of all dependents, and then its own finalizer.
    """
    over = threading.Event()

    def act() -> None:
        while not over.wait(0.1):
            for kind in (DEPLOYMENT, STATEFUL_SET, JOB, CLAIM):
                for live in namespace.api.request("GET", kind.path(namespace.name))["items"]:
                    if live["metadata"].get("deletionTimestamp"):
                        release(namespace, kind, live)

    acting = threading.Thread(target=act)
    acting.start()
    try:
        yield
    finally:
        over.set()
        acting.join()


def release(namespace: Namespace, kind: Kind, live: Object) -> None:
    """Take an object that is being deleted out of its dependents, and let it go."""
    uid = live["metadata"]["uid"]
    for other in OWNED:
        for each in namespace.api.request("GET", other.path(namespace.name))["items"]:
            owners = each["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == uid for owner in owners):
                rest = [owner for owner in owners if owner["uid"] != uid]
                namespace.patch(other, each["metadata"]["name"], {"metadata": {"ownerReferences": rest or None}})
    try:
        namespace.patch(kind, live["metadata"]["name"], {"metadata": {"finalizers": None}})
    except ApiError as error:
        if error.status != 404:
            raise


def typed(it: Helm, text: str, place: Path) -> None:
    """Run the commands of the page in this Helm's namespace, with its chart and its way to name a post-renderer."""
    command, environ = it.command(filter=True)
    renderer = command[command.index("--post-renderer") + 1]
    text = text.replace("-n shop", f"-n {it.namespace}").replace("./chart", str(place))
    text = text.replace("--post-renderer postrender", f"--post-renderer {renderer}")
    (it.home / "bin").mkdir(exist_ok=True)
    for name, target in (("helm", it.binary), ("kubectl", program("kubectl"))):
        link = it.home / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    environ = {**environ, "PATH": f"{it.home / 'bin'}{os.pathsep}{environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", text], env=environ, cwd=it.home, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CASES)
def test_the_filter_stops_before_helm_fails_and_the_commands_lose_nothing(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, name: str, version: str
) -> None:
    it, case = helm(version), CASES[name]
    namespace.create(manifest(SERVICE_ACCOUNT, "default"), SERVICE_ACCOUNT)
    before, after = (
        chart(tmp_path, {each["kind"].lower(): each for each in objects}) for objects in (case.before, case.after)
    )
    it.install("shop", before).expect_ok()
    first = namespace.found(case.kind, case.name)
    case.made(namespace, first)
    kept = {(kind.plural, each): namespace.uid(kind, each) for kind, each in case.stays}
    stored = namespace.releases("shop")

    refused = it.upgrade("shop", after, filter=True)
    assert not refused.ok
    told = " ".join((refused.stderr + reported(it)).split())
    assert "(PR307)" in told
    assert case.error in told
    assert case.hint.replace("NS", namespace.name) in told
    assert namespace.releases("shop") == stored
    assert namespace.uid(case.kind, case.name) == first["metadata"]["uid"]

    with controllers(namespace):
        typed(it, commands(name), after)
    now = namespace.found(case.kind, case.name)
    assert now["metadata"]["uid"] != first["metadata"]["uid"]
    assert {(kind.plural, each): namespace.uid(kind, each) for kind, each in case.stays} == kept
    case.left(namespace)
    assert [each.status for each in namespace.releases("shop")] == ["superseded", "deployed"]


@pytest.mark.parametrize("name", CASES)
def test_helm_alone_fails_half_way(helm: HelmFactory, namespace: Namespace, tmp_path: Path, name: str) -> None:
    """So that the page shows what users search for."""
    it, case = helm("3.22.0"), CASES[name]
    before, after = (
        chart(tmp_path, {each["kind"].lower(): each for each in objects}) for objects in (case.before, case.after)
    )
    it.install("shop", before).expect_ok()
    if case.kind == CLAIM:
        case.made(namespace, namespace.found(case.kind, case.name))
    error = " ".join(it.upgrade("shop", after).error.split())
    (shown,) = re.findall(rf"^## {name}: .*?^```text\n(.*?)\n^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert " ".join(shown.split()) in error


def reported(it: Helm) -> str:
    """The report files: Helm 4 does not show what a plugin prints."""
    folder = Path(it.env["XDG_STATE_HOME"]) / "postrender" / "reports"
    return "".join(path.read_text() for path in folder.rglob("*.txt"))
