"""Write ``postrender/cluster/builtin_kinds.json``: the kinds that real kube-apiservers serve of their own.

    python -m tools.builtin > postrender/cluster/builtin_kinds.json
    python -m tools.builtin --check

asks the servers of ``SERVERS`` with every API switched on, and adds kinds that charts still render and that none of
them has any more. What the servers differ in goes to stderr. ``--check`` asks the server of the end-to-end tests alone,
and prints what it says otherwise than the table.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from tests.e2e.supervise import Ready
from tests.tools import assets

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "postrender" / "cluster" / "builtin_kinds.json"

SERVERS = ("1.30.14", "1.34.3", "1.37.2")
"""The oldest, the middle and the newest API server that is tested, oldest first."""

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

REMOVED = (
    ("extensions", "DaemonSet", "daemonsets", True, True),
    ("extensions", "Deployment", "deployments", True, True),
    ("extensions", "Ingress", "ingresses", True, True),
    ("extensions", "NetworkPolicy", "networkpolicies", True, False),
    ("extensions", "PodSecurityPolicy", "podsecuritypolicies", False, False),
    ("extensions", "ReplicaSet", "replicasets", True, True),
    ("policy", "PodSecurityPolicy", "podsecuritypolicies", False, False),
)
"""Kinds of older servers: ``extensions`` went with 1.16 (its Ingress with 1.22), PodSecurityPolicy with 1.25."""


Row: TypeAlias = "tuple[str, str, str, bool, bool]"
"""Group, kind, plural, whether namespaced, whether with a status subresource."""


def kinds(answer: Any) -> set[Row]:
    """A row for each resource that can be read, from one answer of aggregated discovery."""
    found = set()
    for group in answer["items"]:
        for version in group["versions"]:
            for each in version["resources"]:
                if "get" in each["verbs"]:
                    inner = {sub["subresource"] for sub in each.get("subresources", [])}
                    name = group["metadata"].get("name", "")
                    namespaced = each["scope"] == "Namespaced"
                    kind = each["responseKind"]["kind"]
                    found.add((name, kind, each["resource"], namespaced, "status" in inner))
    return found


def table(served: Mapping[str, Set[Row]]) -> list[Row]:
    """All rows, sorted: a kind that servers describe differently as the newest does; ``served`` is oldest first."""
    rows: dict[tuple[str, str], Row] = {row[:2]: row for row in REMOVED}
    for found in served.values():
        rows |= {row[:2]: row for row in found}
    return sorted(rows.values())


def differences(served: Mapping[str, Set[Row]]) -> list[str]:
    """A line for each kind that comes, goes or is described differently from one server to the next."""
    lines = []
    for (older, before), (newer, after) in pairwise(served.items()):
        old, new = ({row[:2]: row for row in rows} for rows in (before, after))
        for group, kind in sorted(old.keys() | new.keys()):
            key = (group, kind)
            name = f"{kind}.{group}" if group else kind
            if key not in new:
                lines.append(f"{older} -> {newer}: no {name}")
            elif key not in old:
                lines.append(f"{older} -> {newer}: new {name}")
            elif old[key] != new[key]:
                lines.append(f"{older} -> {newer}: {name} was {old[key][2:]} and is {new[key][2:]}")
    return lines


def unknown(found: Set[Row], known: Set[Row]) -> list[str]:
    """A line for each kind of a server that the table lacks or describes otherwise."""
    table = {row[:2]: row for row in known}
    return [f"{row} is {table.get(row[:2], 'not')} in the table" for row in sorted(found - known)]


def main(arguments: Sequence[str]) -> int:
    """Ask servers that live for as long as this takes; the table goes to stdout, their differences to stderr."""
    if arguments == ["--check"]:
        found = asked(assets.KUBERNETES)
        lines = unknown(found, {tuple(row) for row in json.loads(TABLE.read_text())})
        print("\n".join([*lines, f"{len(found)} kinds, {len(lines)} of them otherwise than in the table"]))
        return 1 if lines else 0
    served = {version: asked(version) for version in SERVERS}
    sys.stderr.write("".join(f"{line}\n" for line in differences(served)))
    print("[\n" + ",\n".join(json.dumps(row) for row in table(served)) + "\n]")
    return 0


def asked(version: str) -> set[Row]:
    """The kinds that a kube-apiserver of this version serves of its own; it is built where it is missing."""
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "kube-apiserver"
        server = assets.build(f"kube-apiserver@{version}")
        everything.write_text(f'#!/bin/sh\nexec {server} "$@" --runtime-config=api/all=true\n')
        everything.chmod(0o755)
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.supervise", str(assets.etcd()), str(everything)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert running.stdout is not None
        with running:
            ready = Ready(**json.loads(running.stdout.readline()))
            return {row for path in ("/api", "/apis") for row in kinds(_get(ready, path))}


def _get(ready: Ready, path: str) -> Any:
    headers = {"Authorization": f"Bearer {ready.token}", "Accept": ACCEPT}
    request = urllib.request.Request(f"{ready.url}{path}", headers=headers)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ready.ca), timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
