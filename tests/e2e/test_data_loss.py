"""An upgrade that drops an object with data is refused and says what would go; both ways out do what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.api import ApiError, Namespace, Object, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import CONFIG_MAP, CRD, NAMESPACE, SECRET, SERVICE_ACCOUNT, Kind, definition

pytestmark = pytest.mark.one_in(3)

CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUME = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
STAYS = manifest(CONFIG_MAP, "stays", {"a": "1"})


@dataclass(frozen=True)
class Dropped:
    """An object that leaves a chart: its template, what happens to it while it is installed, and what goes with it.

    ``loss`` is ``""`` where nobody loses by its deletion.
    """

    kind: Kind
    name: str
    template: str | Object
    loss: str
    meanwhile: Callable[[], object] = lambda: None


Case = Callable[[Namespace], Dropped]


def of_definition(count: int) -> Case:
    def made(namespace: Namespace) -> Dropped:
        kind = Kind(f"{namespace.name}.example.com", "v1", "Gadget", "gadgets")

        def used() -> None:
            wait_until(lambda: served(namespace, kind), f"{kind.plural}.{kind.group} to be served")
            for number in range(count):
                namespace.create(manifest(kind, f"g{number}", {"color": "red"}), kind)

        body = definition(kind)
        loss = f"{count} objects of its kind (gadgets.{kind.group})" if count else ""
        return Dropped(CRD, body["metadata"]["name"], body, loss, used)

    return made


def of_namespace(full: bool) -> Case:
    def made(namespace: Namespace) -> Dropped:
        inner = Namespace(namespace.api, f"{namespace.name}-inner")

        def used() -> None:
            inner.create(manifest(CONFIG_MAP, "kube-root-ca.crt", {"a": "1"}), CONFIG_MAP)
            inner.create(manifest(SERVICE_ACCOUNT, "default"), SERVICE_ACCOUNT)
            for name in ("a", "b") if full else ():
                inner.create(manifest(CONFIG_MAP, name, {"a": "1"}), CONFIG_MAP)

        loss = "2 objects in it, 2 of them not of this release" if full else ""
        return Dropped(NAMESPACE, inner.name, manifest(NAMESPACE, inner.name), loss, used)

    return made


def of_claim(policy: str) -> Case:
    def made(namespace: Namespace) -> Dropped:
        name = f"{namespace.name}-v"
        namespace.create(volume(name, policy), VOLUME)
        loss = f"volume {name}, whose reclaim policy is Delete" if policy == "Delete" else ""
        return Dropped(CLAIM, "data", claim("data", volumeName=name), loss)

    return made


def of_volume(phase: str) -> Case:
    def made(namespace: Namespace) -> Dropped:
        name = f"{namespace.name}-v"

        def used() -> None:
            path = f"{VOLUME.path('', name)}/status"
            merge = "application/merge-patch+json"
            namespace.api.request("PATCH", path, {"status": {"phase": phase}}, content_type=merge)

        loss = "its storage: its reclaim policy is Delete" if phase == "Bound" else ""
        return Dropped(VOLUME, name, volume(name, "Delete"), loss, used)

    return made


def of_stateful_set(policy: str) -> Case:
    def made(namespace: Namespace) -> Dropped:
        labels = {"app": "db"}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "x.example.com/a"}]}}
        spec = {
            "serviceName": "db",
            "selector": {"matchLabels": labels},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": policy, "whenScaled": "Retain"},
            "template": pod,
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim("data")["spec"]}],
        }

        def used() -> None:
            owner = {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "name": "db",
                "uid": namespace.uid(STATEFUL_SET, "db"),
            }
            for name in ("data-db-0", "data-db-1", "data-db-other"):
                body = claim(name)
                body["metadata"]["ownerReferences"] = [owner]
                namespace.create(body, CLAIM)

        loss = "2 claims (data-db-0, data-db-1): its retention policy is Delete" if policy == "Delete" else ""
        return Dropped(STATEFUL_SET, "db", manifest(STATEFUL_SET, "db", spec), loss, used)

    return made


def of_secret(password: str) -> Case:
    """A user's name that the template says, and a password."""
    loss = "" if "rand" not in password else "values that templates/dropped.yaml generated and nothing else holds"
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData:\n  user: admin\n  password: "
    return lambda _: Dropped(SECRET, "login", f"{text}{password}\n", loss)


