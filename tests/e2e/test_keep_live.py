"""Live values that are kept (``--keep-live``, ``postrender/keep-live``), by real Helms against the real API server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_secrets_stay import WORD, leaks, packed
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory, Run, executable
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import CONFIG_MAP, DEPLOYMENT, SECRET, STABLE_SHIRT
from tests.e2e.test_plan import plan, postrender

LOGIN = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: login
  annotations:
    helm.sh/resource-policy: keep
    {{{{- with .Values.keepLive }}}}
    postrender/keep-live: {{{{ . | quote }}}}
    {{{{- end }}}}
{{{{- if .Values.plain }}}}
stringData:
  password: {WORD}-{{{{ randAlphaNum 20 }}}}
  user: {WORD}-{{{{ .Values.user }}}}
{{{{- else }}}}
data:
  password: {{{{ printf "{WORD}-%s" (randAlphaNum 20) | b64enc }}}} # generated
  user: {{{{ printf "{WORD}-%s" .Values.user | b64enc }}}}
{{{{- end }}}}
"""

NAMED: dict[str, dict[str, Any]] = {
    "flag": {"filter": Filter(("--keep-live=secrets/login:data.password",))},
    "variable": {"filter": True, "env": {"POSTRENDER_KEEP_LIVE": "secret/log*:data.password"}},
    "annotation": {"filter": True, "set": ("--set", "keepLive=data.password")},
    "string data": {
        "filter": Filter(("--keep-live", "secrets/login:stringData.password")),
        "set": ("--set", "plain=true"),
    },
}
"""How the password is named: arguments of a run."""

pytestmark = pytest.mark.one_in(4)


class Login:
    """A release with a kept Secret, whose chart makes a new password each time."""

    def __init__(self, it: Helm, namespace: Namespace, folder: Path, how: dict[str, Any]) -> None:
        self.it, self.namespace = it, namespace
        self.chart = chart(folder, {"login.yaml": LOGIN}, values={"user": "one", "keepLive": "", "plain": False})
        self.set = tuple(how.get("set", ()))
        self.how = {name: value for name, value in how.items() if name != "set"}
        self.said = ""

    def install(self, *flags: str) -> Run:
        return self._done(self.it.install("r", self.chart, *self.set, *flags, **self.how))

    def upgrade(self, *flags: str) -> Run:
        return self._done(self.it.upgrade("r", self.chart, *self.set, *flags, **self.how))

    def _done(self, run: Run) -> Run:
        reports = self.it.home.glob("state/postrender/reports/**/*")
        self.said += run.stderr + "".join(path.read_text() for path in reports if path.is_file())
        return run

    def live(self, key: str = "password") -> str:
        """A value of the live Secret, as it is stored."""
        return str(self.namespace.found(SECRET, "login")["data"][key])

    def stored(self, revision: int = -1) -> dict[str, str]:
        """The data of the Secret in a stored manifest, as the API server would store it."""
        (body,) = yaml.safe_load_all(self.namespace.releases("r")[revision].manifest)
        plain = {key: packed(value) for key, value in (body.get("stringData") or {}).items()}
        return {**(body.get("data") or {}), **plain}


@pytest.fixture(params=NAMED)
def login(request: pytest.FixtureRequest, helm: HelmFactory, version: str, namespace: Namespace, tmp_path: Path) -> Any:
    return Login(helm(version), namespace, tmp_path, NAMED[request.param])


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_generated_password_stays_through_every_later_run(login: Login) -> None:
    login.install().expect_ok()
    first = login.live()
    assert login.stored()["password"] == first
    login.it.uninstall("r").expect_ok()

    login.install("--set", "user=two").expect_ok()
    assert login.live() == first
    assert login.live("user") == packed(f"{WORD}-two")
    assert login.stored() == {"password": first, "user": packed(f"{WORD}-two")}
    for flags in (("--set", "user=three"), ("--reuse-values",)):
        login.upgrade(*flags).expect_ok()
        assert (login.live(), login.live("user")) == (first, packed(f"{WORD}-three"))
    assert [login.stored(revision)["password"] for revision in range(3)] == [first] * 3

    login.it.rollback("r", 1).expect_ok()  # Helm alone: the stored manifest has the live password.
    assert (login.live(), login.live("user")) == (first, packed(f"{WORD}-two"))
    login.it.uninstall("r").expect_ok()
    login.install().expect_ok()
    assert login.live() == first
    assert "kept as live: data.password (PR320)" in login.said
    assert leaks(login.said) == []


