"""A plan over 1,000 live objects whose defaults Helm's manager owns, on a server 20 ms away.

For each of them the filter asks the API server for the chart's object as it would be created, as a dry run: only that
tells a default from a field that left the chart. What it costs is the difference to the same filter without it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.lookups import DELAY, OBJECTS, RUNS
from bench.planes import HELM, NAMESPACE, control_plane, delayed, helm, through
from bench.proxy import Proxy
from bench.runs import Command, measured
from bench.table import Row
from postrender.cluster.parallel import MAX_REQUESTS
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.kinds import Kind

RELEASE = "shop"
SERVICE = Kind("", "v1", "Service", "services")
SPEC = {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"name": "http", "port": 80}]}
"""Of a Service without an address, since a thousand of those are more than the server has."""

WITHOUT = """
from postrender.operations.filter import dry_runs
assert dry_runs.with_fresh_objects
dry_runs.with_fresh_objects = lambda facts, source: facts
from postrender.cli.main import run
run()
"""
"""The filter without the dry-run creates."""


def rows(runs: int) -> list[Row]:
    """What the plan takes without the dry-run creates and with them, and what they add."""
    python = sys.executable
    with control_plane() as (plane, folder), delayed(plane, DELAY) as near:
        place = chart(folder, {f"{index}": _service(index) for index in range(OBJECTS)})
        _keep(Namespace(plane.api, NAMESPACE))
        stream = folder / "services.yaml"
        stream.write_text(helm(folder, plane.kubeconfig).template(RELEASE, place).expect_ok().stdout)
        kubeconfig = through(near, plane, folder / "near.kubeconfig")
        commands = [
            _filter("without", (python, "-c", WITHOUT), kubeconfig, stream),
            _filter("with", (python, "-m", "postrender"), kubeconfig, stream),
        ]
        asked = {command.name: _requests(command, near) for command in commands}
        if asked["with"] - asked["without"] < OBJECTS:
            raise RuntimeError(f"the dry-run creates were not left out: {asked}")
        costs = measured(commands, min(runs, RUNS))
    return [
        Row(
            f"a plan over {OBJECTS} live Services at {DELAY * 1000:g} ms: no dry-run creates",
            costs["without"].wall,
            "s",
        ),
        Row("the same with them, to find what left the chart", costs["with"].wall, "s"),
        Row("that is", costs["with"].wall / costs["without"].wall, "times", 2.5),
        Row("the same: requests", asked["with"], "requests"),
        Row("the same: processor time added", costs["with"].cpu - costs["without"].cpu, "s"),
        Row("the same: the most requests at once", near.most, "requests", MAX_REQUESTS),
    ]


def _requests(command: Command, near: Proxy) -> int:
    """How many requests one run of the command sends."""
    before = near.requests
    measured([command], 1)
    return (near.requests - before) // 2  # It is run once more to warm up.


def _service(index: int) -> Object:
    return manifest(SERVICE, f"web-{index}", SPEC, keep=True)


def _keep(namespace: Namespace) -> None:
    """Make what an uninstall leaves behind."""
    owned = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": NAMESPACE}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    for index in range(OBJECTS):
        live = manifest(SERVICE, f"web-{index}", SPEC, keep=True, annotations=owned, labels=labels)
        namespace.create(live, SERVICE, "helm")


def _filter(name: str, program: tuple[str, ...], kubeconfig: Path, stream: Path) -> Command:
    who = ("--release", RELEASE, "--namespace", NAMESPACE, "--helm-version", HELM, "--action", "install")
    return Command(name, (*program, "--kubeconfig", str(kubeconfig), *who, "--quiet"), stream)
