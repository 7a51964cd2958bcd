"""Patches of Helm's that the API server refuses, though it would take the chart's object: they are not sent.

What the older chart set stays in Helm's patch, and beside what the chart sets now the server does not take it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, Run
from tests.e2e.kinds import SERVICE

VERSIONS = ("3.12.3", "3.21.4")
KEPT = {"name": "it", "annotations": {"helm.sh/resource-policy": "keep"}}
PORTS = {
    "another number": ([{"name": "http", "port": 80}], [{"name": "http", "port": 81}]),
    "another number and one more": (
        [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        [{"name": "http", "port": 81}, {"name": "https", "port": 443}, {"name": "dns", "port": 53, "protocol": "UDP"}],
    ),
    "exchanged names": (
        [{"name": "a", "port": 80}, {"name": "b", "port": 81}],
        [{"name": "a", "port": 81}, {"name": "b", "port": 82}],
    ),
}


def service(ports: Any) -> Any:
    spec = {"selector": {"app": "x"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": KEPT, "spec": spec}


class Kept:
    """A Service that an uninstall kept."""

    def __init__(self, version: str, control_plane: ControlPlane, folder: Path, name: str) -> None:
        namespace = control_plane.namespace(name)
        home = folder / "home"
        self._folder = folder
        self.namespace: Namespace = namespace
        self.helm = Helm(
            program(f"helm@{version}"), version, home, control_plane.kubeconfig, namespace.name, home / "cache"
        )
        self.report = folder / "report.txt"

    def keep(self, body: Any) -> None:
        self.helm.install("r", self._chart(body)).expect_ok()
        self.helm.uninstall("r").expect_ok()

    def run(self, action: str, body: Any, *arguments: str) -> Run:
        env = {"POSTRENDER_REPORT": str(self.report)}
        return self.helm.run(action, "r", str(self._chart(body)), filter=Filter(arguments), env=env)

    def said(self) -> str:
        return " ".join(self.report.read_text().split())

    def _chart(self, body: Any) -> Path:
        return chart(self._folder, {"it": body})


def ports_of(live: Any) -> list[tuple[str, int]]:
    return [(each["name"], each["port"]) for each in live["spec"]["ports"]]


@pytest.fixture(params=VERSIONS)
def kept(request: pytest.FixtureRequest, control_plane: ControlPlane, tmp_path: Path) -> Kept:
    name = f"refused-{request.param.replace('.', '-')}-{abs(hash(request.node.name)) % 10**6}"
    return Kept(request.param, control_plane, tmp_path, name)


@pytest.mark.parametrize("case", PORTS)
def test_a_port_that_keeps_its_name_moves_with_the_announced_upgrade(kept: Kept, case: str) -> None:
    before, after = PORTS[case]
    kept.keep(service(before))
    kept.run("install", service(after)).expect_ok()
    assert ports_of(kept.namespace.found(SERVICE, "it")) == [(each["name"], each["port"]) for each in before]
    assert "as live until the next helm upgrade: spec.ports." in kept.said()
    assert "(PR301)" in kept.said()
    assert "(PR307)" not in kept.said()
    kept.run("upgrade", service(after)).expect_ok()
    live = kept.namespace.found(SERVICE, "it")
    assert sorted(ports_of(live)) == sorted((each["name"], each["port"]) for each in after)


def test_what_the_server_refuses_altogether_is_refused(kept: Kept) -> None:
    before = service([{"name": "http", "port": 80}])
    kept.keep(before)
    after = service([{"name": "http", "port": 81}])
    after["spec"]["clusterIP"] = "10.0.0.222"
    run = kept.run("install", after)
    assert not run.ok
    assert "(PR307)" in run.stderr
    assert kept.namespace.releases("r") == []
    assert ports_of(kept.namespace.found(SERVICE, "it")) == [("http", 80)]
