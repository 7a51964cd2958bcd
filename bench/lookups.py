"""The look-up of 1,000 objects on a server 20 ms away: the filter's against Helm's own existence check."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.planes import CONTENT, HELM, NAMESPACE, config_maps, control_plane, delayed, helm, through
from bench.runs import Command, Cost, measured
from bench.table import Row
from postrender._record import Record
from postrender.cluster.parallel import MAX_REQUESTS
from tests.e2e.api import Namespace
from tests.e2e.charts import manifest
from tests.e2e.helm import Helm
from tests.e2e.kinds import CONFIG_MAP

DELAY = 0.020
OBJECTS = 1000
RUNS = 2
"""At most so many counted runs: Helm takes half a minute for each."""

NEW, KEPT, MIXED = "mart", "shop", "mall"
"""A release none of whose objects is live; one that is gone and all of whose objects were kept, or the first one."""


class _Taken(Record):
    """Seconds for all objects less those for one, of Helm and of the filter; bytes of memory of the filter."""

    helm: float
    filter: float
    peak: int


def rows(runs: int) -> list[Row]:
    """Helm looks up one object after the other (``existingResourceConflict``, pkg/action/validate.go)."""
    python = sys.executable
    with control_plane() as (plane, folder), delayed(plane, DELAY) as near, delayed(plane, DELAY) as far:
        charts = {count: config_maps(folder, count) for count in (1, OBJECTS)}
        direct = helm(folder, plane.kubeconfig)
        _keep(Namespace(plane.api, NAMESPACE), KEPT, OBJECTS)
        _keep(Namespace(plane.api, NAMESPACE), MIXED, 1)
        alone = helm(folder, through(far, plane, folder / "far.kubeconfig"))
        kubeconfig = through(near, plane, folder / "near.kubeconfig")
        taken = {}
        for release in (NEW, KEPT, MIXED):
            commands = []
            for count, chart in charts.items():
                stream = folder / f"{release}-{count}.yaml"
                stream.write_text(direct.template(release, chart).expect_ok().stdout)
                commands += [_helm(alone, release, chart, count), _filter(kubeconfig, release, stream, count)]
            costs = measured([*commands, Command("bare", (python, "-c", "pass"))], min(runs, RUNS))
            taken[release] = _taken(costs)
    return [
        *_compared(f"{OBJECTS} objects at {DELAY * 1000:g} ms, none live", taken[NEW]),
        *_compared("the same, all live and kept", taken[KEPT]),
        *_compared("the same, one kept, the rest checked as new", taken[MIXED]),
        Row("the most requests at once", near.most, "requests", MAX_REQUESTS),
        Row("peak memory above the interpreter", max(each.peak for each in taken.values()) / 1e6, "MB"),
    ]


def _keep(namespace: Namespace, release: str, count: int) -> None:
    """Make what an uninstall leaves behind, one by one: a thousand at once is more than Helm can do."""
    owned = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": NAMESPACE}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    for index in range(count):
        live = manifest(CONFIG_MAP, f"{release}-{index}", CONTENT, keep=True, annotations=owned, labels=labels)
        namespace.create(live, CONFIG_MAP, "helm")


def _compared(what: str, taken: _Taken) -> list[Row]:
    return [
        Row(f"{what}: share of Helm's own check", taken.filter / taken.helm, "of its time", 0.2),
        Row(f"{what}: Helm {HELM}", taken.helm, "s"),
        Row(f"{what}: the filter", taken.filter, "s"),
    ]


def _taken(costs: dict[str, Cost]) -> _Taken:
    helm, filter = (costs[f"{who} {OBJECTS}"].wall - costs[f"{who} 1"].wall for who in ("helm", "filter"))
    return _Taken(helm, filter, costs[f"filter {OBJECTS}"].peak - costs["bare"].peak)


def _helm(helm: Helm, release: str, chart: Path, count: int) -> Command:
    """Without validation, which is work of its own and no look-up."""
    flags = ("--dry-run=server", "--disable-openapi-validation", "--namespace", NAMESPACE)
    return Command(f"helm {count}", (str(helm.binary), "install", release, str(chart), *flags), environ=helm.env)


def _filter(kubeconfig: Path, release: str, stream: Path, count: int) -> Command:
    who = ("--release", release, "--namespace", NAMESPACE, "--helm-version", HELM, "--action", "install")
    argv = (sys.executable, "-m", "postrender", "--kubeconfig", str(kubeconfig), *who, "--quiet")
    return Command(f"filter {count}", argv, stream)
