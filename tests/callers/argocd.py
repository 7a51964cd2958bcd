"""Argo CD: its own servers, with the shipped plugin in the sidecar's place and an Application synced for real."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.callers.driver import Driver
from tests.callers.git_server import GitServer
from tests.callers.scenes import RIGHT
from tests.callers.world import HELM, Run, World
from tests.e2e.api import Api, wait_until
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.kinds import CONFIG_MAP, SECRET, STABLE_SHIRT, Kind, definition
from tests.e2e.supervise import Running, free_ports, start, stop
from tests.tools import assets

EXAMPLE = Path(__file__).parents[2] / "examples" / "argocd"
APPLICATION = Kind("argoproj.io", "v1alpha1", "Application", "applications")
PROJECT = Kind("argoproj.io", "v1alpha1", "AppProject", "appprojects")
NAMESPACE = "argocd"
SYNCED_WITHIN = 90.0


class Servers:
    """Argo CD's programs, redis and a git server, for all scenes; Applications are in the namespace ``argocd``."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        self.api: Api = control_plane.api
        self.git = GitServer(folder / "repositories")
        self.git.folder.mkdir(parents=True)
        self._running: Running = {}
        self._log = folder / "cmp-server.log"
        _install(control_plane)
        self._start(control_plane, folder)

    def said(self) -> int:
        """How much the sidecar has logged, for ``since``."""
        return self._log.stat().st_size

    def since(self, place: int) -> str:
        """What the sidecar logged since then."""
        with self._log.open("rb") as log:
            log.seek(place)
            return log.read().decode(errors="replace")

    def logs(self) -> dict[str, str]:
        """The last lines of each program's log."""
        return {path.stem: "\n".join(path.read_text().splitlines()[-20:]) for path in self._log.parent.glob("*.log")}

    def stop(self) -> None:
        """End them all."""
        stop(self._running)
        self.git.stop()

    def _start(self, control_plane: ControlPlane, folder: Path) -> None:
        redis_server = shutil.which("redis-server")
        if redis_server is None:
            raise assets.Missing("redis-server is not installed; hint: apt install redis-server")
        program = str(assets.find("argocd"))
        redis, repository, *metrics = (str(port) for port in free_ports(4))
        sockets, plugin = folder / "plugins", folder / "plugin"
        for each in (sockets, plugin, folder / "tmp"):
            each.mkdir()
        shutil.copy(EXAMPLE / "plugin.yaml", plugin)
        path = os.pathsep.join(
            [
                *map(str, (Path(sys.executable).parent, assets.find(f"helm@{HELM}").parent, Path(program).parent)),
                os.environ["PATH"],
            ]
        )
        shared = {
            "PATH": path,
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "KUBECONFIG": str(control_plane.kubeconfig),
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
        }

        def run(name: str, *arguments: str, **environ: str) -> None:
            env = {**shared, "ARGOCD_BINARY_NAME": f"argocd-{name}", **environ}
            self._running[name] = start(folder / f"{name}.log", program, *arguments, env=env)

        self._running["redis"] = start(
            folder / "redis.log",
            redis_server,
            "--port",
            redis,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        )
        run(
            "cmp-server",
            f"--config-dir-path={plugin}",
            "--loglevel=info",
            POSTRENDER_LOOK_UP="true",
            POSTRENDER_KUBECONFIG=str(control_plane.kubeconfig),
            POSTRENDER_VERBOSE="true",
        )
        wait_until(lambda: any(sockets.iterdir()), "the plugin's socket")
        run(
            "repo-server",
            f"--redis=127.0.0.1:{redis}",
            "--address=127.0.0.1",
            f"--port={repository}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={metrics[0]}",
            "--disable-tls",
        )
        run(
            "application-controller",
            f"--kubeconfig={control_plane.kubeconfig}",
            f"--namespace={NAMESPACE}",
            f"--redis=127.0.0.1:{redis}",
            f"--repo-server=127.0.0.1:{repository}",
            "--repo-server-plaintext",
            f"--metrics-port={metrics[1]}",
            "--app-resync=600",
            "--status-processors=2",
            "--operation-processors=2",
            HOSTNAME="argocd-application-controller-0",
        )


