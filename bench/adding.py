"""What the filter adds to ``helm install`` and ``helm template``, a real API server without any delay behind it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.planes import HELM, NAMESPACE, NEWEST, config_maps, control_plane, helm
from bench.runs import Command, measured
from bench.steps import STEPS
from bench.table import Row
from tests.e2e.api import Api
from tests.e2e.helm import Filter, Helm

MARKS = {10: 1.6, 100: 1.5, 1000: 1.15}
"""By the number of objects, how many times as long an installation may take with the filter."""

TEMPLATE = 60
"""Milliseconds of processor time that the filter may add to a rendering of the fewest objects."""

MANY = 1000
"""From so many objects on two counted runs are enough: each takes long, and the noise is small beside it."""

QUIET = Filter(("--quiet",))


def rows(runs: int) -> list[Row]:
    """Of 10, 100 and 1,000 objects: what is added to an installation, where that goes, what is added to a rendering."""
    found: list[Row] = []
    with control_plane() as (plane, folder):
        for version in (HELM, NEWEST):
            caller = helm(folder, plane.kubeconfig, version)
            for count in MARKS:
                chart = config_maps(folder, count)
                turns = min(runs, 2) if count >= MANY else runs
                found += _installing(plane.api, caller, chart, count, turns)
                if version == HELM:
                    found += _steps(caller, chart, folder, count, turns)
                found.append(_rendering(caller, chart, count, turns))
    return found


def _installing(api: Api, caller: Helm, chart: Path, count: int, runs: int) -> list[Row]:
    """Every release is a new one, in a namespace without others. One warm-up of each."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(runs + 1):
        for filtered, taken in seconds.items():
            release = f"{'filtered' if filtered else 'plain'}-{caller.major}-{count}-{turn}"
            before = time.perf_counter()
            caller.install(release, chart, filter=filtered and QUIET).expect_ok()
            if turn:
                taken.append(time.perf_counter() - before)
            caller.uninstall(release).expect_ok()
            api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/configmaps")
    plain, longer = seconds[False], seconds[True]
    return [
        Row(f"helm install of {count} ConfigMaps, Helm {caller.version}, the quickest of {runs}", min(plain), "s"),
        Row("the same with the filter", min(longer) / min(plain), "times as long", MARKS[count]),
        Row("the same, by the medians", statistics.median(longer) / statistics.median(plain), "times as long"),
    ]


def _steps(caller: Helm, chart: Path, folder: Path, count: int, runs: int) -> list[Row]:
    """The filter's own steps, as that Helm would have it take them."""
    stream = folder / "stream.yaml"
    stream.write_text(caller.template(f"alone-{count}", chart).expect_ok().stdout)
    who = ("--release", f"alone-{count}", "--namespace", NAMESPACE, "--helm-version", HELM, "--action", "install")
    command = (sys.executable, "-m", "bench.steps", str(caller.binary), "--kubeconfig", caller.env["KUBECONFIG"], *who)
    told = []
    for _ in range(runs + 1):
        with stream.open("rb") as stdin:
            done = subprocess.run(command, stdin=stdin, capture_output=True, check=True)
        told.append(json.loads(done.stdout))
    taken = {step: statistics.median(each[step] for each in told[1:]) * 1000 for step in STEPS}
    return [Row(f"of {count}: {step}", taken[step], "ms") for step in STEPS]


def _rendering(caller: Helm, chart: Path, count: int, runs: int) -> Row:
    plain, environ = caller.command("template", "rendered", str(chart))
    filtered, _ = caller.command("template", "rendered", str(chart), filter=QUIET)
    costs = measured(
        [Command("plain", plain, environ=environ), Command("filtered", filtered, environ=environ)], runs * 2
    )
    added = (costs["filtered"].least_cpu - costs["plain"].least_cpu) * 1000
    return Row(
        f"processor time added to helm template of {count} ConfigMaps, Helm {caller.version}, the least of {runs * 2}",
        added,
        "ms",
        TEMPLATE if count == min(MARKS) else None,
    )