def test_without_it_the_password_changes_and_the_warning_names_the_command_that_keeps_it(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, {"filter": True})
    login.install().expect_ok()
    first = login.live()
    login.it.uninstall("r").expect_ok()
    done = plan(login.it, "r", str(login.chart), "--set", "user=two", "--action", "install", "-o", "json")
    (found,) = json.loads(done.stdout)["objects"]
    (hint,) = [each["hints"][0] for each in found["findings"] if each["code"] == "PR505"]
    assert hint["note"] == "to keep the live values, now and in later upgrades"
    run = login.it.install("r", login.chart, filter=Filter())
    assert login.live() != first
    assert "--post-renderer-args=--keep-live=secrets/login:data.password" in run.stderr
    login.it.uninstall("r").expect_ok()

    second = login.live()
    _, environ = login.it.command()
    programs = (login.it.binary, executable(login.it.home))
    environ = {**environ, "PATH": os.pathsep.join([*(str(each.parent) for each in programs), environ["PATH"]])}
    typed = hint["command"].replace("helm ", f"{login.it.binary} ", 1)
    shell = subprocess.run(["sh", "-c", typed], env=environ, cwd=login.it.home, capture_output=True, text=True)
    assert shell.returncode == 0, (typed, shell.stdout, shell.stderr)
    assert login.live() == second
    assert leaks(done.stdout, done.stderr, run.stderr, shell.stderr) == []


def test_a_plan_says_what_is_kept_and_foresees_what_comes(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, NAMED["annotation"])
    login.install().expect_ok()
    login.it.uninstall("r").expect_ok()
    arguments = ("r", str(login.chart), *login.set, "--set", "user=two")
    key = {"POSTRENDER_DIGEST_KEY": "0123456789abcdef"}
    login.it.env.update(key)
    before = json.loads(plan(login.it, *arguments, "-o", "json").stdout)["objects"][0]
    assert before["keptLive"] == ["data.password"]
    assert "keep-live" in before["actions"]
    texts = {each["code"]: each["text"] for each in before["findings"]}
    assert set(texts) == {"PR107", "PR320", "PR505"}
    assert texts["PR505"].startswith("the chart changes user; ")
    assert before["live"]["data"]["password"] == before["emitted"]["data"]["password"]
    for output in ("text", "markdown", "html", "json", "yaml"):
        done = plan(login.it, *arguments, "-o", output, "--verbose")
        assert b"kept as live: data.password" in done.stdout
        assert leaks(done.stdout, done.stderr) == []
    login.install("--set", "user=two").expect_ok()
    after = json.loads(plan(login.it, *arguments, "-o", "json").stdout)["objects"][0]
    assert after["live"]["data"] == before["after"]["data"] if before["after"] else before["emitted"]["data"]
    assert not after["changing"]
    verified = postrender(login.it, "verify", "r", "-n", login.it.namespace)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert leaks(verified.stdout, verified.stderr) == []


@pytest.mark.parametrize("version", ["3.12.3", "4.3.2"])
def test_a_plan_from_a_snapshot_is_the_plan_of_the_cluster(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, NAMED["string data"])
    login.install().expect_ok()
    login.it.env["POSTRENDER_DIGEST_KEY"] = "0123456789abcdef"
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(login.it.template("r", login.chart, *login.set).expect_ok().stdout)
    keeps = ("--keep-live", "secrets/login", "--release", "r", "-n", login.it.namespace, "--helm-version", version)
    file = tmp_path / "snapshot.yaml"
    common = ("--manifests", str(rendered), *keeps, "--action", "upgrade")
    file.write_bytes(postrender(login.it, "snapshot", *common).stdout)

    def planned(*flags: str) -> Any:
        done = postrender(login.it, "plan", *common, *flags, "-o", "json")
        assert leaks(done.stdout, done.stderr) == []
        (found,) = json.loads(done.stdout)["objects"]
        return found

    direct, there = planned(), planned("--live", str(file))
    assert direct["keptLive"] == ["data"]
    assert not direct["prediction"]["changes"]
    for field in ("keptLive", "actions", "prediction", "live", "after", "desired", "emitted"):
        assert there[field] == direct[field], field


