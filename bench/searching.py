"""``postrender orphans``: 20,000 objects of 30 kinds on a real control plane, and 100,000 behind a server of pages."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from bench.planes import NAMESPACE, control_plane, delayed, helm, through
from bench.runs import Command, Cost, measured
from bench.table import Row
from postrender.cluster.parallel import MAX_REQUESTS
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.kinds import CONFIG_MAP, Kind, definition
from tests.wire.kinds import a_revision
from tests.wire.server import Reply, Request, Server

KINDS = 30
OBJECTS = 20_000
MANY = 100_000
ORPHANS = 500
"""Of each number of objects so many are orphans; the others belong to a release that lives."""

DELAY = 0.020
RUNS = 3
FOUND = 10
"""The exit code with --detailed-exitcode where there are orphans."""


def rows(runs: int) -> list[Row]:
    """Seconds, memory above the interpreter's, and requests at once."""
    with control_plane() as (plane, folder), delayed(plane, DELAY) as proxy, Server() as server:
        _fill(plane, folder)
        real = orphans_command("real", through(proxy, plane, folder / "proxy.kubeconfig"))
        pages = {count: Pages(count) for count in (OBJECTS, MANY)}
        costs = measured([real, Command("bare", (sys.executable, "-c", "pass"))], min(runs, RUNS))
        with TemporaryDirectory() as name:
            kubeconfig = kubeconfig_of(server, Path(name) / "kubeconfig")
            for count, made in pages.items():
                server.behaviours[:] = [made]
                costs |= measured([orphans_command(f"{count}", kubeconfig)], 1)
    bare = costs["bare"]
    several = [_memory(costs[f"{count}"], bare) for count in pages]
    return [
        Row(f"orphans: {OBJECTS} objects of {KINDS} kinds at {DELAY * 1000:g} ms", costs["real"].wall, "s"),
        Row("the same: peak memory above the interpreter", _memory(costs["real"], bare), "MB"),
        Row("the same: the most requests at once", proxy.most, "requests", MAX_REQUESTS),
        Row(f"orphans: {MANY} objects of one kind: processor time", costs[f"{MANY}"].cpu, "s"),
        Row("the same: peak memory above the interpreter", several[1], "MB"),
        Row(f"the same: its growth since {OBJECTS} objects", several[1] / several[0], "times", 1.2),
    ]


def _memory(cost: Cost, bare: Cost) -> float:
    return (cost.peak - bare.peak) / 1e6


def orphans_command(name: str, kubeconfig: Path) -> Command:
    """``postrender orphans`` over all namespaces; it ends with ``FOUND``."""
    ours = (sys.executable, "-m", "postrender", "orphans", "-A", "--kubeconfig", str(kubeconfig))
    return Command(name, (*ours, "-o", "json", "--detailed-exitcode"), exits=FOUND)


def _owned(release: str) -> dict[str, Any]:
    owner = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": NAMESPACE}
    return {"annotations": owner, "labels": {"app.kubernetes.io/managed-by": "Helm"}}


def _fill(plane: ControlPlane, folder: Path) -> None:
    """A release that lives, and the objects of it and of one that is gone, spread over the kinds."""
    living = helm(folder, plane.kubeconfig)
    living.install("alive", chart(folder, {"a": manifest(CONFIG_MAP, "alive", {"a": "1"})})).expect_ok()
    kinds = [Kind(f"g{index}.bench.example.com", "v1", "Thing", "things") for index in range(KINDS)]
    serve(plane.api, [definition(kind) for kind in kinds])
    context = ssl.create_default_context(cafile=str(plane.ca))
    headers = {"Authorization": f"Bearer {plane.token}", "Content-Type": "application/json"}
    pool = urllib3.PoolManager(maxsize=8, ssl_context=context, headers=headers)

    def make(index: int) -> None:
        kind = kinds[index % KINDS]
        owned = _owned("gone" if index < ORPHANS else "alive")
        body = manifest(kind, f"thing-{index}", {"color": "blue", "size": "M"}, keep=True, **owned)
        url = f"{plane.api.url}{kind.path(NAMESPACE)}?fieldManager=helm"
        answer = pool.request("POST", url, body=json.dumps(body))
        assert answer.status == 201, answer.data

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(make, range(OBJECTS)):
            pass


class Pages:
    """A behaviour of the server of the wire tests: so many Shirts in pages, none of which is stored."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._items = [json.dumps(each) for each in _items()]

    def __call__(self, request: Request) -> Reply | None:
        """Some objects, as many as are asked for, and where it goes on."""
        if request.path.endswith("/secrets") and "owner=helm" in request.query.get("labelSelector", ""):
            return _list([json.dumps(a_revision("alive", 1, "deployed"))], "")
        if not request.path.endswith("/shirts"):
            return None
        start = int(request.query.get("continue", "0"))
        end = min(start + int(request.query["limit"]), self._count)
        alive, gone = self._items
        items = [(gone if index < ORPHANS else alive).replace("NUMBER", str(index)) for index in range(start, end)]
        return _list(items, str(end) if end < self._count else "")


def _list(items: list[str], onward: str) -> Reply:
    metadata = json.dumps({"resourceVersion": "9", **({"continue": onward} if onward else {})})
    head = '"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"'
    body = f'{{{head},"metadata":{metadata},"items":[{",".join(items)}]}}'
    return Reply(200, body.encode())


def _items() -> Iterator[dict[str, Any]]:
    """What a server tells of one object of the release that lives, and of one that is gone: 2 KB each."""
    fields: dict[str, Any] = {"f:spec": {f"f:field{index}": {"f:inner": {}} for index in range(60)}}
    managed = [{"manager": "helm", "operation": "Update", "time": "2026-09-14T10:00:00Z", "fieldsV1": fields}]
    for release in ("alive", "gone"):
        metadata = {
            "name": "thing-NUMBER",
            "namespace": NAMESPACE,
            "uid": "00000000-0000-0000-0000-NUMBER",
            "resourceVersion": "1",
            "creationTimestamp": "2026-09-14T10:00:00Z",
            "managedFields": managed,
            **_owned(release),
        }
        yield {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}


def kubeconfig_of(server: Server, path: Path) -> Path:
    """A kubeconfig file for the server."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(json.dumps(config))
    return path
