"""Write ``postrender/lint/kubernetes_kinds.json``: which Kubernetes serves which of its own kinds in which version.

    python -m tools.kubernetes

reads what k8s.io/api says of itself: the kinds of each group and version (``addKnownTypes``, register.go) and the minor
versions of Kubernetes that brought and dropped them (zz_generated.prerelease-lifecycle.go). Needs Go.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

TABLE = Path(__file__).parents[1] / "postrender" / "lint" / "kubernetes_kinds.json"

MODULES = ("v0.19.16", "v0.22.17", "v0.24.17", "v0.27.3", "v0.32.0", "v0.34.3", "v0.37.1")
"""Old to new: a type that a module has no longer is served no longer by its Kubernetes, v0.34 being that of 1.34."""
ELSEWHERE = (
    ("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition", 7, 22),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", 16, None),
    ("apiregistration.k8s.io", "v1beta1", "APIService", 7, 22),
    ("apiregistration.k8s.io", "v1", "APIService", 10, None),
)
"""Of k8s.io/apiextensions-apiserver and k8s.io/kube-aggregator, by the same files there."""
_NO_OBJECTS = re.compile(r".*(List|Options)|RangeAllocation|SerializedReference|ImageReview|AdmissionReview")

Row = tuple[str, str, str, "int | None", "int | None"]


def minor(module: str) -> int:
    """``v0.34.3``: 34."""
    return int(module.split(".")[1])


def kinds(folder: Path) -> dict[tuple[str, str, str], tuple[int | None, int | None]]:
    """Group, version, kind of every object of a module, with the minor versions that brought and dropped it."""
    found: dict[tuple[str, str, str], tuple[int | None, int | None]] = {}
    for register in sorted(folder.glob("*/*/register.go")):
        text = register.read_text()
        group = re.search(r'GroupName\s*=\s*"([^"]*)"', text)
        known = re.search(r"AddKnownTypes\(\w*SchemeGroupVersion,(.*?)\n\t?\)\n", text, re.DOTALL)
        if not group or not known:
            continue
        lifecycle = register.with_name("zz_generated.prerelease-lifecycle.go")
        said = lifecycle.read_text() if lifecycle.exists() else ""
        for kind in re.findall(r"&(\w+)\{\}", known[1]):
            if not _NO_OBJECTS.fullmatch(kind):
                found[group[1], register.parent.name, kind] = (
                    _told(said, kind, "Introduced"),
                    _told(said, kind, "Removed"),
                )
    return found


def _told(text: str, kind: str, what: str) -> int | None:
    found = re.search(rf"\(in \*{kind}\) APILifecycle{what}\(\)[^\n]*\n\treturn 1, (\d+)", text)
    return int(found[1]) if found else None


def rows(modules: dict[int, Path]) -> list[Row]:
    """The table: group, version, kind, first minor version that serves it, first that does no longer."""
    table: dict[tuple[str, str, str], tuple[int | None, int | None]] = {}
    before: set[tuple[str, str, str]] = set()
    for version, folder in modules.items():
        now = kinds(folder)
        for gone in before - now.keys():
            since, until = table[gone]
            table[gone] = (since, until or version)
        for key, (since, until) in now.items():
            table[key] = (since or table.get(key, (None, None))[0], until)
        before = set(now)
    return sorted([(*key, *told) for key, told in table.items()] + list(ELSEWHERE))


def differences(table: Sequence[Row], after: int) -> list[str]:
    """A line for each kind that a Kubernetes newer than minor version ``after`` is the first to serve, or not to."""
    lines = []
    for group, version, kind, since, until in table:
        name = f"{group}/{version} {kind}".lstrip("/")
        lines += [f"Kubernetes 1.{since}: new {name}"] * ((since or 0) > after)
        lines += [f"Kubernetes 1.{until}: no {name}"] * (after < (until or 0) <= minor(MODULES[-1]))
    return sorted(lines)


def write() -> None:
    """Download the modules and write the table."""
    modules = {}
    with tempfile.TemporaryDirectory() as folder:
        for module in MODULES:
            done = subprocess.run(
                ["go", "mod", "download", "-json", f"k8s.io/api@{module}"],
                cwd=folder,
                env={**os.environ, "GOFLAGS": "-mod=mod"},
                capture_output=True,
                check=True,
            )
            modules[minor(module)] = Path(json.loads(done.stdout)["Dir"])
        lines = ",\n".join(json.dumps(row) for row in rows(modules))
    TABLE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    write()
