"""Flux: the real helm-controller, with the patches of ``postrender flux`` in the HelmRelease.

A source-controller is not needed: its HelmChart, with the address of the packaged chart, is written here, and the chart
is served on loopback.
"""

from __future__ import annotations

import hashlib
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import yaml

from postrender.integrations.flux.controllers import controllers
from tests.callers.driver import Driver
from tests.callers.world import HELM, Run, World
from tests.e2e.api import MERGE_PATCH, Api, wait_until
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.kinds import Kind, definition
from tests.e2e.supervise import Running, free_ports, start, stop
from tests.tools import assets

HELM_RELEASE = Kind("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases")
HELM_CHART = Kind("source.toolkit.fluxcd.io", "v1", "HelmChart", "helmcharts")
OCI_REPOSITORY = Kind("source.toolkit.fluxcd.io", "v1", "OCIRepository", "ocirepositories")
DONE_WITHIN = 120.0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Servers:
    """helm-controller for all scenes, and the server of packaged charts."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        self.api: Api = control_plane.api
        self.charts = folder / "charts"
        self.charts.mkdir()
        handler = partial(_Quiet, directory=str(self.charts))
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, daemon=True).start()
        program = assets.find("helm-controller")
        release = yaml.safe_load(next(program.parent.glob("helm.toolkit.fluxcd.io_*.yaml")).read_text())
        sources = [_with_status(definition(each)) for each in (HELM_CHART, OCI_REPOSITORY)]
        serve(self.api, [release, *sources])
        metrics, health = free_ports(2)
        self._running: Running = {
            "helm-controller": start(
                folder / "helm-controller.log",
                str(program),
                f"--metrics-addr=127.0.0.1:{metrics}",
                f"--health-addr=127.0.0.1:{health}",
                "--concurrent=2",
                "--graceful-shutdown-timeout=1s",
                env={
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    "KUBECONFIG": str(control_plane.kubeconfig),
                    "RUNTIME_NAMESPACE": "default",
                },
            )
        }

    def stop(self) -> None:
        """End them."""
        stop(self._running)
        self._http.shutdown()


def _with_status(made: dict[str, Any]) -> dict[str, Any]:
    for version in made["spec"]["versions"]:
        version["subresources"] = {"status": {}}
    return made


class Flux(Driver):
    """A HelmRelease whose patches ``postrender flux --kube-context`` writes before each change is applied."""

    name = "Flux"
    needs = ("helm-controller",)
    # A patch in Git writes to no live object (docs/callers/flux.md).
    expected: ClassVar = {"adopt": "–"}
    servers: ClassVar[Servers]

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._file = world.folder / "release.yaml"
        self.spec: dict[str, Any] = {}

    @classmethod
    def version(cls) -> str:
        version = assets.COMMANDS["helm-controller"].version
        return f"helm-controller {version}, Helm {controllers()[version].helm}"

    @classmethod
    def prepare(cls, control_plane: ControlPlane, folder: Path) -> None:
        cls.servers = Servers(control_plane, folder)

    @classmethod
    def finish(cls) -> None:
        cls.servers.stop()

    def apply(self, *, adopt: bool) -> Run:
        self._file.write_text(yaml.safe_dump(self.body(), sort_keys=False))
        program = Path(sys.executable).with_name("postrender")
        version = assets.COMMANDS["helm-controller"].version
        arguments: tuple[str | Path, ...] = (
            "--chart",
            self.world.chart,
            "--controller-version",
            version,
            "--kube-context",
            "test",
            "--verbose",
            *(f"--{name}={value}" for name, value in self.settings(adopt=adopt).items()),
        )
        ran = self.world.run(program, "flux", self._file, *arguments)
        if ran.code:
            return ran
        self._publish()
        applied = self.world.run("kubectl", "apply", "-f", self._file)
        if applied.code:
            return applied
        return Run(*self._reconciled(ran.said))

    def body(self) -> dict[str, Any]:
        """The HelmRelease without postrender's patches."""
        return {
            "apiVersion": HELM_RELEASE.api_version,
            "kind": HELM_RELEASE.kind,
            "metadata": {"name": "shop", "namespace": self.world.namespace.name},
            "spec": {
                "interval": "1h",
                "releaseName": "shop",
                "chartRef": {"kind": HELM_CHART.kind, "name": "shop"},
                "install": {"disableTakeOwnership": True},
                "upgrade": {"disableTakeOwnership": True},
                **self.spec,
            },
        }

    def delete(self) -> Run:
        self.world.namespace.delete(HELM_RELEASE, "shop")
        wait_until(lambda: self._live() is None, "the HelmRelease to be deleted", DONE_WITHIN)
        return Run(0, "")

    def close(self) -> None:
        if self._live() is not None:
            self.delete()

    def _live(self) -> dict[str, Any] | None:
        return self.world.namespace.get(HELM_RELEASE, "shop")

    def _publish(self) -> None:
        """Package the chart, and say where it is, as the source-controller does."""
        namespace, place = self.world.namespace, self.servers.charts / self.world.namespace.name
        place.mkdir(exist_ok=True)
        packaged = self.world.run(assets.find(f"helm@{HELM}"), "package", self.world.chart, "-d", place)
        assert not packaged.code, packaged.said
        version = yaml.safe_load((self.world.chart / "Chart.yaml").read_text())["version"]
        content = (place / f"shop-{version}.tgz").read_bytes()
        source = {"kind": "HelmRepository", "name": "shop"}
        spec = {"chart": "shop", "version": version, "interval": "1h", "sourceRef": source}
        if namespace.get(HELM_CHART, "shop") is None:
            made = {
                "apiVersion": HELM_CHART.api_version,
                "kind": HELM_CHART.kind,
                "metadata": {"name": "shop"},
                "spec": spec,
            }
            namespace.create(made, HELM_CHART)
        live = namespace.patch(HELM_CHART, "shop", {"spec": spec})
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        path = f"{namespace.name}/shop-{version}.tgz"
        artifact = {
            "path": path,
            "url": f"{self.servers.url}/{path}",
            "revision": version,
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "lastUpdateTime": now,
            "size": len(content),
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "ChartPullSucceeded",
            "message": "",
            "lastTransitionTime": now,
        }
        status = {"observedGeneration": live["metadata"]["generation"], "artifact": artifact, "conditions": [ready]}
        self.servers.api.request(
            "PATCH", f"{HELM_CHART.path(namespace.name, 'shop')}/status", {"status": status}, content_type=MERGE_PATCH
        )

    def _reconciled(self, said: str) -> tuple[int, str]:
        """Ask for a reconciliation, and wait for its end: the exit code, and what the user reads."""
        token = str(time.time_ns())
        annotation = {"reconcile.fluxcd.io/requestedAt": token}
        live = self.world.namespace.patch(HELM_RELEASE, "shop", {"metadata": {"annotations": annotation}})
        conditions: dict[str, dict[str, Any]] = {}

        def ended() -> bool:
            status = (self._live() or {}).get("status") or {}
            conditions.clear()
            conditions.update({each["type"]: each for each in status.get("conditions") or ()})
            return (
                status.get("lastHandledReconcileAt") == token
                and status.get("observedGeneration") == live["metadata"]["generation"]
                and conditions.get("Ready", {}).get("status") in ("True", "False")
            )

        wait_until(ended, "the HelmRelease to be reconciled", DONE_WITHIN)
        return int(conditions["Ready"]["status"] != "True"), f"{said}{conditions['Ready']['message']}\n"


def _hook_with_the_name_of_an_object(driver: Flux) -> str:
    """It is refused before anything is in Git, and ``nohooks`` cures it, as the refusal says."""
    driver.world.write_chart("M")
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "sizes", "annotations": {"helm.sh/hook": "pre-install"}},
    }
    (driver.world.chart / "templates" / "hook.yaml").write_text(yaml.safe_dump(body))
    refused = driver.apply(adopt=False)
    if not refused.code or "postRenderStrategy of the HelmRelease to nohooks" not in refused.said:
        return f"not refused: {refused.said}"
    driver.spec["postRenderStrategy"] = "nohooks"
    ran = driver.apply(adopt=False)
    return ran.said if ran.code else ""


Flux.own = {"hook": _hook_with_the_name_of_an_object}