def everything(value: str, note: str) -> dict[str, Object]:
    """Objects of several kinds, each with a field of its own that others set."""
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": f"web:{value}"}]}}
    binary = manifest(CONFIG_MAP, "binary", {"a.b": f"chart-{value}"})
    return {
        "binary": {**binary, "binaryData": {"blob": packed(value)}},
        "config": manifest(CONFIG_MAP, "config", {"a.b": f"chart-{value}", "other": value}),
        "shirt": manifest(STABLE_SHIRT, "shirt", {"color": value, "size": value}, keep=True),
        "web": manifest(
            DEPLOYMENT,
            "web",
            {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
            annotations={"example.com/x": note},
        ),
    }


KEPT = (
    'configmaps/config:data["a.b"]',
    "configmaps/binary:binaryData.blob",
    "shirts.stable.example.com/shirt:spec.size",
    "deployments.apps/web:spec.replicas",
    'deployment/web:metadata.annotations["example.com/x"]',
)


def test_any_field_of_any_kind(version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm(version)
    chosen = Filter(tuple(f"--keep-live={each}" for each in KEPT))
    it.install("r", chart(tmp_path, everything("one", "one")), filter=chosen).expect_ok()
    namespace.patch(CONFIG_MAP, "config", {"data": {"a.b": "by hand"}})
    namespace.patch(CONFIG_MAP, "binary", {"binaryData": {"blob": base64.b64encode(b"\xff\x00").decode()}})
    namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"size": "by hand"}})
    namespace.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    namespace.patch(DEPLOYMENT, "web", {"metadata": {"annotations": {"example.com/x": "true"}}})
    for value in ("two", "three"):
        it.upgrade("r", chart(tmp_path, everything(value, value)), filter=chosen).expect_ok()
        assert namespace.content(CONFIG_MAP, "config") == {"a.b": "by hand", "other": value}
        assert namespace.content(CONFIG_MAP, "binary") == {"a.b": f"chart-{value}"}
        assert namespace.found(CONFIG_MAP, "binary")["binaryData"] == {"blob": "/wA="}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": value, "size": "by hand"}
        web = namespace.content(DEPLOYMENT, "web")
        assert (web["replicas"], web["template"]["spec"]["containers"][0]["image"]) == (5, f"web:{value}")
        assert namespace.annotations(DEPLOYMENT, "web")["example.com/x"] == "true"
    stored = {each["metadata"]["name"]: each for each in yaml.safe_load_all(namespace.releases("r")[-1].manifest)}
    assert stored["web"]["spec"]["replicas"] == 5
    assert stored["web"]["metadata"]["annotations"] == {"example.com/x": "true"}
    it.uninstall("r").expect_ok()
    it.install("r", chart(tmp_path, everything("four", "four")), filter=chosen).expect_ok()
    # Helm 3 stores the live spec of a custom resource that it adopts: the announced upgrade applies the rest.
    it.upgrade("r", chart(tmp_path, everything("four", "four")), filter=chosen).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "four", "size": "by hand"}
    assert namespace.content(CONFIG_MAP, "config") == {"a.b": "chart-four", "other": "four"}, "a new object"


def test_an_orphan_keeps_the_password_of_the_release_that_left_it(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, {})
    login.it.install("old", login.chart).expect_ok()
    first = login.live()
    login.it.uninstall("old").expect_ok()
    chosen = Filter(("--adopt=orphans", "--keep-live=secrets/login:data.password"))
    done = login.it.install("r", login.chart, filter=chosen).expect_ok()
    assert login.live() == login.stored()["password"] == first
    assert namespace.owner(SECRET, "login") == "r"
    assert leaks(done.stderr) == []


def test_nothing_is_kept_of_what_an_installed_release_owns(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, NAMED["flag"])
    login.it.install("old", login.chart).expect_ok()
    before = namespace.resource_version(SECRET, "login")
    done = login.install()
    assert not done.ok
    assert "(PR101)" in done.stderr
    assert namespace.resource_version(SECRET, "login") == before
    assert leaks(done.stdout, done.stderr) == []


def test_a_failed_lookup_is_not_a_new_object(
    version: str, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, NAMED["flag"])
    login.install().expect_ok()
    first = login.live()
    login.it.uninstall("r").expect_ok()
    blind = control_plane.user(namespace, [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "create"]}])
    login.it = helm(version, blind)
    done = login.install()
    assert not done.ok
    assert "secrets" in done.stderr
    assert login.live() == first


