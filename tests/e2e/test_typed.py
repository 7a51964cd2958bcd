"""Every command of the documentation, run as its reader would: from a start that the page supposes, with real programs.

What the reader has and what must come of each command stands in ``typed.yaml``.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.test_examples import KUSTOMIZE, path
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, SECRET, STABLE_SHIRT, Kind
from tests.e2e.scenes import SCENES, SHOWN, Scene
from tests.tools import assets, installed, readmes, transcripts
from tests.tools.typed import ROOT
from tools.pages import EXAMPLES

NAMESPACES = ("default", "shop", "prod", "argocd")
KINDS = (BETA_SHIRT, STABLE_SHIRT, SECRET, CONFIG_MAP, Kind("apps", "v1", "Deployment", "deployments"))
"""What the commands leave behind."""

pytestmark = pytest.mark.one_in(3)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of its own: some of the commands look at all namespaces."""
    users = tmp_path_factory.mktemp("users")
    with ControlPlane(program("etcd"), program("kube-apiserver"), users) as running:
        for name in NAMESPACES[1:]:
            running.namespace(name)
        yield running


@pytest.fixture
def empty(plane: ControlPlane) -> Iterator[ControlPlane]:
    """The cluster, with nothing in its namespaces."""
    yield plane
    for namespace in NAMESPACES:
        for kind in KINDS:
            plane.api.request("DELETE", kind.path(namespace))
    assert not remaining(plane)


def remaining(plane: ControlPlane) -> list[str]:
    """What is still there of what commands left behind."""
    listed = [plane.api.request("GET", kind.path(namespace)) for namespace in NAMESPACES for kind in KINDS]
    return [each["metadata"]["name"] for answer in listed for each in answer["items"]]


def environment(plane: ControlPlane, version: str, place: Path) -> dict[str, str]:
    """A shell's: the programs, an empty home, a kubeconfig with the contexts ``dev`` (the current one) and ``prod``."""
    config = yaml.safe_load(plane.kubeconfig.read_text())
    (only,) = config["contexts"]
    config |= {"contexts": [{**only, "name": name} for name in ("dev", "prod")], "current-context": "dev"}
    (place / "kubeconfig").touch(mode=0o600)
    (place / "kubeconfig").write_text(yaml.safe_dump(config))
    it = Helm(program(f"helm@{version}"), version, place / "home", place / "kubeconfig", "default", place / "cache")
    programs = it.home / "bin"
    programs.mkdir()
    return {
        **it.env,
        "PATH": f"{programs}{os.pathsep}" + path(it.binary, program("kubectl"), assets.go_tool(*KUSTOMIZE)),
        "POSTRENDER_TEST_CACHE": str(assets.cache_folder()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def typed_in(command: str, shell: str, folder: Path, environ: dict[str, str], answer: str | None) -> tuple[int, str]:
    """Exit code, and what is printed; where there is an answer, stdin is a terminal at which it is typed."""
    ours, theirs = pty.openpty()
    if answer:
        os.write(ours, f"{answer}\n".encode())
    try:
        done = subprocess.run(
            [*shell.split(), "-c", command],
            cwd=folder,
            env=environ,
            stdin=theirs if answer else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return done.returncode, done.stdout


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_commands_do_what_the_page_says(scene: Scene, empty: ControlPlane, tmp_path: Path) -> None:
    environ = {**environment(empty, scene.helm, tmp_path), **scene.environ}
    folder = clone(tmp_path / "clone") if scene.clone else readmes.copy(tmp_path / "folder")
    shutil.copytree(EXAMPLES / "shirts", folder / "chart")
    name, *flags = scene.shell.split()
    shell = " ".join([installed.needed(name), *flags])
    code, printed = typed_in(f"set -eu\n{scene.start}", "sh", folder, environ, None)
    assert code == 0, f"start of {scene.name} ended with {code}:\n{printed}"
    for each in scene.run:
        step = {"command": each} if isinstance(each, str) else each
        command = step.get("command") or step["check"]
        code, printed = typed_in(command, shell, folder, environ, step.get("answer"))
        assert code == step.get("exit", 0), f"{command}\nended with {code}:\n{printed}"
        assert " ".join(step.get("says", "").split()) in " ".join(printed.split()), f"{command}\nprinted:\n{printed}"
        if shown := SHOWN.get(command):
            assert transcripts.settled(printed) == transcripts.settled(shown), command


def clone(folder: Path) -> Path:
    """The project's files as git knows them."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in names.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder
