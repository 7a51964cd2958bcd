"""What one scene of one caller works on: a namespace, a chart that can change, and what is live."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT, Kind
from tests.tools import assets

HELM = "3.22.0"
"""The Helm of callers that run one, and of other releases."""
RUN_WITHIN = 300
"""Seconds a command may take."""
KEPT: tuple[tuple[Kind, str], ...] = ((STABLE_SHIRT, "shirt"), (BETA_SHIRT, "shirt"))
"""The objects of the chart that an uninstall keeps: two kinds with one name."""
DELETED: tuple[tuple[Kind, str], ...] = ((CONFIG_MAP, "sizes"),)
"""Those that it deletes."""


class Run(NamedTuple):
    """A finished command: its exit code, and all that its user sees of it."""

    code: int
    said: str


class Live(NamedTuple):
    """One live object: what a second run may not change."""

    uid: str
    size: str
    metadata: Object
    """Labels and annotations."""


State = Mapping[str, Live]
"""The live objects of the chart by kind and group; one that does not exist is missing."""


class World:
    """A namespace of its own with the chart ``shop``, whose one value is the size of all its objects."""

    def __init__(self, control_plane: ControlPlane, namespace: Namespace, folder: Path) -> None:
        self.control_plane = control_plane
        self.namespace = namespace
        self.folder = folder
        self.chart = folder / "shop"
        self._charts = 0
        self.env = {
            "PATH": os.pathsep.join(
                map(
                    str,
                    [executable(folder).parent, *(assets.find(name).parent for name in (f"helm@{HELM}", "kubectl"))],
                )
            )
            + os.pathsep
            + os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "KUBECONFIG": str(control_plane.kubeconfig),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def helm(self, version: str = HELM) -> Helm:
        """A Helm in the namespace."""
        home = self.folder / f"helm-{version}"
        binary = assets.find(f"helm@{version}")
        return Helm(binary, version, home, self.control_plane.kubeconfig, self.namespace.name, home / "discovery")

    def write_chart(self, size: str) -> Path:
        """The chart in its folder, with a version of its own for each size that is new."""
        content = {"size": size}
        templates = {
            **{f"{kind.group}.yaml": manifest(kind, name, content, keep=True) for kind, name in KEPT},
            **{f"{name}.yaml": manifest(kind, name, content) for kind, name in DELETED},
        }
        version = f"0.1.{ord(size)}"
        made = chart(self.folder, templates, version=version)
        shutil.rmtree(self.chart, ignore_errors=True)
        made.rename(self.chart)
        return self.chart

    def state(self) -> State:
        """What is live of the chart's objects."""
        found: dict[str, Live] = {}
        for kind, name in (*KEPT, *DELETED):
            live = self.namespace.get(kind, name)
            if live is not None:
                about = live["metadata"]
                metadata = {part: about.get(part, {}) for part in ("labels", "annotations")}
                found[f"{kind.kind}.{kind.group}"] = Live(about["uid"], live[kind.content]["size"], metadata)
        return found

    def manifest(self, release: str) -> list[str]:
        """The documents that Helm stores for a release; none without the release."""
        done = self.helm().run("get", "manifest", release)
        return [document for document in done.stdout.split("---\n") if document.strip()] if done.ok else []

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
        """Run a command as a user does, in the world's folder; both its streams are seen."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.folder,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RUN_WITHIN,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(errors="replace"))
