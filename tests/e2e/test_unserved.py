"""Removed APIs in stored manifests: how each Helm fails, what is predicted, and what the fix makes of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.killing import UNSERVED, Interruption, repaired_after
from tests.e2e.kinds import CONFIG_MAP, DISRUPTION_BUDGET, SECRET, Kind
from tests.e2e.removed_apis import FAILS, forget_discovery, out_of_service, racks, store
from tests.e2e.test_unpin import postrender

INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses")
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs")
AUTOSCALER = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")


class Racks:
    """A release with two revisions that name a version of a CRD which is out of service by now."""

    def __init__(self, plane: ControlPlane, namespace: Namespace, it: Helm, folder: Path) -> None:
        self.old, self.new = racks(plane, namespace)
        self.first, self.second = (
            chart(
                folder,
                {
                    "rack": manifest(self.old, "rack", {"color": color, "size": "M"}),
                    "cm": manifest(CONFIG_MAP, "cm", {"color": color}),
                },
            )
            for color in ("blue", "green")
        )
        self.third = chart(
            folder,
            {"rack": manifest(self.new, "rack", {"color": "red"}), "cm": manifest(CONFIG_MAP, "cm", {"color": "red"})},
        )
        it.install("r", self.first).expect_ok()
        it.upgrade("r", self.second).expect_ok()
        out_of_service(plane, self.old)
        forget_discovery(it)


def unserved(it: Helm, *arguments: str, code: int = 0) -> str:
    done = postrender(it, "unserved", "r", *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


@pytest.mark.parametrize("version", VERSIONS)
class TestACustomVersionOutOfService:
    def test_every_helm_fails_and_the_filter_says_so_first(
        self, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        racks_ = Racks(control_plane, namespace, it, tmp_path)
        before = namespace.releases("r")
        assert FAILS in it.upgrade("r", racks_.third).error
        refused = it.upgrade("r", racks_.third, filter=True)
        assert not refused.ok
        told = " ".join(refused.stderr.split())
        sentence = (
            f"racks.{racks_.old.group}/{namespace.name}/rack: revision 2 stores it as {racks_.old.api_version}, which "
            "the API server no longer serves: Helm would fail to build kubernetes objects from the current release "
            "manifest (PR508)"
        )
        plan = postrender(
            it, "plan", str(racks_.third), "--release", "r", "--helm", str(it.binary), "--action", "upgrade"
        )
        shown = " ".join(f"{plan.stdout}{plan.stderr}".split())
        hint = f"postrender unserved r -n {namespace.name} --fix"
        if it.major == 3:
            assert sentence in told
            assert f"hint: {hint}" in told
        assert "(PR508)" in shown or "PR508" in shown
        assert hint in shown
        assert namespace.releases("r") == before
        assert namespace.content(racks_.new, "rack") == {"color": "green", "size": "M"}
        # With the code allowed Helm itself says it.
        assert FAILS in it.upgrade("r", racks_.third, filter=Filter(("--allow=PR508",))).error
        uninstalled = it.uninstall("r")
        assert not uninstalled.ok
        assert "failed to delete release: r" in uninstalled.error
        assert namespace.content(racks_.new, "rack") == {"color": "green", "size": "M"}
        assert [each.status for each in namespace.releases("r")] == ["superseded", "uninstalling"]
        unserved(it, "--fix")
        it.uninstall("r").expect_ok()
        assert namespace.get(racks_.new, "rack") is None

    def test_fixed_the_next_upgrade_rollback_and_uninstall_work(
        self, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        racks_ = Racks(control_plane, namespace, it, tmp_path)
        before = namespace.releases("r")
        said = unserved(it, "--detailed-exitcode", code=10)
        row = f"racks.{racks_.old.group}/{namespace.name}/rack  {racks_.old.api_version}  {racks_.new.api_version}\n"
        assert f"1         superseded  {row}2         deployed    {row}" in said
        assert "note: helm upgrade, helm uninstall, helm rollback fail: unable to build kubernetes objects\n" in said
        fixed = unserved(it, "--fix", "--detailed-exitcode")
        assert "2 revisions, 2 changed.\n" in fixed
        after = namespace.releases("r")
        for old, new in zip(before, after, strict=True):
            assert new.manifest == old.manifest.replace(racks_.old.api_version, f'"{racks_.new.api_version}"')
            assert {**new.body, "manifest": ""} == {**old.body, "manifest": ""}
        it.upgrade("r", racks_.third, filter=True).expect_ok()
        assert namespace.content(racks_.new, "rack") == {"color": "red"}
        assert namespace.content(CONFIG_MAP, "cm") == {"color": "red"}
        it.rollback("r", 1).expect_ok()
        assert namespace.content(racks_.new, "rack") == {"color": "blue", "size": "M"}
        it.uninstall("r").expect_ok()
        assert namespace.get(racks_.new, "rack") is None

    def test_a_failed_rollback_is_predicted_by_revision(
        self, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        racks_ = Racks(control_plane, namespace, it, tmp_path)
        store(namespace, "r", 2, namespace.releases("r")[1].manifest.replace("v1beta1", "v1"))
        assert "note: helm rollback to revision 1 fails: unable to build kubernetes objects\n" in unserved(it)
        rolled = it.rollback("r", 1)
        assert "unable to build kubernetes objects from new release manifest" in rolled.error
        # It leaves a revision that stops every other command of Helm.
        assert [each.status for each in namespace.releases("r")] == ["superseded", "deployed", "pending-rollback"]
        assert FAILS in it.rollback("r", 2).error
        assert "revision 3 is pending-rollback: a running Helm may write it again" in unserved(it, "--fix")
        it.rollback("r", 2).expect_ok()
        assert namespace.content(racks_.new, "rack") == {"color": "green", "size": "M"}


@pytest.mark.parametrize("point", UNSERVED, ids=str)
def test_killed_at_any_request_nothing_is_lost_and_a_repeat_goes_on(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, point: Interruption
) -> None:
    repaired_after(helm("3.22.0"), namespace, control_plane, tmp_path, point)


CURRENT: list[Object] = [
    manifest(
        INGRESS,
        "web",
        {
            "defaultBackend": {"service": {"name": "fallback", "port": {"number": 80}}},
            "rules": [
                {
                    "host": "a.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "ImplementationSpecific",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ],
        },
    ),
    manifest(DISRUPTION_BUDGET, "web", {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}),
    manifest(
        CRON_JOB,
        "web",
        {
            "schedule": "1 * * * *",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]},
                    }
                }
            },
        },
    ),
    manifest(
        AUTOSCALER,
        "web",
        {
            "minReplicas": 1,
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        },
    ),
]
"""What a server of today holds of objects that were installed under removed APIs."""

pytestmark = pytest.mark.one_in(3)


def changed(objects: list[Object], *, fallback: bool) -> list[Object]:
    """The next chart: every object changes, and without ``fallback`` the Ingress has no default backend."""
    ingress, budget, cron_job, autoscaler = json.loads(json.dumps(objects))
    ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "next"
    if not fallback:
        del ingress["spec"]["defaultBackend"]
    budget["spec"]["minAvailable"] = 2
    cron_job["spec"]["schedule"] = "2 * * * *"
    autoscaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 70
    autoscaler["spec"]["maxReplicas"] = 5
    return [ingress, budget, cron_job, autoscaler]


def as_stored_then(objects: list[Object]) -> str:
    """The manifest that was stored under the removed APIs, in their shape, with a policy that is gone altogether."""
    ingress, budget, cron_job, autoscaler = json.loads(json.dumps(objects))
    ingress["apiVersion"], budget["apiVersion"] = "extensions/v1beta1", "policy/v1beta1"
    cron_job["apiVersion"], autoscaler["apiVersion"] = "batch/v1beta1", "autoscaling/v2beta1"
    path = ingress["spec"]["rules"][0]["http"]["paths"][0]
    ingress["spec"]["backend"] = {"serviceName": "fallback", "servicePort": 80}
    del ingress["spec"]["defaultBackend"], path["pathType"]
    path["backend"] = {"serviceName": "web", "servicePort": 80}
    autoscaler["spec"]["metrics"][0]["resource"] = {"name": "cpu", "targetAverageUtilization": 50}
    policy = {"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": {"name": "web"}, "spec": {}}
    return "".join(f"---\n{yaml.safe_dump(each)}" for each in (ingress, budget, cron_job, autoscaler, policy))


def by_name(objects: list[Object]) -> dict[str, str | Object]:
    return {each["kind"].lower(): each for each in objects}


@pytest.mark.parametrize("fallback", [True, False], ids=["same fields", "a field leaves"])
@pytest.mark.parametrize("version", VERSIONS)
def test_kinds_of_kubernetes_come_out_as_the_next_chart_says(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, fallback: bool
) -> None:
    it = helm(version)
    it.install("r", chart(tmp_path, by_name(CURRENT))).expect_ok()
    store(namespace, "r", 1, as_stored_then(CURRENT))
    after = chart(tmp_path, by_name(changed(CURRENT, fallback=fallback)))
    assert FAILS in it.upgrade("r", after).error
    said = unserved(it, "--fix")
    assert "removed" in said
    assert "note: policy/v1beta1 PodSecurityPolicy: Kubernetes 1.25 removed the kind\n" in said
    done = it.upgrade("r", after, filter=Filter(("--on-drift=apply",))).expect_ok()
    it.install("fresh", chart(tmp_path, by_name(named(changed(CURRENT, fallback=fallback))))).expect_ok()
    for kind in (INGRESS, DISRUPTION_BUDGET, CRON_JOB, AUTOSCALER):
        assert namespace.content(kind, "web") == namespace.content(kind, "fresh"), done.stderr
    # The served Ingress has no serviceName.
    name = f"ingresses.extensions/{namespace.name}/web"
    assert f"note: helm rollback to revision 1 will be rejected, because the fields of {name} do not fit " in said
    rolled = it.rollback("r", 1)
    assert not rolled.ok
    if it.major == 3:
        assert 'Ingress.networking.k8s.io "web" is invalid' in said
        assert 'Ingress.networking.k8s.io "web" is invalid' in rolled.error
    else:
        unknown = '"spec.rules[0].http.paths[0].backend.serviceName"'
        assert f"unknown field {unknown}" in said
        assert f"server-side apply failed for object {namespace.name}/web networking.k8s.io/v1" in rolled.error
        assert "field not declared in schema" in rolled.error


def named(objects: list[Object]) -> list[Object]:
    return [{**each, "metadata": {"name": "fresh"}} for each in objects]


def test_the_copy_puts_the_release_back(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.22.0")
    it.install("r", chart(tmp_path, by_name(CURRENT))).expect_ok()
    store(namespace, "r", 1, as_stored_then(CURRENT))
    before = namespace.releases("r")
    unserved(it, "--fix", "--backup", str(tmp_path / "old.json"))
    assert namespace.releases("r") != before
    (secret,) = json.loads((tmp_path / "old.json").read_text())["items"]
    namespace.api.request("PUT", SECRET.path(namespace.name, secret["metadata"]["name"]), secret)
    assert namespace.releases("r") == before


def test_who_may_update_secrets_may_fix_it_and_others_change_nothing(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    helm("3.22.0").install("r", chart(tmp_path, {"cm": manifest(CONFIG_MAP, "cm", {"a": "1"})})).expect_ok()
    store(namespace, "r", 1, "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n")
    before = namespace.releases("r")
    reader = control_plane.user(namespace, [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}])
    done: subprocess.CompletedProcess[str] = postrender(helm("3.22.0", reader), "unserved", "r", "--fix")
    assert (done.returncode, done.stdout) == (5, "")
    assert "it could not be given a new payload for revision 1: no right to update secrets (403)" in done.stderr
    assert namespace.releases("r") == before
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "update"]}
    writer = control_plane.user(namespace, [rule], name="writer")
    done = postrender(helm("3.22.0", writer), "unserved", "r", "--fix")
    assert (done.returncode, done.stderr) == (0, "")
    assert namespace.releases("r")[0].manifest == before[0].manifest.replace("policy/v1beta1", '"policy/v1"')
