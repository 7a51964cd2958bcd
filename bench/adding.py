"""What the filter adds to ``helm install`` and ``helm template``, a real API server without any delay behind it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.planes import HELM, NAMESPACE, config_maps, control_plane, helm
from bench.runs import Command, measured
from bench.steps import STEPS
from bench.table import Row
from tests.e2e.helm import Filter, Helm, executable

COUNTS = (10, 100, 1000)
MANY = 1000
"""From so many objects on one counted run is enough: it takes long, and the noise is small beside it."""

QUIET = Filter(("--quiet",))


def rows(runs: int) -> list[Row]:
    """Of 10, 100 and 1,000 objects: what is added to an installation, where that goes, what is added to a rendering."""
    found: list[Row] = []
    with control_plane() as (plane, folder):
        caller = helm(folder, plane.kubeconfig)
        for count in COUNTS:
            chart = config_maps(folder, count)
            turns = 1 if count >= MANY else runs
            found += _installing(caller, chart, count, turns)
            found += _steps(caller, chart, folder, count, turns)
            found.append(_rendering(caller, chart, count, turns))
    return found


def _installing(caller: Helm, chart: Path, count: int, runs: int) -> list[Row]:
    """Every release is a new one, with objects of its own: an earlier one's are kept. One warm-up of each."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(runs + (count < MANY)):
        for filtered, taken in seconds.items():
            release = f"{'filtered' if filtered else 'plain'}-{count}-{turn}"
            before = time.perf_counter()
            caller.install(release, chart, filter=filtered and QUIET).expect_ok()
            taken.append(time.perf_counter() - before)
            caller.uninstall(release).expect_ok()
    plain, longer = (statistics.median(seconds[which][count < MANY :]) for which in (False, True))
    return [
        Row(f"helm install of {count} ConfigMaps, Helm {HELM}", plain, "s"),
        Row("the same with the filter: takes longer by", (longer - plain) * 1000, "ms"),
        Row("that is", (longer / plain - 1) * 100, "%"),
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
    plain = (str(caller.binary), "template", "rendered", str(chart), "--namespace", NAMESPACE)
    filtered = (*plain, "--post-renderer", str(executable(caller.home)), "--post-renderer-args=--quiet")
    costs = measured(
        [Command("plain", plain, environ=caller.env), Command("filtered", filtered, environ=caller.env)], runs
    )
    added = (costs["filtered"].wall - costs["plain"].wall) * 1000
    return Row(f"added to helm template of {count} ConfigMaps", added, "ms")
