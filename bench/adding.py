"""What the filter adds to ``helm install`` and ``helm template``, a real API server without any delay behind it."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from bench.planes import HELM, NAMESPACE, config_maps, control_plane, helm
from bench.runs import Command, measured
from bench.table import Row
from tests.e2e.helm import Filter, Helm, executable

INSTALLED = 100
RENDERED = (10, 100, 1000)
QUIET = Filter(("--quiet",))
IMPORTS = "import postrender.commands.filter, postrender.cluster, kubernetes.client.rest, kubernetes.config"


def rows(runs: int) -> list[Row]:
    """Per cent of an installation, milliseconds of a rendering, and where the filter's own time goes."""
    with control_plane() as (plane, folder):
        caller = helm(folder, plane.kubeconfig)
        charts = {count: config_maps(folder, count) for count in RENDERED}
        return [
            *_installing(caller, charts[INSTALLED], runs),
            *_filtering(caller, charts[INSTALLED], folder, runs),
            *(_rendering(caller, chart, count, runs) for count, chart in charts.items()),
        ]


def _installing(caller: Helm, chart: Path, runs: int) -> list[Row]:
    """Every release is a new one, with objects of its own: an earlier one's are kept."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(runs + 1):
        for filtered, taken in seconds.items():
            release = f"{'filtered' if filtered else 'plain'}-{turn}"
            before = time.perf_counter()
            caller.install(release, chart, filter=filtered and QUIET).expect_ok()
            taken.append(time.perf_counter() - before)
            caller.uninstall(release).expect_ok()
    plain, longer = (statistics.median(seconds[which][1:]) for which in (False, True))
    return [
        Row(f"helm install of {INSTALLED} ConfigMaps, Helm {HELM}", plain, "s"),
        Row("the same with the filter: takes longer by", (longer / plain - 1) * 100, "%"),
    ]


def _filtering(caller: Helm, chart: Path, folder: Path, runs: int) -> list[Row]:
    """The filter alone, as that Helm calls it, step by step."""
    stream = folder / "stream.yaml"
    stream.write_text(caller.template("alone", chart).expect_ok().stdout)
    who = ("--release", "alone", "--namespace", NAMESPACE, "--helm-version", HELM, "--action", "install")
    filter = (str(executable(folder)), "--kubeconfig", caller.env["KUBECONFIG"], *who, "--quiet")
    costs = measured(
        [
            Command("bare", (sys.executable, "-c", "pass")),
            Command("imports", (sys.executable, "-c", IMPORTS)),
            Command("filter", filter, stream),
        ],
        runs,
    )
    bare, imports, whole = (costs[step].wall for step in ("bare", "imports", "filter"))
    return [
        Row(f"the filter of {INSTALLED} ConfigMaps by itself", whole, "s"),
        Row("of which the interpreter", bare, "s"),
        Row("of which imports, the package kubernetes above all", imports - bare, "s"),
        Row("of which work: connect, ask, decide, write", whole - imports, "s"),
    ]


def _rendering(caller: Helm, chart: Path, count: int, runs: int) -> Row:
    plain = (str(caller.binary), "template", "rendered", str(chart), "--namespace", NAMESPACE)
    filtered = (*plain, "--post-renderer", str(executable(caller.home)), "--post-renderer-args=--quiet")
    costs = measured(
        [Command("plain", plain, environ=caller.env), Command("filtered", filtered, environ=caller.env)], runs
    )
    added = (costs["filtered"].wall - costs["plain"].wall) * 1000
    return Row(f"added to helm template of {count} ConfigMaps", added, "ms")
