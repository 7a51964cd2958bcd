"""Fields that left the chart while the object was kept: after the announced upgrade the object is as a fresh install's.

The judge is the API server: the same chart, installed by the same Helm into an empty namespace.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, Run, executable
from tests.e2e.kinds import SERVICE, SERVICE_ACCOUNT, STABLE_SHIRT, Kind
from tests.tools.assets import KUBERNETES

CASES = yaml.safe_load(Path(__file__).with_suffix("").with_name("left_the_chart.yaml").read_text())
VERSIONS = ("3.12.3", "3.21.4")
PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
SERVER_SET = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "namespace")


def helm_in(namespace: Namespace, version: str, plane: ControlPlane, home: Path) -> Helm:
    return Helm(program(f"helm@{version}"), version, home, plane.kubeconfig, namespace.name, home / "cache")


def name_of(index: int) -> str:
    return f"object-{index}"


def kind_of(manifest: Any) -> Kind:
    group, _, version = manifest["apiVersion"].rpartition("/")
    return Kind(group, version, manifest["kind"], PLURALS.get(manifest["kind"], manifest["kind"].lower() + "s"))


def kept(index: int, manifest: Any) -> Any:
    metadata = manifest.get("metadata") or {}
    annotations = {"helm.sh/resource-policy": "keep"}
    return {**manifest, "metadata": {**metadata, "name": name_of(index), "annotations": annotations}}


def changed(case: Any) -> Any:
    result = copy.deepcopy(case["before"])
    for dotted in case.get("without", ()):
        *path, last = [int(part) if part.isdigit() else part for part in dotted.split(".")]
        del at(result, path)[last]
    for dotted, value in case.get("with", {}).items():
        *path, last = [int(part) if part.isdigit() else part for part in dotted.split(".")]
        at(result, path)[last] = value
    return result


def at(value: Any, path: list[Any]) -> Any:
    for part in path:
        value = value[part]
    return value


def as_wanted(live: Any) -> Any:
    """What is compared: all but what only the server sets or allocates, and the release's namespace."""
    result = copy.deepcopy(live)
    result.pop("status", None)
    for name in SERVER_SET:
        result["metadata"].pop(name, None)
    result["metadata"]["annotations"].pop("meta.helm.sh/release-namespace")
    for name in ("clusterIP", "clusterIPs"):
        result.get("spec", {}).pop(name, None)
    if result["kind"] == "Job":
        for labels in (result["metadata"].get("labels", {}), result["spec"]["template"]["metadata"].get("labels", {})):
            for name in [name for name in labels if "controller-uid" in name]:
                del labels[name]
        result["spec"].pop("selector", None)
    return result