def _install(control_plane: ControlPlane) -> None:
    """The definitions, settings and the project that ``kubectl apply`` of Argo CD's manifests makes."""
    folder = assets.find("argocd").parent
    serve(control_plane.api, [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*-crd.yaml"))])
    namespace = control_plane.namespace(NAMESPACE)
    part = {"app.kubernetes.io/part-of": "argocd"}
    for name in ("argocd-cm", "argocd-rbac-cm"):
        namespace.create({"metadata": {"name": name, "labels": part}}, CONFIG_MAP)
    secret = {"metadata": {"name": "argocd-secret", "labels": part}, "stringData": {"server.secretkey": "x" * 32}}
    namespace.create(secret, SECRET)
    anything = {"group": "*", "kind": "*"}
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [anything],
        "namespaceResourceWhitelist": [anything],
    }
    namespace.create(
        {"apiVersion": PROJECT.api_version, "kind": PROJECT.kind, "metadata": {"name": "default"}, "spec": spec},
        PROJECT,
    )


class ArgoCD(Driver):
    """The example's Application, with the shipped plugin and look-ups."""

    name = "Argo CD"
    needs = ("argocd",)
    # Argo CD asks no owner, so nothing has to be adopted first (docs/callers/argocd.md).
    expected: ClassVar = {"orphan": RIGHT}
    servers: ClassVar[Servers]

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._name = world.namespace.name
        self.parameters: list[dict[str, Any]] = [{"name": "release-name", "string": "shop"}]
        (self.servers.git.folder / self._name).mkdir()

    @classmethod
    def version(cls) -> str:
        return f"{assets.COMMANDS['argocd'].version}, Helm {HELM}"

    @classmethod
    def prepare(cls, control_plane: ControlPlane, folder: Path) -> None:
        cls.servers = Servers(control_plane, folder)

    @classmethod
    def finish(cls) -> None:
        cls.servers.stop()

    def apply(self, *, adopt: bool) -> Run:
        del adopt
        if self.stamp:
            self.parameters.append({"name": "stamp", "string": "all"})
        place = self.servers.said()
        commit = self._commit()
        if self._live() is None:
            self._create()
        problems = self.refresh(commit)
        if not problems and self.status("sync", "status") != "Synced":
            problems = self._sync(commit)
        return Run(int(bool(problems)), problems + self.servers.since(place))

    def delete(self) -> Run:
        self.servers.api.request("DELETE", self._path)
        wait_until(lambda: self._live() is None, f"Application {self._name} to be deleted", SYNCED_WITHIN)
        return Run(0, "")

    def close(self) -> None:
        if self._live() is not None:
            self._patch({"metadata": {"finalizers": None}})
            self.servers.api.request("DELETE", self._path)

    def state(self) -> str:
        """The Application and the ends of all logs."""
        ends = "".join(f"{name}:\n{text}" for name, text in self.servers.logs().items())
        return f"{json.dumps(self._live(), indent=1)}\n{ends}"

    def refresh(self, commit: str, how: str = "hard") -> str:
        """Compare the live objects with a commit; what Argo CD shows of an error, ``""`` for none."""
        self._patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}})

        def compared() -> bool:
            body = self._live() or {}
            waits = "argocd.argoproj.io/refresh" in body.get("metadata", {}).get("annotations", {})
            return not waits and (bool(self.conditions()) or self.status("sync", "revision") == commit)

        wait_until(compared, f"Application {self._name} to be refreshed", SYNCED_WITHIN)
        return self.conditions()

    def conditions(self) -> str:
        """The errors among the Application's conditions, as its page shows them."""
        found = self.status("conditions") or []
        return "".join(f"{each['message']}\n" for each in found if each["type"].endswith("Error"))

    def status(self, *path: str) -> Any:
        """A part of the Application's status; ``None`` if it is not there."""
        found: Any = (self._live() or {}).get("status", {})
        for name in path:
            found = (found or {}).get(name)
        return found

    @property
    def _path(self) -> str:
        return APPLICATION.path(NAMESPACE, self._name)

    def _live(self) -> dict[str, Any] | None:
        return self.servers.api.get(self._path)

    def _patch(self, patch: dict[str, Any]) -> None:
        self.servers.api.request("PATCH", self._path, patch, content_type="application/merge-patch+json")

    def _commit(self) -> str:
        place = self.servers.git.folder / self._name / "shop"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.world.chart, place)
        return self.servers.git.commit(self._name)

    def _create(self) -> None:
        made: dict[str, Any] = yaml.safe_load((EXAMPLE / "application.yaml").read_text())
        made["metadata"] = {
            "name": self._name,
            "namespace": NAMESPACE,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        }
        made["spec"]["destination"]["namespace"] = self._name
        source = made["spec"]["source"]
        source.update(repoURL=self.servers.git.url(self._name), path="shop", targetRevision="main")
        source["plugin"]["parameters"] = self.parameters
        self.servers.api.request("POST", APPLICATION.path(NAMESPACE), made)

    def _sync(self, commit: str) -> str:
        """Sync as with the button; what it shows if that fails."""
        operation = {"initiatedBy": {"username": "test"}, "sync": {"revision": commit, "prune": True}}
        self._patch({"operation": operation})
        # The controller takes it off with its result (``setOperationState``, controller/appcontroller.go).
        wait_until(
            lambda: "operation" not in (self._live() or {}), f"Application {self._name} to be synced", SYNCED_WITHIN
        )
        state = self.status("operationState")
        return "" if state["phase"] == "Succeeded" else f"{state['message']}\n"