def served(namespace: Namespace, kind: Kind) -> bool:
    """Whether the server takes and lists objects of a new kind."""
    try:
        return namespace.api.get(kind.path(namespace.name)) is not None
    except ApiError:
        return False


def claim(name: str, **spec: str) -> Object:
    size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return manifest(CLAIM, name, {**size, **spec})


def volume(name: str, policy: str) -> Object:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/none"},
        "persistentVolumeReclaimPolicy": policy,
    }
    return manifest(VOLUME, name, spec)


LOSSES: dict[str, Case] = {
    "definition": of_definition(2),
    "namespace": of_namespace(True),
    "claim": of_claim("Delete"),
    "volume": of_volume("Bound"),
    "stateful set": of_stateful_set("Delete"),
    "generated secret": of_secret("{{ randAlphaNum 20 | quote }}"),
}
NONE: dict[str, Case] = {
    "definition": of_definition(0),
    "namespace": of_namespace(False),
    "claim": of_claim("Retain"),
    "volume": of_volume("Available"),
    "stateful set": of_stateful_set("Retain"),
    "given secret": of_secret('{{ .Values.password | default "p4ss" | quote }}'),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", LOSSES)
def test_it_is_refused_and_kept_as_advised(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, case: str, version: str
) -> None:
    it, dropped = helm(version), LOSSES[case](namespace)
    without = chart(tmp_path, {"stays": STAYS})
    it.install("shop", chart(tmp_path, {"stays": STAYS, "dropped": dropped.template}), filter=True).expect_ok()
    dropped.meanwhile()
    refused = it.upgrade("shop", without, filter=True)
    assert refused.exit_code != 0
    assert f"leaves the chart, and Helm would delete it with {dropped.loss} (PR406)" in refused.stderr
    before = namespace.found(dropped.kind, dropped.name)
    assert before["metadata"].get("deletionTimestamp") is None
    keep = re.search(r"hint: (kubectl annotate .*)", refused.stderr)
    assert keep is not None
    command = [str(program("kubectl")), *shlex.split(keep[1])[1:]]
    subprocess.run(command, env=it.env, check=True, capture_output=True)
    it.upgrade("shop", without, filter=True).expect_ok()
    after = namespace.found(dropped.kind, dropped.name)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"].get("deletionTimestamp") is None


@pytest.mark.parametrize("case", LOSSES)
def test_it_is_deleted_where_that_is_allowed(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, case: str
) -> None:
    it, dropped = helm("4.3.2"), LOSSES[case](namespace)
    it.install("shop", chart(tmp_path, {"stays": STAYS, "dropped": dropped.template})).expect_ok()
    dropped.meanwhile()
    done = it.upgrade("shop", chart(tmp_path, {"stays": STAYS}), filter=Filter(("--allow", "PR406"))).expect_ok()
    assert f"Helm would delete it with {dropped.loss} (PR406)" in done.stderr
    live = namespace.get(dropped.kind, dropped.name)
    assert live is None or "deletionTimestamp" in live["metadata"]


@pytest.mark.parametrize("case", NONE)
def test_nothing_is_refused_that_nobody_loses_by(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, case: str
) -> None:
    it, dropped = helm("3.22.0"), NONE[case](namespace)
    it.install("shop", chart(tmp_path, {"stays": STAYS, "dropped": dropped.template})).expect_ok()
    dropped.meanwhile()
    it.upgrade("shop", chart(tmp_path, {"stays": STAYS}), filter=True).expect_ok()
    live = namespace.get(dropped.kind, dropped.name)
    assert live is None or "deletionTimestamp" in live["metadata"]


def test_a_generated_value_that_another_object_holds_is_not_lost(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """The chart renames its Secret, and looks the old value up."""
    it, dropped = helm("3.22.0"), LOSSES["generated secret"](namespace)
    it.install("shop", chart(tmp_path, {"dropped": dropped.template})).expect_ok()
    looked_up = f'{{{{ (lookup "v1" "Secret" "{namespace.name}" "login").data.password }}}}'
    renamed = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: other}}\ndata:\n  password: {looked_up}\n"
    it.upgrade("shop", chart(tmp_path, {"renamed": renamed}), filter=True).expect_ok()
    assert namespace.get(SECRET, "login") is None
