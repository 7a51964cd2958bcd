"""``stringData`` of Secrets, which the API server stores in ``data``: compared, announced and removed as such.

The judge is the API server: the same chart, installed by the same Helm into an empty namespace.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_secrets_stay import WORD, leaks, packed
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, Run, executable
from tests.e2e.kinds import SECRET
from tests.e2e.test_run import run

OLD, NEW, TOKEN = (f"{WORD}-{each}" for each in ("old", "new", "token"))
CASES: dict[str, tuple[Object, Object]] = {
    "changed": ({"stringData": {"k": OLD}}, {"stringData": {"k": NEW}}),
    "same": ({"stringData": {"k": OLD}}, {"stringData": {"k": OLD}}),
    "key-left": ({"stringData": {"k": OLD, "token": TOKEN}}, {"stringData": {"k": OLD}}),
    "key-left-and-changed": ({"stringData": {"k": OLD, "token": TOKEN}}, {"stringData": {"k": NEW}}),
    "all-left": ({"stringData": {"token": TOKEN}}, {"type": "Opaque"}),
    "to-string-data": ({"data": {"k": packed(OLD)}}, {"stringData": {"k": OLD}}),
    "to-data": ({"stringData": {"k": OLD}}, {"data": {"k": packed(NEW)}}),
    "left-data": ({"data": {"k": packed(OLD), "token": packed(TOKEN)}}, {"stringData": {"k": OLD}}),
    "in-both": (
        {"data": {"k": packed(OLD)}, "stringData": {"k": NEW}},
        {"data": {"k": packed(OLD)}, "stringData": {"k": NEW}},
    ),
    "null": ({"stringData": {"token": TOKEN}}, {"stringData": None, "data": {"k": packed(OLD)}}),
    "null-data": ({"stringData": {"k": OLD, "token": TOKEN}}, {"data": None, "stringData": {"k": NEW}}),
    "null-value": ({"stringData": {"k": OLD, "token": TOKEN}}, {"stringData": {"k": OLD, "token": None}}),
    "null-in-both": (
        {"data": {"token": packed(OLD)}, "stringData": {"token": TOKEN}},
        {"data": {"token": packed(OLD)}, "stringData": {"token": None}},
    ),
}
"""What the Secrets say before and after."""
LEFT = ("key-left", "key-left-and-changed", "all-left", "null", "null-data")
"""Cases in which ``token`` leaves ``stringData``."""
NUMBERS = itertools.count(1)
HELMS = {
    "3.12.3": ("3.12.3",),
    "3.21.4": ("3.21.4",),
    "4.3.1": ("4.3.1",),
    "4.3.1 client-side": ("4.3.1", "--server-side=false"),
}


def secrets(which: int) -> dict[str, Object]:
    note = {"helm.sh/resource-policy": "keep"}
    return {
        name: {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "annotations": note}, **case[which]}
        for name, case in CASES.items()
    }


def values(namespace: Namespace) -> dict[str, Any]:
    return {name: namespace.found(SECRET, name).get("data") or {} for name in CASES}


@dataclass
class Played:
    """What came of one run with the filter: the values after it and after the upgrade, and what was said."""

    now: dict[str, Any]
    later: dict[str, Any]
    objects: dict[str, Any]
    manifest: str
    said: str
    namespace: Namespace

    def texts(self, name: str) -> str:
        """The findings of one Secret."""
        return "\n".join(f"{each['text']} ({each['code']})" for each in self.objects[name]["findings"])


class Stage:
    """The Secrets on one Helm."""

    def __init__(self, helm: str, plane: ControlPlane, folder: Path) -> None:
        self.version, *self.flags = HELMS[helm]
        self.applies = helm == "4.3.1"
        self._plane, self._folder = plane, folder
        self._name = f"strings-{next(NUMBERS)}"
        folder.mkdir(parents=True, exist_ok=True)
        self.old, self.new = chart(folder, secrets(0)), chart(folder, secrets(1))
        it, namespace = self.where("fresh")
        it.install("r", self.new, *self.flags).expect_ok()
        self.fresh = values(namespace)

    def where(self, name: str) -> tuple[Helm, Namespace]:
        namespace = self._plane.namespace(f"{self._name}-{name}")
        binary, home = program(f"helm@{self.version}"), self._folder / name
        return Helm(binary, self.version, home, self._plane.kubeconfig, namespace.name, home / "cache"), namespace

    def started(self, name: str, start: str) -> tuple[Helm, Namespace]:
        """The old Secrets: kept by an uninstall, or of a release that is there."""
        it, namespace = self.where(f"{name}-{start}")
        it.install("r", self.old, *self.flags).expect_ok()
        if start == "kept":
            it.uninstall("r").expect_ok()
        return it, namespace

    def filtered(self, it: Helm, start: str, *args: str) -> tuple[Run, dict[str, Any]]:
        """The run with the filter, and the objects of its report."""
        report = it.home / "report.json"
        report.unlink(missing_ok=True)
        act = it.install if start == "kept" else it.upgrade
        done = act("r", self.new, *self.flags, filter=Filter((*args, "--report", str(report))))
        found = json.loads(report.read_text())["objects"] if report.is_file() else []
        return done, {each["object"]["name"]: each for each in found}

    def played(self, start: str, *args: str) -> tuple[Helm, Played]:
        it, namespace = self.started("-".join(("run", *args)).replace("--", "").replace("=", "-"), start)
        done, objects = self.filtered(it, start, *args)
        done.expect_ok()
        now = values(namespace)
        manifest = it.run("get", "manifest", "r").stdout
        report = (it.home / "report.json").read_text()
        said = done.stdout + done.stderr + report
        later = now
        if "helm upgrade" in report:
            done, _ = self.filtered(it, "upgraded")
            said += done.expect_ok().stderr
            later = values(namespace)
        return it, Played(now, later, objects, manifest, said, namespace)


@pytest.fixture(scope="module", params=HELMS)
def stage(request: pytest.FixtureRequest, control_plane: ControlPlane, tmp_path_factory: Any) -> Stage:
    return Stage(request.param, control_plane, tmp_path_factory.mktemp("strings"))


@pytest.fixture(scope="module", params=("kept", "upgraded"))
def start(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def played(stage: Stage, start: str) -> Played:
    return stage.played(start)[1]


@pytest.mark.parametrize("name", CASES)
def test_the_data_is_as_fresh_after_the_announced_upgrade_or_a_warning_names_the_key(
    stage: Stage, played: Played, name: str
) -> None:
    expected = dict(stage.fresh[name])
    if "does not remove it: data.token (PR313)" in played.texts(name):
        expected["token"] = packed(TOKEN)
    assert played.later[name] == expected


@pytest.mark.parametrize("name", CASES)
def test_what_is_announced_is_what_happens(stage: Stage, start: str, played: Played, name: str) -> None:
    codes = {each["code"] for each in played.objects[name]["findings"]} - {"PR107", "PR319", "PR505"}
    token_stays = "token" in played.now[name] and played.now[name] != stage.fresh[name]
    assert token_stays == (name in codes_of(stage, start))
    assert codes == ({codes_of(stage, start)[name]} if token_stays else set())
    assert set(played.objects[name]["after"].get("data") or {}) == set(played.now[name])


def codes_of(stage: Stage, start: str) -> dict[str, str]:
    """The cases in which ``token`` stays after the run, and what announces it."""
    if stage.applies:
        return dict.fromkeys(LEFT, "PR313")
    code = "PR301" if start == "kept" else "PR310"
    left = (*LEFT, "left-data") if start == "kept" else LEFT
    return dict.fromkeys(left, code)


def test_a_key_is_stored_once(played: Played) -> None:
    """What is stored says no old value in ``data`` beside the new one in ``stringData``."""
    for body in yaml.safe_load_all(played.manifest):
        if body["metadata"]["name"] not in ("in-both", "null-in-both"):
            assert not set(body.get("data") or {}) & set(body.get("stringData") or {}), body["metadata"]["name"]


def test_no_value_is_shown(played: Played) -> None:
    assert "data.token" in played.said
    assert leaks(played.said) == []


def test_with_on_drift_apply_the_data_is_as_fresh_at_once(stage: Stage, start: str) -> None:
    it, played = stage.played(start, "--on-drift=apply")
    assert played.now == stage.fresh
    assert "(PR309)" in played.texts("key-left")
    assert leaks(played.said) == []
    assert states(verified(it)) == {"inSync"}


def test_with_on_drift_fail_nothing_is_changed(stage: Stage, start: str) -> None:
    it, namespace = stage.started("fail", start)
    before = {name: namespace.resource_version(SECRET, name) for name in CASES}
    done, objects = stage.filtered(it, start, "--on-drift=fail")
    assert not done.ok
    assert "data.token" in done.stderr
    refused = {name for name, each in objects.items() if any(f["severity"] == "error" for f in each["findings"])}
    assert refused == set(codes_of(stage, start))
    assert {name: namespace.resource_version(SECRET, name) for name in CASES} == before
    assert leaks(done.stdout, done.stderr) == []


def test_the_first_hint_is_what_removes_the_key(stage: Stage, played: Played) -> None:
    (finding,) = (
        each for each in played.objects["key-left"]["findings"] if each["code"] in ("PR301", "PR310", "PR313")
    )
    if not stage.applies:
        assert finding["hints"][0]["command"].split()[1:3] == ["upgrade", "r"]
        return
    command, _, patch = finding["hints"][0]["command"].partition(" -p=")
    assert command == f"kubectl patch secrets/key-left -n {played.namespace.name} --type=json"
    path = SECRET.path(played.namespace.name, "key-left")
    patch, flags = patch.strip("'").rsplit("' ", 1)
    assert flags.startswith("--kubeconfig ")
    body = json.loads(patch)
    played.namespace.api.request("PATCH", path, body, content_type="application/json-patch+json")
    assert played.namespace.found(SECRET, "key-left")["data"] == stage.fresh["key-left"]


def verify(it: Helm, *flags: str) -> str:
    command = [str(executable(it.home)), "verify", "r", "--namespace", it.namespace, *flags]
    done = subprocess.run(command, env=it.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.stdout, done.stderr
    assert leaks(done.stdout, done.stderr) == []
    return done.stdout


def verified(it: Helm) -> dict[str, Any]:
    found = json.loads(verify(it, "-o", "json"))
    return {each["name"].rpartition("/")[2]: each for each in found["objects"]}


def states(found: dict[str, Any]) -> set[str]:
    return {each["state"] for each in found.values()}


def test_verify_finds_the_key_that_helm_alone_left_and_removes_it(stage: Stage, start: str) -> None:
    it, namespace = stage.started("alone", start)
    (it.install if start == "kept" else it.upgrade)("r", stage.new, *stage.flags).expect_ok()
    wrong = {name for name, data in values(namespace).items() if data != stage.fresh[name]}
    assert set(LEFT) - {"null-data"} <= wrong
    assert {name for name, each in verified(it).items() if each["state"] != "inSync"} == wrong
    verify(it, "--fix", "--yes")
    assert values(namespace) == stage.fresh
    assert states(verified(it)) == {"inSync"}


def test_run_calls_no_secret_in_sync_that_keeps_a_key(stage: Stage) -> None:
    it, namespace = stage.started("whole", "kept")
    done = run(it, "install", "r", str(stage.new), *stage.flags)
    said = done.stdout + done.stderr
    assert leaks(said) == []
    wrong = {name for name, data in values(namespace).items() if data != stage.fresh[name]}
    assert all(f"secrets/{it.namespace}/{name}" in said for name in wrong), said
    assert done.returncode == (0 if not wrong else done.returncode)
