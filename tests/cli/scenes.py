"""Fixed scenes whose output is counted: live objects, stored releases and the manifests that are planned."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.cli.test_plan import live_file, ours, stored

OPTIONS = {"mode": "fast", "retries": "3", "timeout": "30s", "url": "https://example.com"}
"""Values of every ConfigMap, so that a whole object is a dozen lines."""


KEEP = {"helm.sh/resource-policy": "keep"}


def config(name: str, *, keep: bool = False, **data: str) -> str:
    """A ConfigMap as a chart renders it."""
    metadata = {"name": name, **({"annotations": KEEP} if keep else {})}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {**OPTIONS, **data}}
    return json.dumps(body)


def stream(documents: Iterable[str]) -> str:
    """Documents as one stream."""
    return "\n---\n".join(documents)


def names(count: int) -> list[str]:
    """``config-00`` and on."""
    return [f"config-{number:02}" for number in range(count)]


def thirty_new(folder: Path) -> tuple[str, str]:
    """The stream and the live file of an installation of 30 ConfigMaps."""
    return stream(map(config, names(30))), live_file(folder)


def one_of_thirty(folder: Path) -> tuple[str, str]:
    """An upgrade that changes one value of 30 ConfigMaps."""
    before = [config(name) for name in names(30)]
    live = [ours("ConfigMap", name, data=OPTIONS) for name in names(30)]
    after = [config("config-07", retries="5") if name == "config-07" else config(name) for name in names(30)]
    return stream(after), live_file(folder, *live, stored(stream(before)))


def four(folder: Path) -> tuple[str, str]:
    """An installation of four objects: one is new, two were kept, one of them with another value, one is an orphan."""
    kept = [ours("ConfigMap", name, data=OPTIONS) for name in ("kept", "drifted")]
    orphan: Any = ours("ConfigMap", "orphan", data=OPTIONS)
    orphan["metadata"]["annotations"]["meta.helm.sh/release-name"] = "gone"
    for each in (*kept, orphan):
        each["metadata"]["annotations"].update(KEEP)
    chart = [config("new"), config("kept", keep=True)]
    chart += [config("drifted", keep=True, retries="5"), config("orphan", keep=True)]
    return stream(chart), live_file(folder, *kept, orphan)