class Stage:
    """All cases on one Helm: fresh, and kept, reinstalled with the filter, and upgraded."""

    def __init__(self, version: str, control_plane: ControlPlane, folder: Path) -> None:
        self._folder, self._control_plane = folder, control_plane
        self._version = version
        self._before = {name_of(i): kept(i, case["before"]) for i, case in enumerate(CASES)}
        self._after = {name_of(i): kept(i, changed(case)) for i, case in enumerate(CASES)}
        where, self.fresh = self._where("fresh")
        where.install("r", self._chart(self._after)).expect_ok()

    def reinstalled(self, name: str, *args: str, alone: bool = False) -> tuple[Helm, Namespace, Run]:
        """Kept by an uninstall without the filter, and installed again with it; or without it, if ``alone``."""
        it, namespace = self._where(name)
        it.install("r", self._chart(self._before)).expect_ok()
        it.uninstall("r").expect_ok()
        env = {"POSTRENDER_REPORT": str(self._folder / f"{name}.txt")}
        return it, namespace, it.install("r", self._chart(self._after), filter=not alone and Filter(args), env=env)

    def verify(self, it: Helm, *flags: str) -> str:
        """What ``postrender verify`` prints of the release."""
        command = [str(executable(it.home)), "verify", "r", "--namespace", it.namespace, *flags]
        done = subprocess.run(command, env=it.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.stdout, done.stderr
        return done.stdout

    def report(self, name: str) -> str:
        """The summary of a reinstall."""
        return (self._folder / f"{name}.txt").read_text()

    def upgraded(self, it: Helm) -> Run:
        return it.upgrade("r", self._chart(self._after), filter=True)

    def _chart(self, objects: Any) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return chart(self._folder, objects)

    def _where(self, name: str) -> tuple[Helm, Namespace]:
        namespace = self._control_plane.namespace(f"left-{name}-{self._version.replace('.', '-')}")
        home, binary = self._folder / name, program(f"helm@{self._version}")
        config = self._control_plane.kubeconfig
        return Helm(binary, self._version, home, config, namespace.name, home / "cache"), namespace


@pytest.fixture(scope="module", params=VERSIONS)
def stage(request: pytest.FixtureRequest, control_plane: ControlPlane, tmp_path_factory: Any) -> Stage:
    """The cases on one Helm, with the fresh installation."""
    return Stage(request.param, control_plane, tmp_path_factory.mktemp("left"))


@pytest.fixture(scope="module")
def stored(stage: Stage) -> tuple[Namespace, str, Namespace]:
    """The objects and the summary after a reinstall, and after the announced upgrade."""
    it, namespace, run = stage.reinstalled("store")
    run.expect_ok()
    report = stage.report("store")
    stage.upgraded(it).expect_ok()
    return stage.fresh, report, namespace


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_after_the_announced_upgrade_the_object_is_as_fresh(stored: Any, index: int) -> None:
    fresh, _, namespace = stored
    kind = kind_of(CASES[index]["before"])
    expected = as_wanted(fresh.found(kind, name_of(index)))
    assert as_wanted(namespace.found(kind, name_of(index))) == expected


def test_the_summary_names_each_field_that_stays_until_the_upgrade(stored: Any) -> None:
    _, report, _ = stored
    said = " ".join(report.split())
    for name, fields in (
        ("object-0", "1 field stays as live until the next helm upgrade: subjects (PR301)"),
        ("object-6", "1 field stays as live until the next helm upgrade: spec.selector.tier (PR301)"),
        (
            "object-10",
            "spec.template.spec.containers.name=app.env.name=B (PR301)",
        ),
    ):
        about = said[said.index(f"/{name}: ") :].partition(" ownership metadata added")[2].partition("/object-")[0]
        assert fields in about


def test_the_summary_names_each_null_that_becomes_a_value(stored: Any) -> None:
    _, report, _ = stored
    said = " ".join(report.split())
    first = next(
        index for index, case in enumerate(CASES) if case["name"] == "a ConfigMap with null for one of its keys"
    )
    for number, fields in ((first, "data.a"), (first + 3, "spec.selector.tier")):
        about = said[said.index(f"/{name_of(number)}: ") :].partition("(PR319)")[0]
        assert about.endswith(f"null is written as the API server stores it in a new object: {fields} ")


def test_with_on_drift_fail_it_is_refused_and_nothing_changes(stage: Stage) -> None:
    _, namespace, run = stage.reinstalled("fail", "--on-drift=fail")
    assert not run.ok
    assert (
        "leave 1 field of the chart unapplied: spec.template.spec.containers.name=app.env.name=B (PR301)" in run.stderr
    )
    assert namespace.releases("r") == []
    binding = namespace.found(kind_of(CASES[0]["before"]), name_of(0))
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "sa", "namespace": "default"}]


@pytest.fixture(scope="module")
def applied(stage: Stage) -> tuple[Namespace, Namespace]:
    """The objects after one reinstall that removes at once what left the chart."""
    _, namespace, run = stage.reinstalled("apply", "--on-drift=apply")
    run.expect_ok()
    return stage.fresh, namespace


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_with_on_drift_apply_the_object_is_as_fresh_at_once(applied: Any, index: int) -> None:
    fresh, namespace = applied
    kind = kind_of(CASES[index]["before"])
    assert as_wanted(namespace.found(kind, name_of(index))) == as_wanted(fresh.found(kind, name_of(index)))


@pytest.fixture(scope="module")
def adopted_before(stage: Stage) -> tuple[Namespace, Namespace]:
    """Reinstalled once by Helm alone, which left the old fields and stores the new chart; then upgraded twice."""
    it, namespace, run = stage.reinstalled("alone", alone=True)
    run.expect_ok()
    stage.upgraded(it).expect_ok()
    stage.upgraded(it).expect_ok()
    return stage.fresh, namespace


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_what_helm_alone_left_behind_goes_with_two_upgrades(adopted_before: Any, index: int) -> None:
    fresh, namespace = adopted_before
    kind = kind_of(CASES[index]["before"])
    assert as_wanted(namespace.found(kind, name_of(index))) == as_wanted(fresh.found(kind, name_of(index)))


def test_verify_lists_what_helm_alone_left_behind_and_removes_it(stage: Stage) -> None:
    it, namespace, run = stage.reinstalled("verify", alone=True)
    run.expect_ok()
    found = json.loads(stage.verify(it, "-o", "json"))
    drifted = {each["name"].rpartition("/")[2] for each in found["objects"] if each["state"] == "drifted"}
    assert drifted == {name_of(index) for index in range(len(CASES)) if differs(stage.fresh, namespace, index)}
    assert len(drifted) > 20
    stage.verify(it, "--fix", "--yes")
    for index, case in enumerate(CASES):
        kind = kind_of(case["before"])
        live, fresh = namespace.found(kind, name_of(index)), stage.fresh.found(kind, name_of(index))
        assert as_wanted(live) == as_wanted(fresh), case["name"]
    found = json.loads(stage.verify(it, "-o", "json"))
    assert {each["state"] for each in found["objects"]} == {"inSync"}


