"""kopf: the example's operator, with a custom resource that names the chart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO, Any, ClassVar

from tests.callers.driver import Driver
from tests.callers.scenes import OLD, PUT_RIGHT
from tests.callers.world import Run, World
from tests.e2e.api import Namespace, wait_until
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.kinds import Kind, definition
from tests.tools import assets, kopf
from tests.tools.readmes import ROOT

CHART = Kind("example.com", "v1", "Chart", "charts")
HELM = "3.21.4"
"""That of the example."""
HANDLERS = ROOT / "examples" / "operator" / "handlers.py"
DONE_WITHIN = 300.0
_HANDLED = "kopf.zalando.org/last-handled-configuration"


def start(
    control_plane: ControlPlane, namespace: Namespace, folder: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """The example's handlers under ``kopf run``, for one namespace, with the log ``kopf.log`` in ``folder``."""
    assert f"HelmVersion({HELM.replace('.', ', ')})" in HANDLERS.read_text()
    environ = {
        "PATH": f"{assets.find(f'helm@{HELM}').parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "KUBECONFIG": str(control_plane.kubeconfig),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **env,
    }
    # A pipe, as in a Pod: to Helm's stderr, which is this one, postrender writes if it is no file.
    running = subprocess.Popen(
        [kopf.program(), "run", "--standalone", "--namespace", namespace.name, HANDLERS],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert running.stdout is not None
    log = folder / "kopf.log"
    log.touch()
    Thread(target=_copy, args=(running.stdout, log), daemon=True).start()
    return running


def _copy(output: IO[bytes], log: Path) -> None:
    with output, log.open("ab", buffering=0) as file:
        for line in output:
            file.write(line)


def asked_for(name: str, chart: Path) -> dict[str, Any]:
    """A custom resource of the operator."""
    return {
        "apiVersion": CHART.api_version,
        "kind": CHART.kind,
        "metadata": {"name": name},
        "spec": {"chart": str(chart)},
    }


class Operator(Driver):
    """A custom resource that is created, then changed; its user reads its status and the operator's log."""

    name = "kopf"
    needs = (f"helm@{HELM}",)
    # As with Helm 3, which it runs; its handlers give the library no permission to adopt (docs/callers/operator.md).
    expected: ClassVar[Mapping[str, str]] = {
        "changed": OLD,
        "changed-again": PUT_RIGHT,
        "adopt": "refused (PR102)",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._charts = 0
        self._running: subprocess.Popen[bytes] | None = None
        self._log = world.folder / "kopf.log"

    @classmethod
    def version(cls) -> str:
        return f"{kopf.VERSION}, Helm {HELM}"

    @classmethod
    def prepare(cls, control_plane: ControlPlane, folder: Path) -> None:
        del folder
        serve(control_plane.api, [definition(CHART)])

    def apply(self, *, adopt: bool) -> Run:
        if self._running is None:
            env = {f"POSTRENDER_{name.upper()}": value for name, value in self.settings(adopt=adopt).items()}
            self._running = start(self.world.control_plane, self.world.namespace, self.world.folder, env)
        logged = self._log.stat().st_size
        self._charts += 1
        # Another path is another event, also where the chart is the same.
        chart = self.world.folder / f"chart-{self._charts}"
        shutil.copytree(self.world.chart, chart)
        if self.world.namespace.get(CHART, "shop") is None:
            self.world.namespace.create(asked_for("shop", chart), CHART)
        else:
            self.world.namespace.patch(CHART, "shop", {"spec": {"chart": str(chart)}})
        wait_until(lambda: self._handled() == str(chart), "the operator to handle its resource", DONE_WITHIN)
        status = self.world.namespace.found(CHART, "shop")["status"]
        said = self._log.read_bytes()[logged:].decode(errors="replace")
        return Run(int(not status["ready"]), f"{json.dumps(status, indent=1)}\n{said}")

    def delete(self) -> Run:
        """Delete the resource, then what it installed: the example has no handler for that."""
        self.world.namespace.delete(CHART, "shop")
        wait_until(lambda: self.world.namespace.get(CHART, "shop") is None, "kopf to remove its finalizer")
        done = self.world.helm(HELM).uninstall("shop")
        return Run(done.exit_code, done.stdout + done.stderr)

    def state(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def close(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait(30)

    def _handled(self) -> str:
        """The chart of the last event whose handlers have ended, for good or with an error."""
        live = self.world.namespace.get(CHART, "shop") or {}
        annotations = live.get("metadata", {}).get("annotations", {})
        handled: dict[str, Any] = json.loads(annotations.get(_HANDLED, "{}"))
        chart: str = handled.get("spec", {}).get("chart", "")
        return chart
