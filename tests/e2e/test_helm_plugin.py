"""``postrender helm-plugin`` with the real Helms: from a fresh clone to an installation that adopts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.test_fresh_clone import clone_to
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT

HELM_4 = ("4.1.4", "4.3.1")
FILTER = ("--post-renderer", "postrender")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone_to(tmp_path_factory.mktemp("fresh") / "a clone")


def call(
    it: Helm, postrender: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """``postrender helm-plugin ARGUMENTS --helm`` that Helm, in its home."""
    return subprocess.run(
        [postrender, "helm-plugin", *arguments, "--helm", it.binary],
        env={**it.env, **(environ or {})},
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    return done.stderr


def names(it: Helm) -> list[str]:
    return [line.split()[0] for line in it.run("plugin", "list").expect_ok().stdout.splitlines()[1:]]


def legacy(folder: Path, name: str) -> None:
    """A plugin that Helm 3 and Helm 4 both load."""
    folder.mkdir(parents=True)
    about = f'name: "{name}"\nversion: "0.1.0"\nusage: "u"\ndescription: "d"\ncommand: "$HELM_PLUGIN_DIR/x"\n'
    (folder / "plugin.yaml").write_text(about)


@pytest.mark.parametrize("version", HELM_4)
def test_from_a_fresh_clone_to_an_installation_that_adopts(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, clone: Path, version: str
) -> None:
    it = helm(version)
    legacy(it.home / "plugins" / "other", "other")
    done = call(it, clone / "bin" / "postrender", "install")
    folder = it.home / "plugins" / "postrender"
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "postrender 0.1.0: the plugin is installed\n"
        f"  helm     {version} ({it.binary})\n"
        f"  plugin   {folder}\n"
        f"  program  {clone}/bin/postrender\n"
        "note: run helm install and helm upgrade with --post-renderer postrender\n"
    )
    assert names(it) == ["other", "postrender"]
    contents = {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green"}}
    both = chart(
        tmp_path, {kind.group: manifest(kind, "shirt", content, keep=True) for kind, content in contents.items()}
    )
    it.install("r", both).expect_ok()
    uids = {kind: namespace.uid(kind, "shirt") for kind in contents}
    it.uninstall("r").expect_ok()
    it.install("r", both, *FILTER).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in contents} == uids
    assert "postrender/group-kind" in namespace.releases("r")[-1].manifest
    assert "Shirt.beta.example.com" in namespace.labels(BETA_SHIRT, "shirt").values()


@pytest.mark.parametrize("version", HELM_4)
def test_a_second_call_changes_nothing_and_status_and_uninstall_agree(helm: HelmFactory, version: str) -> None:
    it, postrender = helm(version), executable(Path())
    folder = it.home / "plugins" / "postrender"
    assert refused(call(it, postrender, "status")) == (
        f"error: {folder}: Helm {version} has no plugin postrender\nhint: postrender helm-plugin install\n"
    )
    assert call(it, postrender, "install").returncode == 0
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = call(it, postrender, "install")
    assert again.stdout.startswith("postrender 0.1.0: the plugin is already there\n")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    status = call(it, postrender, "status")
    assert status.returncode == 0, status.stderr
    assert status.stdout.startswith("postrender 0.1.0: the plugin is installed\n")
    done = call(it, postrender, "uninstall")
    assert (done.returncode, done.stdout) == (0, f"the plugin is removed from {folder}\n")
    assert not folder.exists()
    done = call(it, postrender, "uninstall")
    assert (done.returncode, done.stdout) == (0, f"there is no plugin postrender in {folder.parent}\n")
    assert names(it) == []


def test_an_older_plugin_of_another_installation_is_brought_up_to_date(helm: HelmFactory) -> None:
    it, postrender = helm("4.3.1"), executable(Path())
    call(it, postrender, "install")
    folder = it.home / "plugins" / "postrender"
    script, about = folder / "postrender", folder / "plugin.yaml"
    program_line = next(line for line in script.read_text().splitlines() if line.startswith("program="))
    script.write_text(script.read_text().replace(program_line, "program=/nowhere/postrender"))
    about.write_text(about.read_text().replace("0.1.0", "0.0.9"))
    status = call(it, postrender, "status")
    assert status.returncode == 4
    assert status.stderr == (
        f"error: {folder}: its program /nowhere/postrender does not exist\nhint: postrender helm-plugin install\n"
    )
    done = call(it, postrender, "install")
    assert done.stdout.startswith("postrender 0.1.0: the plugin is brought up to date\n")
    assert "\n  before   /nowhere/postrender\n" in done.stdout
    assert program_line in script.read_text()
    assert "version: 0.1.0\n" in about.read_text()


def test_the_plugin_writes_itself_anew_when_helm_runs_it(helm: HelmFactory, tmp_path: Path) -> None:
    it, postrender = helm("4.3.1"), executable(Path())
    call(it, postrender, "install")
    about = it.home / "plugins" / "postrender" / "plugin.yaml"
    about.write_text(about.read_text().replace("0.1.0", "0.0.9"))
    it.template("r", chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {})}), *FILTER).expect_ok()
    assert "version: 0.1.0\n" in about.read_text()


def test_helm_3_is_refused_and_keeps_its_plugins(helm: HelmFactory) -> None:
    it = helm("3.21.4")
    postrender = executable(Path())
    legacy(it.home / "plugins" / "other", "other")
    for what in ("install", "status"):
        assert refused(call(it, postrender, what, environ={"PATH": str(postrender.parent)})) == (
            f"error: {it.binary}: Helm 3.21.4 runs a post-renderer by its path and needs no plugin; it loads "
            "no plugin at all if a Helm 4 plugin is in its folder\n"
            "note: run helm install and helm upgrade with --post-renderer postrender\n"
        )
    assert names(it) == ["other"]


def test_a_helm_3_with_the_same_folder_keeps_its_plugins(helm: HelmFactory, tmp_path: Path) -> None:
    it, old, postrender = helm("4.3.1"), program("helm@3.21.4"), executable(Path())
    folder = it.home / "plugins"
    path = {"PATH": f"{old.parent}{os.pathsep}{it.env['PATH']}"}
    assert refused(call(it, postrender, "install", environ=path)) == (
        f"error: {old}: Helm 3.21.4 keeps its plugins in the same folder, {folder}, and loads none of them "
        "if a Helm 4 plugin is there\n"
        "note: add --plugins-dir with another folder, and set HELM_PLUGINS to it for Helm 4\n"
        f"note: or take {old} from PATH, and add --helm {it.binary}\n"
    )
    assert list(folder.iterdir()) == []
    apart = tmp_path / "plugins of helm 4"
    plain = {name: value for name, value in it.env.items() if name != "HELM_PLUGINS"}
    done = subprocess.run(
        [postrender, "helm-plugin", "install", "--plugins-dir", apart, "--helm", it.binary],
        env={**plain, **path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"\n  note: Helm looks there only with HELM_PLUGINS={apart}\n" in done.stdout
    rendered = it.template(
        "r", chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {})}), *FILTER, env={"HELM_PLUGINS": str(apart)}
    )
    assert "kind: ConfigMap" in rendered.expect_ok().stdout


@pytest.mark.parametrize("version", HELM_4)
def test_another_plugin_of_the_name_is_left_alone(helm: HelmFactory, version: str) -> None:
    it, postrender = helm(version), executable(Path())
    command = it.home / "plugins" / "somebodys"
    legacy(command, "postrender")
    for what in ("install", "status"):
        assert refused(call(it, postrender, what)) == (
            f"error: {command}: claims the name postrender too, and was not written by postrender helm-plugin; "
            "Helm 4 loads no plugin at all if two have the same name\n"
            "hint: helm plugin uninstall postrender\n"
            f"note: if Helm cannot remove it: look into the folder first\nhint: rm -r {command}\n"
        )
    assert names(it) == ["postrender"]
    command.rename(it.home / "plugins" / "postrender")
    assert f"{it.home}/plugins/postrender: claims the name" in refused(call(it, postrender, "install"))
    assert refused(call(it, postrender, "uninstall")).startswith(
        f"error: {it.home}/plugins/postrender: that plugin was not written by postrender helm-plugin\n"
    )
    assert names(it) == ["postrender"]


def test_a_helm_whose_plugins_do_not_load_is_left_as_it_is(helm: HelmFactory) -> None:
    it, postrender = helm("4.3.1"), executable(Path())
    legacy(it.home / "plugins" / "one", "twice")
    legacy(it.home / "plugins" / "two", "twice")
    message = refused(call(it, postrender, "install"))
    assert message.startswith(f"error: {it.binary}: Helm 4.3.1 cannot load its plugins: ")
    assert 'two plugins claim the name "twice"' in message
    assert message.endswith(f"\nhint: {it.binary} plugin list\n")
    assert not (it.home / "plugins" / "postrender").exists()


def test_a_folder_that_cannot_be_written(helm: HelmFactory, tmp_path: Path) -> None:
    it = helm("4.3.1")
    (tmp_path / "file").write_text("no folder")
    done = call(it, executable(Path()), "install", "--plugins-dir", str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {tmp_path}/file/postrender: cannot be written: Not a directory\n"
        "note: add --plugins-dir with a folder that can be written, and set HELM_PLUGINS to it for Helm 4\n"
    )