def differs(fresh: Namespace, namespace: Namespace, index: int) -> bool:
    kind = kind_of(CASES[index]["before"])
    return bool(as_wanted(namespace.found(kind, name_of(index))) != as_wanted(fresh.found(kind, name_of(index))))


HOOKS = [
    Kind(
        "admissionregistration.k8s.io",
        "v1",
        f"{sort}WebhookConfiguration",
        f"{sort.lower()}webhookconfigurations",
        namespaced=False,
    )
    for sort in ("Mutating", "Validating")
]
HOOK_NAMES = ("a.example.com", "b.example.com")


def webhooks(kind: Kind, *names: str) -> Any:
    return kept(
        0,
        {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "webhooks": [
                {
                    "name": name,
                    "clientConfig": {"service": {"name": "s", "namespace": "nowhere"}},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "failurePolicy": "Ignore",
                    "rules": [
                        {"apiGroups": ["no.example"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["x"]}
                    ],
                }
                for name in names
            ],
        },
    )


@pytest.mark.parametrize("on_drift", ["store", "apply"])
@pytest.mark.parametrize("kind", HOOKS, ids=[kind.kind for kind in HOOKS])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_webhook_that_left_the_chart_goes_and_a_certificate_of_others_stays(
    version: str, kind: Kind, on_drift: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    namespace = control_plane.namespace(f"hook-{on_drift}-{kind.kind[:3].lower()}-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)
    body = webhooks(kind, *HOOK_NAMES)
    name = body["metadata"]["name"] = namespace.name
    after = {**body, "webhooks": body["webhooks"][:1]}
    helm.install("r", chart(tmp_path, {"hook": body})).expect_ok()
    live = namespace.found(kind, name)["webhooks"]
    for each in live:
        each["clientConfig"]["caBundle"] = "QQ=="
    namespace.patch(kind, name, {"webhooks": live}, manager="cainjector")
    helm.uninstall("r").expect_ok()
    report = tmp_path / "report.txt"
    run = helm.install(
        "r",
        chart(tmp_path, {"hook": after}),
        filter=Filter((f"--on-drift={on_drift}",)),
        env={"POSTRENDER_REPORT": str(report)},
    )
    run.expect_ok()
    if on_drift == "store":
        said = " ".join(report.read_text().split())
        assert "1 field stays as live until the next helm upgrade: webhooks.name=b.example.com (PR301)" in said
        helm.upgrade("r", chart(tmp_path, {"hook": after}), filter=True).expect_ok()
    (left,) = namespace.found(kind, name)["webhooks"]
    assert (left["name"], left["clientConfig"]["caBundle"]) == ("a.example.com", "QQ==")


def summary_of_a_lost_field(helm: Helm, folder: Path, damage: Callable[[], None]) -> str:
    """What the filter says of a kept ServiceAccount that returns without a field, after ``damage`` to the live one."""
    account = manifest(SERVICE_ACCOUNT, "a", keep=True)
    helm.install("r", chart(folder, {"a": {**account, "automountServiceAccountToken": False}})).expect_ok()
    damage()
    helm.uninstall("r").expect_ok()
    report = folder / "report.txt"
    helm.install("r", chart(folder, {"a": account}), filter=True, env={"POSTRENDER_REPORT": str(report)}).expect_ok()
    return " ".join(report.read_text().split())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_field_that_left_is_named_although_the_server_knows_no_field_managers(
    version: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    namespace = control_plane.namespace(f"managers-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)

    def damage() -> None:
        namespace.patch(SERVICE_ACCOUNT, "a", {"metadata": {"managedFields": [{}]}})
        assert "managedFields" not in namespace.found(SERVICE_ACCOUNT, "a")["metadata"]

    said = summary_of_a_lost_field(helm, tmp_path, damage)
    assert "since no field manager owns it: automountServiceAccountToken (PR318)" in said
    assert namespace.found(SERVICE_ACCOUNT, "a")["automountServiceAccountToken"] is False


@pytest.mark.parametrize("version", VERSIONS)
def test_a_field_that_left_is_named_after_a_write_whose_field_managers_the_server_cannot_compute(
    version: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Kubernetes removes ``managedFields`` then; since 1.37 it keeps the earlier ones: Helm still owns the field."""
    namespace = control_plane.namespace(f"lost-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)
    restored = int(KUBERNETES.split(".")[1]) >= 37

    def damage() -> None:
        before = namespace.found(SERVICE_ACCOUNT, "a")["metadata"]["managedFields"]
        # Each element of this list needs a name.
        namespace.patch(SERVICE_ACCOUNT, "a", {"secrets": [{"namespace": "b"}]})
        assert namespace.found(SERVICE_ACCOUNT, "a")["metadata"].get("managedFields") == (before if restored else None)

    said = summary_of_a_lost_field(helm, tmp_path, damage)
    stays = "1 field stays as live until the next helm upgrade: automountServiceAccountToken (PR301)"
    unowned = "since no field manager owns them: secrets, automountServiceAccountToken (PR318)"
    assert (stays in said, unowned in said) == (restored, not restored)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_default_whose_condition_is_gone_is_named_in_an_upgrade_too(
    version: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """A headless Service without a selector gets both address families when it is created, and not by an update."""
    namespace = control_plane.namespace(f"condition-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)
    spec = {"clusterIP": "None", "ports": [{"port": 80}]}
    helm.install("r", chart(tmp_path, {"a": manifest(SERVICE, "a", {**spec, "selector": {"a": "b"}})})).expect_ok()
    report = tmp_path / "report.txt"
    after = chart(tmp_path, {"a": manifest(SERVICE, "a", {**spec, "selector": {}})})
    helm.upgrade("r", after, filter=True, env={"POSTRENDER_REPORT": str(report)}).expect_ok()
    said = " ".join(report.read_text().split())
    assert namespace.found(SERVICE, "a")["spec"]["ipFamilyPolicy"] == "SingleStack"
    assert "since no field manager owns them: spec.ipFamilies, spec.ipFamilyPolicy (PR318)" in said
    helm.upgrade("r", after, "--set", "a=b", filter=True).expect_ok()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_null_that_no_patch_of_helm_sets_is_named(version: str, control_plane: ControlPlane, tmp_path: Path) -> None:
    """A field outside of a schema keeps its null in a new object; a merge patch with a null removes it."""
    namespace = control_plane.namespace(f"null-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)
    before, after = ({"color": "red", "note": {"a": value, "b": "c"}} for value in ("x", None))
    helm.install("r", chart(tmp_path, {"a": manifest(STABLE_SHIRT, "a", before)})).expect_ok()
    report = tmp_path / "report.txt"
    place = chart(tmp_path, {"a": manifest(STABLE_SHIRT, "a", after)})
    helm.upgrade("r", place, filter=True, env={"POSTRENDER_REPORT": str(report)}).expect_ok()
    said = " ".join(report.read_text().split())
    assert "since Helm's patch cannot set null: spec.note.a (PR318)" in said
    hint = re.search(r"kubectl (patch \S+ -n \S+ --type=json -p '.*?')", said)
    assert hint is not None
    assert namespace.content(STABLE_SHIRT, "a") == {"color": "red", "note": {"b": "c"}}
    command = [str(program("kubectl")), *shlex.split(hint[1]), "--kubeconfig", str(control_plane.kubeconfig)]
    subprocess.run(command, check=True, capture_output=True)
    assert namespace.content(STABLE_SHIRT, "a") == after


@pytest.mark.parametrize("version", [*VERSIONS, "4.3.2"])
def test_a_null_in_a_list_does_not_keep_the_rest_of_the_chart_from_an_upgrade(
    version: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """A new object keeps the null, and a merge patch drops it; both are what the chart says."""
    namespace = control_plane.namespace(f"null-in-list-{version.replace('.', '-')}")
    helm = helm_in(namespace, version, control_plane, tmp_path)
    before = {"color": "blue", "list": []}
    after = {"color": "red", "list": [{"a": 1, "b": None}, None, [{"b": None}]]}
    client_side = ("--server-side=false",) if version.startswith("4") else ()
    old, new = (chart(tmp_path, {"a": manifest(STABLE_SHIRT, "a", spec, keep=True)}) for spec in (before, after))
    helm.install("r", old, *client_side).expect_ok()
    helm.uninstall("r").expect_ok()
    report = tmp_path / "report.txt"
    env = {"POSTRENDER_REPORT": str(report)}
    helm.install("r", new, *client_side, filter=True, env=env).expect_ok()
    said = " ".join(report.read_text().split())
    assert "2 fields stay as live until the next helm upgrade: spec.color, spec.list (PR301)" in said
    assert "PR313" not in said
    assert namespace.content(STABLE_SHIRT, "a") == before
    helm.upgrade("r", new, filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "a") == {"color": "red", "list": [{"a": 1}, None, [{}]]}
    helm.upgrade("r", new, filter=True, env=env).expect_ok()
    assert "PR3" not in report.read_text().replace("PR318", "")