def _no_second_adoption(driver: ArgoCD) -> str:
    """What Argo CD applied itself is not reported as adopted at each refresh."""
    driver.world.write_chart("M")
    ran = driver.apply(adopt=False)
    place = driver.servers.said()
    problems = driver.refresh(str(driver.status("sync", "revision")))
    said = driver.servers.since(place)
    if ran.code or problems or "Argo CD Application" not in said:
        return f"not refreshed: {ran.said}{problems}{said}"
    return "PR601 at a refresh" if "PR601" in said else ""


def _no_warning(driver: ArgoCD) -> str:
    """The sidecar logs no warning about the plugin's commands."""
    driver.world.write_chart("M")
    said = driver.apply(adopt=False).said
    return "" if "zero output" not in said and "generate" in said else said


def _stamped_for_helm(driver: ArgoCD) -> str:
    """With ``stamp`` set to ``all`` Helm adopts the objects later, and a definition of ``crds/`` is not Helm's."""
    kind = Kind(f"{driver.world.namespace.name}.example.com", "v1", "Sock", "socks")
    name = f"{kind.plural}.{kind.group}"
    driver.world.write_chart("M")
    (driver.world.chart / "crds").mkdir()
    (driver.world.chart / "crds" / "sock.yaml").write_text(yaml.safe_dump(definition(kind)))
    driver.stamp = True
    ran = driver.apply(adopt=False)
    if ran.code:
        return ran.said
    live = driver.servers.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}") or {}
    if "meta.helm.sh/release-name" in live["metadata"].get("annotations", {}):
        return "the definition of crds/ has Helm's ownership metadata"
    driver.close()
    done = driver.world.helm().install("shop", driver.world.chart, filter=True)
    said = done.stdout + done.stderr
    wanted = f"applied by Argo CD Application {driver.world.namespace.name} for release"
    return "" if done.ok and wanted in " ".join(said.split()) else said


def _prune_false(driver: ArgoCD) -> str:
    """With ``prune-false`` a kept object stays, and its Application is OutOfSync until the object is let go."""
    world = driver.world
    driver.parameters.append({"name": "prune-false", "string": "true"})
    world.write_chart("M")
    ran = driver.apply(adopt=False)
    (world.chart / "templates" / f"{STABLE_SHIRT.group}.yaml").unlink()
    ran = driver.apply(adopt=False) if not ran.code else ran
    if ran.code or world.namespace.get(STABLE_SHIRT, "shirt") is None:
        return f"not kept: {ran.said}"
    commit = str(driver.status("sync", "revision"))
    if driver.refresh(commit) or driver.status("sync", "status") != "OutOfSync":
        return f"is {driver.status('sync', 'status')} though an object is extra"
    ignored = {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"}
    for change in (ignored, {**dict.fromkeys(ignored), "argocd.argoproj.io/tracking-id": None}):
        world.namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"annotations": change}})
        wait_until(
            lambda: not driver.refresh(commit) and driver.status("sync", "status") == "Synced",
            f"the Application to be Synced with {change}",
            SYNCED_WITHIN,
        )
    return ""


ArgoCD.own = {
    "a refresh reports no adoption of its own objects": _no_second_adoption,
    "the sidecar logs no warning": _no_warning,
    "objects with ownership metadata, installed with Helm later": _stamped_for_helm,
    "prune-false": _prune_false,
}
