"""Pulumi with the files of the example: a ``Release``, installed by the Helm in its provider, and a ``Chart``."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.callers.driver import Driver
from tests.callers.world import Run, World
from tests.tools import assets

EXAMPLES = Path(__file__).parents[2] / "examples"
CHART_VARIABLES = (
    "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
)
"""What the page tells to set to ``true`` for a ``Chart``."""
HELM = "3.18.6"
"""The Helm in the provider, by its go.mod."""


class Release(Driver):
    """``pulumi up`` and ``pulumi destroy``, with settings in the environment."""

    name = "Pulumi Release"
    needs = ("pulumi", "pulumi-language-yaml", "pulumi-resource-kubernetes")
    summary = "on failure"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        path = [str(assets.find(name).parent) for name in self.needs]
        self._env = {
            "PATH": os.pathsep.join([*path, world.env["PATH"]]),
            "PULUMI_BACKEND_URL": f"file://{world.folder}",
            "PULUMI_CONFIG_PASSPHRASE": "shop",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.folder = world.folder / "pulumi"
        self.folder.mkdir()
        self._stacks: set[Path] = set()

    @classmethod
    def version(cls) -> str:
        return f"{assets.COMMANDS['pulumi'].version}, Helm {HELM}"

    def apply(self, *, adopt: bool) -> Run:
        program = example()
        program["resources"]["shirts"]["properties"].update(
            name="shop", namespace=self.world.namespace.name, chart="../shop"
        )
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        more = {f"POSTRENDER_{name.upper()}": value for name, value in self.settings(adopt=adopt).items()}
        return self.run(self.folder, "up", env={**settings("shop", self.world.namespace.name), **more})

    def delete(self) -> Run:
        return self.run(self.folder, "destroy")

    def run(self, folder: Path, command: str, env: Mapping[str, str] | None = None) -> Run:
        """A command of Pulumi for the stack ``test`` of the program in a folder."""
        if folder not in self._stacks:
            made = self._pulumi(folder, "stack", "init", "test")
            if made.code:
                return made
            self._stacks.add(folder)
        confirmed = [] if command == "preview" else ["--yes"]
        return self._pulumi(folder, command, *confirmed, "--stack=test", "--color=never", env=env)

    def _pulumi(self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        pulumi = assets.find("pulumi")
        return self.world.run(pulumi, *arguments, "--non-interactive", cwd=folder, env={**self._env, **(env or {})})


class Chart(Release):
    """The same with ``postRenderer`` and its arguments, as the page shows them."""

    name = "Pulumi Chart"

    def apply(self, *, adopt: bool) -> Run:
        return self.command("up", adopt=adopt)

    def command(self, name: str, *, adopt: bool) -> Run:
        """``pulumi up`` or ``pulumi preview``, with arguments for postrender."""
        program = example()
        more = [f"--{name}={value}" for name, value in self.settings(adopt=adopt).items()]
        arguments = [*chart_arguments("shop", self.world.namespace.name), *more]
        renderer = {"postRenderer": {"command": "postrender", "args": arguments}}
        properties = {"name": "shop", "namespace": self.world.namespace.name, "chart": "../shop", **renderer}
        program["resources"] = {"shop": {"type": "kubernetes:helm.sh/v4:Chart", "properties": properties}}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        # Without the first Pulumi stops at what it kept itself and the chart changed, without the others it replaces.
        return self.run(self.folder, name, env=dict.fromkeys(CHART_VARIABLES, "true"))


def example() -> dict[str, Any]:
    """The example's program."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / "pulumi" / "Pulumi.yaml").read_text())
    return found


def chart_arguments(release: str, namespace: str) -> list[str]:
    """The page's arguments for a ``Chart``, with another release and cluster."""
    page = (EXAMPLES / "pulumi" / "README.md").read_text()
    (snippet,) = re.findall(r"```yaml\n(postRenderer:.*?)```", page, re.DOTALL)
    given: dict[str, str] = dict(each.split("=", 1) for each in yaml.safe_load(snippet)["postRenderer"]["args"])
    new = {"--release": release, "--namespace": namespace, "--kube-context": "test"}
    assert given.keys() > new.keys()
    assert all(f"`{name}=true`" in page for name in CHART_VARIABLES)
    return [f"{name}={value}" for name, value in {**given, **new}.items()]


def settings(release: str, namespace: str) -> dict[str, str]:
    """The variables that the page tells to set."""
    return {
        "POSTRENDER_RELEASE": release,
        "POSTRENDER_NAMESPACE": namespace,
        "POSTRENDER_HELM_VERSION": HELM,
        "POSTRENDER_ACTION": "upgrade-install",
        "POSTRENDER_KUBE_CONTEXT": "test",
        "POSTRENDER_ON_DRIFT": "apply",
    }


def _example(driver: Release) -> str:
    """The example's program as it is; what it installs is taken away again."""
    folder = driver.world.folder / "examples"
    shutil.copytree(EXAMPLES, folder)
    for command in ("up", "up", "destroy", "up", "destroy"):
        ran = driver.run(folder / "pulumi", command, env=settings("shirts", "default"))
        if ran.code:
            return f"{command}: {ran.said}"
    return ""


def _preview(driver: Chart) -> str:
    """``--adopt`` takes over an object in a preview already, as the page warns."""
    world = driver.world
    world.write_chart("M")
    for done in (world.helm().install("old", world.chart, filter=True), world.helm().uninstall("old")):
        assert done.exit_code == 0, done.stderr
    before = world.state()
    ran = driver.command("preview", adopt=True)
    if ran.code:
        return ran.said
    return "" if world.state() != before else f"the preview wrote nothing:\n{ran.said}"


Release.own = {"examples/pulumi": _example}
Chart.own = {"a preview writes what --adopt allows": _preview}
