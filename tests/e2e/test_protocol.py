"""What each Helm hands a post-renderer and does with what it gets back, with every flag that changes either."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.api import Namespace, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory, Run, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, GAMMA_SHIRT, STABLE_SHIRT
from tests.e2e.test_kept_resources import LABEL, kept

pytestmark = pytest.mark.one_in(2)

VERSIONS = ("3.12.3", "3.21.4", "4.1.4", "4.3.1")
HELM_4 = ("4.1.4", "4.3.1")
PAIR = {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green"}}
FILENAME = "postrenderer.helm.sh/postrender-filename"
OURS = ("postrender/", "app.kubernetes.io/managed-by", "meta.helm.sh/")


class Taped:
    """The project's filter behind a script that keeps what went in and what came out."""

    def __init__(self, folder: Path) -> None:
        self._in, self._out = folder / "tape-in", folder / "tape-out"
        self.program = folder / "taped"
        self.program.write_text(
            f'#!/bin/sh\ncat >{self._in}\n{executable(folder)} "$@" <{self._in} >{self._out} || exit\ncat {self._out}\n'
        )
        self.program.chmod(0o755)

    def filter(self, *arguments: str) -> Filter:
        return Filter(arguments, self.program)

    @property
    def stdin(self) -> str:
        return self._in.read_text()

    @property
    def stdout(self) -> str:
        return self._out.read_text()


@pytest.fixture
def tape(tmp_path: Path) -> Taped:
    return Taped(tmp_path)


def documents(stream: str) -> list[str]:
    return [each for each in stream.split("---\n") if each.strip()]


def with_hook(folder: Path) -> Path:
    """Two kinds of one name and, between them, a hook that is a third; all of the same Kind."""
    hook = manifest(GAMMA_SHIRT, "shirt", {"color": "red"}, annotations={"helm.sh/hook": "pre-install,pre-upgrade"})
    beta, stable = (manifest(kind, "shirt", content, keep=True) for kind, content in PAIR.items())
    return chart(folder, {"a": beta, "b": hook, "c": stable})


@pytest.mark.parametrize("version", HELM_4)
def test_hooks_of_helm_4_are_left_alone(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, tape: Taped, version: str
) -> None:
    it, chart_ = helm(version), with_hook(tmp_path)
    for verb in ("install", "upgrade"):
        it.run(verb, "r", str(chart_), filter=tape.filter("--stamp=all")).expect_ok()
        (hook,) = (each for each in documents(tape.stdin) if "helm.sh/hook" in each)
        assert hook in tape.stdout
        assert not any(sign in hook for sign in OURS)
        assert tape.stdout.count(LABEL) == 2
        assert namespace.labels(GAMMA_SHIRT, "shirt").keys() <= {"app.kubernetes.io/managed-by"}
        assert namespace.labels(BETA_SHIRT, "shirt")[LABEL] == "Shirt.beta.example.com"


@pytest.mark.parametrize("version", HELM_4)
def test_a_hook_is_not_pinned_where_its_namesakes_are_adopted(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, tape: Taped, version: str
) -> None:
    it, chart_ = helm(version), with_hook(tmp_path)
    it.install("r", chart_).expect_ok()
    it.uninstall("r").expect_ok()
    uids = {kind: namespace.uid(kind, "shirt") for kind in PAIR}
    # As Helm 3.12.3 would need a pin: what the hook does not get, whatever is decided for the others.
    run = it.install("r", chart_, "--dry-run=server", filter=tape.filter("--helm-version=3.12.3"))
    run.expect_ok()
    (hook,) = (each for each in documents(tape.stdin) if "helm.sh/hook" in each)
    assert hook in tape.stdout
    assert tape.stdout.count("resourceVersion:") == 1
    it.install("r", chart_, filter=True).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in PAIR} == uids


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
def test_the_stream_of_helm_3_has_no_hooks(helm: HelmFactory, tmp_path: Path, tape: Taped, version: str) -> None:
    helm(version).install("r", with_hook(tmp_path), filter=tape.filter()).expect_ok()
    assert "helm.sh/hook" not in tape.stdin
    assert len(documents(tape.stdin)) == 2


@pytest.mark.parametrize("version", HELM_4)
def test_the_file_names_by_which_helm_4_groups_stay(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, tape: Taped, version: str
) -> None:
    helm(version).install("r", with_hook(tmp_path), filter=tape.filter("--stamp=all")).expect_ok()
    assert tape.stdin.count(FILENAME) == tape.stdout.count(FILENAME) == 3
    assert FILENAME not in namespace.releases("r")[-1].manifest
    assert FILENAME not in namespace.annotations(BETA_SHIRT, "shirt")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_chart(helm: HelmFactory, namespace: Namespace, tmp_path: Path, tape: Taped, version: str) -> None:
    it = helm(version)
    nothing = chart(tmp_path, {"a": "{{ if .Values.no }}{{ end }}"})
    it.install("r", nothing, filter=tape.filter()).expect_ok()
    assert tape.stdout == ("" if version < "4" else "# an empty stream came in\n")
    it.upgrade("r", kept(tmp_path, {CONFIG_MAP: {"a": "1"}}), filter=True).expect_ok()
    it.upgrade("r", nothing, filter=tape.filter()).expect_ok()
    assert [each.status for each in namespace.releases("r")] == ["superseded", "superseded", "deployed"]
    assert namespace.content(CONFIG_MAP, "shirt") == {"a": "1"}
    assert it.template("r", nothing, filter=True).expect_ok().stdout.strip() in ("", "---\n# an empty stream came in")


@pytest.mark.parametrize("version", VERSIONS)
def test_with_and_without_arguments(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    assert it.template("r", both, filter=True).expect_ok().stdout.count(f"{LABEL}:") == 2
    arguments = Filter(("--label-key", "example.com/kind", "--stamp=all"))
    rendered = it.template("r", both, filter=arguments).expect_ok().stdout
    assert rendered.count("example.com/kind:") == 2
    assert rendered.count("meta.helm.sh/release-name: ") == 2
    assert LABEL not in rendered


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rendering_asks_no_cluster_and_says_so(
    helm: HelmFactory, control_plane: ControlPlane, tmp_path: Path, version: str
) -> None:
    mark = control_plane.audit.mark()
    run = helm(version).template("r", kept(tmp_path, PAIR), filter=Filter(("--adopt=orphans,unmanaged",))).expect_ok()
    assert control_plane.audit.since(mark) == []
    assert run.stdout.count(f"{LABEL}:") == 2
    assert "no cluster was asked" in " ".join(run.stderr.split())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["client", "server"])
def test_a_dry_run_looks_and_never_writes(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str, mode: str
) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    it.install("old", both).expect_ok()
    it.uninstall("old").expect_ok()
    before = {kind: namespace.resource_version(kind, "shirt") for kind in PAIR}
    dry = "--dry-run" if version == "3.12.3" else f"--dry-run={mode}"  # it takes a mode since 3.13
    mark = control_plane.audit.mark()
    for verb in (("install", "new"), ("upgrade", "--install", "new")):
        run = it.run(*verb, str(both), dry, filter=Filter(("--adopt=orphans",)))
        assert "adopted" in " ".join(run.stderr.split()) or (version >= "4" and mode == "client"), run.stderr
    assert control_plane.audit.writes(mark, namespace=namespace.name) == []
    assert {kind: namespace.resource_version(kind, "shirt") for kind in PAIR} == before
    assert {namespace.owner(kind, "shirt") for kind in PAIR} == {"old"}
    assert namespace.releases("new") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rendering_into_files(helm: HelmFactory, tmp_path: Path, tape: Taped, version: str) -> None:
    it, out = helm(version), tmp_path / "out"
    it.template("r", kept(tmp_path, PAIR), "--output-dir", str(out), filter=tape.filter("--stamp=all")).expect_ok()
    written = "".join(path.read_text() for path in sorted(out.rglob("*")) if path.is_file())
    assert written.count("kind: Shirt") == 2
    if version < "4":
        assert (tape.stdin, tape.stdout) == ("", "")
        assert LABEL not in written, "Helm 3 writes the files before it runs a post-renderer"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_that_installs(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    it.upgrade("r", both, "--install", filter=True).expect_ok()
    uids = {kind: namespace.uid(kind, "shirt") for kind in PAIR}
    it.uninstall("r").expect_ok()
    it.upgrade("r", both, "--install", filter=True).expect_ok()
    it.upgrade("r", both, "--install", filter=True).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in PAIR} == uids
    assert {kind: namespace.content(kind, "shirt") for kind in PAIR} == PAIR
    assert [each.status for each in namespace.releases("r")] == ["superseded", "deployed"]


ATOMIC = {
    "3.12.3": "--atomic",
    "3.21.4": "--atomic",
    "4.1.4": "--rollback-on-failure",
    "4.3.1": "--rollback-on-failure",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_installation_that_undoes_itself_when_it_is_refused(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    it.install("old", both).expect_ok()
    it.uninstall("old").expect_ok()
    before = {kind: namespace.resource_version(kind, "shirt") for kind in PAIR}
    assert "PR102" in it.install("new", both, ATOMIC[version], filter=True).stderr
    assert namespace.releases("new") == []
    assert {kind: namespace.resource_version(kind, "shirt") for kind in PAIR} == before
    it.install("new", both, ATOMIC[version], filter=Filter(("--adopt=orphans",))).expect_ok()
    assert {namespace.owner(kind, "shirt") for kind in PAIR} == {"new"}
    it.upgrade("new", both, ATOMIC[version], filter=True).expect_ok()
    assert {kind: namespace.content(kind, "shirt") for kind in PAIR} == PAIR


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_that_helm_makes_up(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    run = generated(it, both).expect_ok()
    assert "a release without a name yet" in " ".join(run.stderr.split())
    assert namespace.labels(BETA_SHIRT, "shirt")[LABEL] == "Shirt.beta.example.com"
    # The name that Helm makes up ends in the second it is made in (``NameAndChart``, pkg/action/install.go).
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, "another second")
    again = generated(it, both)
    assert not again.ok
    assert "; not adopted (PR101)" in " ".join(again.stderr.split())


def generated(it: Helm, both: Path) -> Run:
    return it.run("install", "--generate-name", str(both), filter=True)
