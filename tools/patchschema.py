"""Write ``postrender/helm/patch/schema.json``: what client-go's structs say about patching, for every Helm since 3.9.

    python -m tools.patchschema

builds ``tests/tools/gopatch/schema.go`` against each client-go of ``CLIENT_GO`` (a minute each) and puts what they
describe together. The newest client-go describes every kind it knows. Kinds that only older ones know are described
by the last that did. A kind that not all of them know says which do. Prints what they differ in.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

CLIENT_GO = (
    *("0.24.2", "0.25.2", "0.26.0", "0.27.3", "0.28.4", "0.29.0", "0.30.3"),
    *("0.31.3", "0.32.2", "0.33.3", "0.34.3", "0.35.1", "0.36.2", "0.37.1"),
)
"""One version of each minor, from Helm 3.9 (0.24) to Helm 4.3 (0.37); ``client-go`` of a minor has one set of kinds."""

GO = "1.26.0"

SCHEMA = Path(__file__).parents[1] / "postrender" / "helm" / "patch" / "schema.json"

Description: TypeAlias = "dict[str, Any]"
"""What the operation ``describe`` of gopatch answers: ``client_go``, ``kinds`` and ``types`` (see schema.go)."""


def describe(version: str) -> Description:
    """The description that a gopatch built against this client-go gives."""
    modules = ("apiextensions-apiserver", "apimachinery", "client-go")
    required = "".join(f"require k8s.io/{module} v{version}\n" for module in modules)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=mod -trimpath"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(SCHEMA.parents[3] / "tests" / "tools" / "gopatch" / "schema.go", folder)
        (Path(folder) / "main.go").write_text(_MAIN)
        (Path(folder) / "go.mod").write_text(f"module gopatch\n\ngo {GO}\n\n{required}")
        subprocess.run(["go", "mod", "tidy"], cwd=folder, env=environment, check=True)
        told = subprocess.run(["go", "run", "."], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    found: Description = json.loads(told.stdout)
    return found


_MAIN = """\
package main

import (
	"encoding/json"
	"os"
)

func main() {
	if err := json.NewEncoder(os.Stdout).Encode(describe(nativeScheme())); err != nil {
		panic(err)
	}
}
"""


def united(descriptions: dict[int, Description]) -> Description:
    """One description out of those of several client-go minors.

    A kind is ``"Struct"`` where all minors know it, else ``"Struct first last"``, an open end being ``-``.
    """
    oldest, newest = min(descriptions), max(descriptions)
    types: dict[str, dict[str, str]] = dict(descriptions[newest]["types"])
    known: dict[tuple[str, str], list[int]] = {}
    for minor in sorted(descriptions):
        for version, kinds in descriptions[minor]["kinds"].items():
            for kind in kinds:
                known.setdefault((version, kind), []).append(minor)
    result: dict[str, dict[str, str]] = {}
    for (version, kind), minors in sorted(known.items()):
        first, last = minors[0], minors[-1]
        assert minors == [minor for minor in sorted(descriptions) if first <= minor <= last], (version, kind)
        description = descriptions[last]
        struct = _imported(description["kinds"][version][kind], description["types"], last, types)
        if (first, last) != (oldest, newest):
            struct += f" {'-' if first == oldest else first} {'-' if last == newest else last}"
        result.setdefault(version, {})[kind] = struct
    return {"client_go": descriptions[newest]["client_go"], "kinds": result, "types": types}


def _imported(name: str, source: dict[str, dict[str, str]], minor: int, types: dict[str, dict[str, str]]) -> str:
    """The name under which the struct, and all it holds, is in ``types``, where it is put if it is not there yet."""
    if source.get(name) == types.get(name) and _same_below(name, source, types, set()):
        return name
    fields: dict[str, str] = {}
    for field, described in source[name].items():
        reference, space, tags = described.partition(" ")
        struct = reference.lstrip("*[]")
        if struct in source:
            inner = _imported(struct, source, minor, types)
            reference = reference.removesuffix(struct) + inner
        fields[field] = reference + space + tags
    base = name.partition("@")[0]
    for known, described_fields in types.items():
        if known.partition("@")[0] == base and described_fields == fields:
            return known
    new = f"{name}-0.{minor}" if "@" in name else f"{name}@0.{minor}"
    types[new] = fields
    return new


def _same_below(name: str, left: dict[str, dict[str, str]], right: dict[str, dict[str, str]], seen: set[str]) -> bool:
    if name in seen:
        return True
    seen.add(name)
    if left.get(name) != right.get(name):
        return False
    below = {described.partition(" ")[0].lstrip("*[]") for described in left.get(name, {}).values()}
    return all(_same_below(struct, left, right, seen) for struct in below if struct in left)


def text(description: Description) -> str:
    """The description as JSON, a line for each apiVersion and each struct, so that a new version reads as a diff."""
    parts = [f'"client_go": {json.dumps(description["client_go"])}']
    for title in ("kinds", "types"):
        lines = [
            f"{json.dumps(name)}: {json.dumps(members, separators=(',', ':'), sort_keys=True)}"
            for name, members in sorted(description[title].items())
        ]
        parts.append(f'"{title}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def differences(description: Description) -> list[str]:
    """A line for each kind that not all client-go versions know, and each field whose patch tags have changed."""
    lines = []
    for version, kinds in description["kinds"].items():
        for kind, struct in kinds.items():
            _, first, last = struct.split() if " " in struct else (struct, "-", "-")
            lines += [f"client-go 0.{first}: new {version} {kind}"] * (first != "-")
            lines += [f"client-go 0.{int(last) + 1}: no {version} {kind}" for _ in range(last != "-")]
    types = description["types"]
    for name, fields in types.items():
        older = re.fullmatch(r"(.*)[@-]0\.(\d+)", name)
        if older is None:
            continue
        base, minor = older.groups()
        for field, described in fields.items():
            tags = types.get(base, {}).get(field, described).partition(" ")[2]
            if tags != described.partition(" ")[2]:
                lines.append(f"client-go 0.{int(minor) + 1}: {base} {field}: {described} -> {types[base][field]}")
    return sorted(lines)


def write() -> list[str]:
    """Write the schema, and return what the client-go versions differ in."""
    description = united({int(version.split(".")[1]): describe(version) for version in CLIENT_GO})
    SCHEMA.write_text(text(description))
    return differences(description)


if __name__ == "__main__":
    print("\n".join(write()))
