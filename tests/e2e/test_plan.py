"""``postrender plan`` for a chart: what it says, held against what Helm with the filter then does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import RUN_WITHIN, Filter, Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, SECRET, STABLE_SHIRT, Kind, definition
from tests.tools.assets import KUBERNETES

pytestmark = pytest.mark.one_in(3)

PASSING = ("managedFields", "resourceVersion", "generation")

LOOKS_UP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: looked-up
data:
  seen: {{ (lookup "v1" "ConfigMap" .Release.Namespace "seen").data | toJson | quote }}
  upgrade: {{ .Release.IsUpgrade | quote }}
  server: {{ .Capabilities.KubeVersion.Version | quote }}
  shirts: {{ .Capabilities.APIVersions.Has "stable.example.com/v1/Shirt" | quote }}
"""


def plan(it: Helm, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return postrender(it, "plan", *arguments, "--helm", str(it.binary), "-n", it.namespace)


def postrender(it: Helm, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        (str(executable(it.home)), *arguments),
        env=it.env,
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=RUN_WITHIN,
    )


def planned(it: Helm, place: Path, code: int, *arguments: str) -> Any:
    """The plan of a chart for release ``r`` as JSON."""
    done = plan(it, "r", str(place), "--detailed-exitcode", "-o", "json", *arguments)
    assert done.returncode == code, (done.stdout + done.stderr).decode()
    return json.loads(done.stdout)


def unreached(it: Helm, report: Any) -> Any:
    """The plan with its hints as a plan from a file has them, which does not know how the cluster is reached."""
    flag = f" --kubeconfig {it.env['KUBECONFIG']}"
    for each in report["objects"]:
        for finding in each["findings"]:
            for hint in finding["hints"]:
                hint["command"] = hint["command"].replace(flag, "")
    return report


def told(report: Any, field: str) -> dict[str, Any]:
    return {each["name"].split("/")[0] + "/" + each["object"]["name"]: each[field] for each in report["objects"]}


def plain(body: Object) -> Object:
    return {**body, "metadata": {key: value for key, value in body["metadata"].items() if key not in PASSING}}


def shop(folder: Path, color: str = "blue", port: str = "8080") -> Path:
    return chart(
        folder,
        {
            "0-secret": manifest(SECRET, "db", {"password": "aHVudGVyMg=="}),
            "1-config": manifest(CONFIG_MAP, "config", {"port": port}),
            "2-beta": manifest(BETA_SHIRT, "shirt", {"color": color}, keep=True),
            "3-stable": manifest(STABLE_SHIRT, "shirt", {"color": "green"}, keep=True),
        },
    )


KINDS: dict[str, Kind] = {
    "configmaps/config": CONFIG_MAP,
    "shirts.beta.example.com/shirt": BETA_SHIRT,
    "shirts.stable.example.com/shirt": STABLE_SHIRT,
}


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_what_is_planned_is_what_happens(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    place = shop(tmp_path)
    it.install("r", place).expect_ok()
    it.uninstall("r").expect_ok()
    report = planned(it, place, 10)
    assert report["about"]["action"] == "install"
    assert told(report, "ownership")["shirts.beta.example.com/shirt"]["standing"] == "ours-kept"
    assert told(report, "prediction")["configmaps/config"]["request"] == "create"
    assert "hunter2" not in json.dumps(report)
    assert "aHVudGVyMg" not in json.dumps(report)
    it.install("r", place, filter=True).expect_ok()
    live = {name: plain(namespace.found(kind, name.split("/")[1])) for name, kind in KINDS.items()}
    after = told(report, "after")
    for name in KINDS:
        if told(report, "prediction")[name]["request"] == "create":
            wanted = after[name]
            assert live[name]["metadata"]["labels"] == wanted["metadata"]["labels"]
            assert live[name].get("data") == wanted.get("data")
        elif after[name] is not None:
            assert after[name] == live[name]
    # What was stamped to be adopted is the release's own now, and a label that was withheld comes: one upgrade more,
    # and there is nothing left to do. Helm 4 withholds none, since it applies to what it adopts.
    withheld = it.major == 3
    again = planned(it, place, 10 if withheld else 0)
    assert (again["about"]["action"], again["about"]["revision"]) == ("upgrade", 1)
    assert {each["object"]["kind"] for each in again["objects"] if each["changing"]} == (
        {"Shirt"} if withheld else set()
    )
    changed = [change["path"] for each in again["objects"] for change in each["prediction"]["changes"]]
    assert all(path == ["metadata", "labels", "postrender/group-kind"] for path in changed)
    it.upgrade("r", place, filter=True).expect_ok()
    assert planned(it, place, 0)["outcome"] == "unchanged"


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_an_upgrade_changes_what_the_plan_says(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.install("r", shop(tmp_path), filter=True).expect_ok()
    report = planned(it, shop(tmp_path, port="9090"), 10)
    changing = [name for name, changes in told(report, "changing").items() if changes]
    assert changing == ["configmaps/config"]
    it.upgrade("r", shop(tmp_path, port="9090"), filter=True).expect_ok()
    after = told(report, "after")["configmaps/config"]
    if after is not None:
        assert after == plain(namespace.found(CONFIG_MAP, "config"))


@pytest.mark.parametrize(("version", "seen"), [("3.12.3", "{}"), ("3.21.4", '{"a":"b"}'), ("4.3.1", '{"a":"b"}')])
def test_a_chart_sees_the_cluster(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, seen: str
) -> None:
    it = helm(version)
    namespace.create(manifest(CONFIG_MAP, "seen", {"a": "b"}), CONFIG_MAP)
    place = chart(tmp_path, {"looks-up": LOOKS_UP})
    data = told(planned(it, place, 10), "desired")["configmaps/looked-up"]["data"]
    assert data["seen"] == seen.replace("{}", "null" if version == "3.12.3" else "{}")
    assert data["upgrade"] == "false"
    assert data["server"] == f"v{KUBERNETES}"
    assert data["shirts"] == "true"
    it.install("r", place).expect_ok()
    assert told(planned(it, place, 10), "desired")["configmaps/looked-up"]["data"]["upgrade"] == "true"


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
@pytest.mark.parametrize("former", ["orphan", "unmanaged", "foreign"])
def test_a_chart_that_meets_objects_of_others_is_planned(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, former: str
) -> None:
    it = helm(version)
    place = shop(tmp_path)
    if former == "unmanaged":
        namespace.create(manifest(BETA_SHIRT, "shirt", {"color": "blue"}), BETA_SHIRT)
    else:
        it.install("old", chart(tmp_path, {"shirt": manifest(BETA_SHIRT, "shirt", {"color": "blue"}, keep=True)}))
    if former == "orphan":
        it.uninstall("old").expect_ok()
    code = {"orphan": "PR102", "unmanaged": "PR103", "foreign": "PR101"}[former]
    report = planned(it, place, 4)
    assert {each["code"] for each in told(report, "findings")["shirts.beta.example.com/shirt"]} >= {code}
    assert told(report, "ownership")["shirts.beta.example.com/shirt"]["standing"] == former
    file = tmp_path / "live.yaml"
    done = postrender(it, "snapshot", "r", str(place), "--helm", str(it.binary), "-n", it.namespace)
    assert done.returncode == 0, done.stderr.decode()
    file.write_bytes(done.stdout)
    elsewhere = planned(it, place, 4, "--live", str(file))
    assert told(unreached(it, elsewhere), "findings") == told(unreached(it, report), "findings")
    if former == "foreign":
        return
    adopt = {"orphan": "orphans", "unmanaged": "unmanaged"}[former]
    report = planned(it, place, 10, "--adopt", adopt)
    it.install("r", place, filter=Filter((f"--adopt={adopt}",))).expect_ok()
    after = told(report, "after")["shirts.beta.example.com/shirt"]
    assert after is None or after == plain(namespace.found(BETA_SHIRT, "shirt"))


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_a_chart_that_brings_its_own_kinds_is_planned(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    it = helm(version)
    new = Kind("new.example.com", "v1", "Hat", "hats")
    place = chart(tmp_path, {"hat": manifest(new, "hat", {"color": "red"})}, crds={"hats": definition(new)})
    done = plan(it, "r", str(place), "--detailed-exitcode", "-o", "json")
    assert done.returncode == 10, done.stderr.decode()
    assert told(json.loads(done.stdout), "prediction")["hats.new.example.com/hat"]["request"] == "create"
    note = (
        "warning: the cluster does not serve the kinds that this chart brings itself, so it was rendered with "
        "--dry-run=client: lookup in templates found nothing"
    )
    assert (note in done.stderr.decode().splitlines()) is (version == "4.3.1")


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_what_to_type_shows_why_a_chart_is_not_rendered(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    it = helm(version)
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ .Values.a }}: b}\n"
    place = chart(tmp_path, {"broken": broken})
    (tmp_path / "some values.yaml").write_text("a: '{'\n")
    given = (f"--values={tmp_path}/some values.yaml", "--set", "password=hunter2")
    done = plan(it, "r", str(place), *given, "--kubeconfig", it.env["KUBECONFIG"])
    assert done.returncode == 3
    said = done.stderr.decode()
    assert "hunter2" not in said
    (command,) = [line.removeprefix("hint: ") for line in said.splitlines() if line.startswith("hint: ")]
    assert "note: with the same --set\n" in said
    again = subprocess.run(
        ["sh", "-c", command], env={**it.env, "KUBECONFIG": ""}, cwd="/", capture_output=True, timeout=RUN_WITHIN
    )
    assert b"data: {a: {: b}" in again.stdout + again.stderr


def test_a_cluster_that_does_not_answer(helm: HelmFactory, tmp_path: Path) -> None:
    it = helm("3.21.4")
    done = plan(it, "r", str(shop(tmp_path)), "--kube-apiserver", "http://127.0.0.1:1")
    assert done.returncode == 5
    assert done.stdout == b""
    assert b"no connection to the server" in done.stderr


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_helm_does_what_was_planned_or_nothing(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    hook = manifest(CONFIG_MAP, "hook", {"a": "b"}, annotations={"helm.sh/hook": "pre-upgrade"})
    first = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"port": "1"}), "hook": hook})
    second = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"port": "2"}), "hook": hook})
    it.install("r", first, filter=True).expect_ok()
    file = tmp_path / "plan.json"
    planned(it, second, 10, "--save", str(file))
    held = Filter((f"--plan={file}",))
    namespace.patch(CONFIG_MAP, "a", {"data": {"port": "3"}})
    failed = it.upgrade("r", second, filter=held)
    assert not failed.ok
    if version != "4.3.1":
        assert "was changed since: data.port" in failed.error
    assert namespace.content(CONFIG_MAP, "a") == {"port": "3"}
    assert [each.revision for each in namespace.releases("r") if each.status == "deployed"] == [1]
    # Helm 4 would stop at the field that somebody else set.
    force = ["--force-conflicts"] if version == "4.3.1" else []
    planned(it, second, 10, "--save", str(file), *force)
    it.upgrade("r", second, *force, filter=held).expect_ok()
    assert namespace.content(CONFIG_MAP, "a") == {"port": "2"}


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_a_plan_from_a_snapshot_is_the_plan_from_the_cluster(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    it.env["POSTRENDER_DIGEST_KEY"] = "a key of these tests"
    it.install("r", shop(tmp_path)).expect_ok()
    namespace.patch(SECRET, "db", {"data": {"password": "b3RoZXI="}})
    place = shop(tmp_path, color="red", port="9090")
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(it.template("r", place).expect_ok().stdout)
    common = ("--manifests", str(rendered), "--release", "r", "--helm", str(it.binary), "-n", it.namespace)
    taken = tmp_path / "live.yaml"
    done = postrender(it, "snapshot", *common)
    assert done.returncode == 0, done.stderr
    taken.write_bytes(done.stdout)
    for secret in (b"b3RoZXI=", b"other", b"aHVudGVyMg"):
        assert secret not in done.stdout
    reports = []
    for further in ((), ("--live", str(taken))):
        done = postrender(it, "plan", *common, "--detailed-exitcode", "-o", "json", *further)
        assert done.returncode in (4, 10), done.stderr
        reports.append(unreached(it, json.loads(done.stdout)))
        del reports[-1]["about"]["source"], reports[-1]["about"]["settingsFrom"]
    for one, other in zip(reports[0]["objects"], reports[1]["objects"], strict=True):
        assert one == other
    assert reports[0] == reports[1]
    assert told(reports[0], "prediction")["configmaps/config"]["request"] == ("apply" if it.major == 4 else "patch")
