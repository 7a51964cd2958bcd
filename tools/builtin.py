"""Write ``postrender/cluster/builtin_kinds.json``: the kinds that a real kube-apiserver serves of its own.

    python -m tools.builtin > postrender/cluster/builtin_kinds.json

asks a server with every API switched on, and adds kinds that charts still render and that this server no longer has.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.supervise import Ready
from tests.tools import assets

ROOT = Path(__file__).parents[1]

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


def kinds(answer: Any) -> set[tuple[str, str, str, bool, bool]]:
    """Group, kind, plural, whether namespaced, whether with a status subresource, of each resource that can be read."""
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


def main() -> int:
    """Ask a server that lives for as long as this takes; the table goes to stdout."""
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "kube-apiserver"
        everything.write_text(f'#!/bin/sh\nexec {assets.kube_apiserver()} "$@" --runtime-config=api/all=true\n')
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
            rows = {row for path in ("/api", "/apis") for row in kinds(_get(ready, path))}
    lines = [json.dumps(row) for row in sorted(rows | set(REMOVED))]
    print("[\n" + ",\n".join(lines) + "\n]")
    return 0


def _get(ready: Ready, path: str) -> Any:
    headers = {"Authorization": f"Bearer {ready.token}", "Accept": ACCEPT}
    request = urllib.request.Request(f"{ready.url}{path}", headers=headers)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ready.ca), timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    sys.exit(main())