def test_helm_template_has_the_charts_value_and_says_so(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, {})
    login.it.install("r", login.chart).expect_ok()
    done = login.it.template("r", login.chart, filter=NAMED["flag"]["filter"]).expect_ok()
    assert login.live() not in done.stdout
    assert "has the chart's value of data.password, not the live one: no live object is looked up (PR321)" in (
        " ".join(done.stderr.split())
    )


def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    login = Login(helm(version), namespace, tmp_path, {"filter": Filter(("--keep-live=secrets/login:data.pasword",))})
    login.it.install("r", login.chart).expect_ok()
    before = namespace.resource_version(SECRET, "login")
    done = login.upgrade()
    assert not done.ok
    assert "cannot keep the live value of data.pasword: the chart does not set data.pasword (PR321)" in " ".join(
        done.stderr.split()
    )
    assert namespace.resource_version(SECRET, "login") == before
    assert len(namespace.releases("r")) == 1


def test_run_keeps_it_in_the_install_and_in_the_upgrade_that_follows(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm(version)
    objects: dict[str, str | Object] = {
        "login.yaml": LOGIN,
        "shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue"}, keep=True),
    }
    values = {"user": "one", "keepLive": "", "plain": False}
    it.install("r", chart(tmp_path, objects, values=values)).expect_ok()
    it.uninstall("r").expect_ok()
    first = namespace.found(SECRET, "login")["data"]["password"]
    objects["shirt"] = manifest(STABLE_SHIRT, "shirt", {"color": "green"}, keep=True)
    place = str(chart(tmp_path, objects, values=values))
    flags = ("--keep-live", "secrets/login:data.password")
    done = postrender(it, "run", *flags, "--", str(it.binary), "install", "r", place, "-n", it.namespace)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert namespace.found(SECRET, "login")["data"]["password"] == first
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green"}
    assert leaks(done.stdout, done.stderr) == []


GENERATES = {
    "rand-alpha-num": "{{ randAlphaNum 20 | b64enc }}",
    "rand-alpha": "{{ randAlpha 20 | b64enc }}",
    "rand-numeric": "{{ randNumeric 20 | b64enc }}",
    "rand-ascii": "{{ randAscii 20 | b64enc }}",
    "private-key": '{{ genPrivateKey "ed25519" | b64enc }}',
    "self-signed": '{{ (genSelfSignedCert "a" nil nil 1).Key | b64enc }}',
    "ca": '{{ (genCA "a" 1).Cert | b64enc }}',
    "uuid": "{{ uuidv4 | b64enc }}",
    "htpasswd": '{{ htpasswd "a" "b" | b64enc }}',
    "bcrypt": '{{ bcrypt "b" | b64enc }}',
}
STABLE = {
    "derived": '{{ derivePassword 1 "long" "a" "b" "c" | b64enc }}',
    "given": '{{ "given" | b64enc }}',
}
SECRETS = """\
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-%s
  annotations: {helm.sh/resource-policy: keep%s}
data:
  password: %s
"""


def test_lint_finds_every_function_that_generates_values(tmp_path: Path) -> None:
    templates = {f"{name}.yaml": SECRETS % (name, "", text) for name, text in (GENERATES | STABLE).items()}
    text = GENERATES["rand-alpha-num"]
    templates["kept.yaml"] = SECRETS % ("kept", ", postrender/keep-live: data.password", text)
    found = '{{- $_ := lookup "v1" "Secret" .Release.Namespace "a" }}\n'
    templates["looked-up.yaml"] = found + SECRETS % ("looked-up", "", text)
    command = [str(executable(tmp_path)), "lint", str(chart(tmp_path, templates)), "--select=PL112", "-o", "json"]
    done = subprocess.run(
        [*command, "--helm", str(program("helm@3.22.0"))], capture_output=True, text=True, env={"HOME": str(tmp_path)}
    )
    assert done.returncode == 1, done.stderr
    said = {
        each["object"].rpartition("release-name-")[2]: each["severity"] for each in json.loads(done.stdout)["findings"]
    }
    assert said == {**dict.fromkeys(GENERATES, "error"), "looked-up": "info"}
