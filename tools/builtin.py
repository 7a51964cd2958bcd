"""Write ``postrender/cluster/builtin_kinds.json``: the kinds that real kube-apiservers serve of their own.

    python -m tools.builtin
    python -m tools.builtin --check

asks the servers of ``SERVERS`` with every API switched on, adds kinds that charts still render and that none of them
has any more, and prints what the servers differ in: kinds, and the types of lists, which postrender reads from the
server that it works with. ``--check`` asks the server of the end-to-end tests alone, and prints which of its kinds
differ from the table, or reject an update without a resourceVersion and are not in ``NEEDS_VERSION`` of
``postrender.helm.api_server``.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from postrender.helm.api_server import NEEDS_VERSION
from postrender.models import GroupKind
from tests.e2e.supervise import Ready
from tests.tools import assets

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "postrender" / "cluster" / "builtin_kinds.json"

SERVERS = ("1.30.14", "1.34.3", "1.37.2")
"""The oldest, the middle and the newest API server that is tested, oldest first."""

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

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


def list_types(schemas: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The type of each list, and of each atomic object, by struct and field, of the schemas of an OpenAPI document."""
    found = {}
    for struct, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            keys = " ".join(described.get("x-kubernetes-list-map-keys", ()))
            if described.get("type") == "array":
                found[struct, field] = f"{described.get('x-kubernetes-list-type', 'untyped')} {keys}".strip()
            elif "x-kubernetes-map-type" in described:
                found[struct, field] = f"{described['x-kubernetes-map-type']} object"
    return found


def list_differences(served: Mapping[str, Mapping[tuple[str, str], str]]) -> list[str]:
    """A line for each field whose type differs from one server to the next, in structs that both have."""
    lines = []
    for (older, before), (newer, after) in pairwise(served.items()):
        both = {struct for struct, _ in before} & {struct for struct, _ in after}
        for struct, field in sorted(before.keys() | after.keys()):
            was, now = before.get((struct, field), "no list"), after.get((struct, field), "no list")
            if struct in both and was != now:
                lines.append(f"{older} -> {newer}: {struct.removeprefix('io.k8s.')} {field}: {was} -> {now}")
    return lines


def unknown(found: Set[Row], known: Set[Row], *, older: bool = False) -> list[str]:
    """A line for each kind of a server that the table lacks or describes otherwise.

    With ``older`` a kind may lack the status that it has in the table: it has no such field in an older Kubernetes.
    """
    table = {row[:2]: row for row in known}
    passed = {(*row[:4], False) for row in known} if older else set()
    return [f"{row} is {table.get(row[:2], 'not')} in the table" for row in sorted(found - known - passed)]


def version_needed(strategy: str) -> bool:
    """True if a strategy.go of pkg/registry rejects an update without a resourceVersion."""
    return re.search(r"\) AllowUnconditionalUpdate\([^)]*\) bool \{\s*return false", strategy) is not None


def unknown_strategies(registry: Path, found: Set[Row]) -> list[str]:
    """A line for each kind in the source of Kubernetes that needs a resourceVersion, and is not known to need one."""
    names = {"storagemigration": "storageversionmigration"}
    lines = []
    for file in sorted(registry.glob("*/*/strategy.go")):
        name = names.get(file.parent.name, file.parent.name)
        for group, kind in sorted(row[:2] for row in found if row[1].lower() == name):
            if version_needed(file.read_text()) and GroupKind(group, kind) not in NEEDS_VERSION:
                lines.append(f"{file.relative_to(registry)}: {(group, kind)} is not known to need a resourceVersion")
    return lines


class Answers(NamedTuple):
    """What one API server serves: its kinds, and the types of lists by struct and field."""

    kinds: Set[Row]
    lists: Mapping[tuple[str, str], str]


def write() -> list[str]:
    """Write the table, and return what the servers differ in."""
    served = {version: asked(version) for version in SERVERS}
    kinds = {version: answers.kinds for version, answers in served.items()}
    TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in table(kinds)) + "\n]\n")
    return [*differences(kinds), *list_differences({version: each.lists for version, each in served.items()})]


def main(arguments: Sequence[str]) -> int:
    """1 if ``--check`` finds something."""
    if arguments != ["--check"]:
        print("\n".join(write()))
        return 0
    found = asked(assets.KUBERNETES).kinds
    known = {tuple(row) for row in json.loads(TABLE.read_text())}
    lines = unknown(found, known, older=assets.KUBERNETES in SERVERS[:-1])
    source = json.loads(assets.go("mod", "download", "-json", f"k8s.io/kubernetes@v{assets.KUBERNETES}"))["Dir"]
    lines += unknown_strategies(Path(source) / "pkg" / "registry", found)
    print("\n".join([*lines, f"{len(found)} kinds, {len(lines)} of them otherwise than in the table"]))
    return 1 if lines else 0


def asked(version: str) -> Answers:
    """What a kube-apiserver of this version serves of its own; it is built where it is missing."""
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
            rows = {row for path in ("/api", "/apis") for row in kinds(_get(ready, path, DISCOVERY))}
            lists = {}
            for path in sorted(_get(ready, "/openapi/v3")["paths"]):
                lists.update(list_types(_get(ready, f"/openapi/v3/{path}").get("components", {}).get("schemas", {})))
            return Answers(rows, lists)


def _get(ready: Ready, path: str, accept: str = "application/json") -> Any:
    headers = {"Authorization": f"Bearer {ready.token}", "Accept": accept}
    request = urllib.request.Request(f"{ready.url}{path}", headers=headers)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ready.ca), timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
