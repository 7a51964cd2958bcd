"""Deciding alone: a plan over 1,000 documents with 1,000 live objects, no I/O; and reading what the documents say."""

from __future__ import annotations

import statistics
import time

from bench.table import Row
from postrender import manifest
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Found,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
)
from postrender.planner.decide import decide
from postrender.planner.facts import Desired, DesiredObject, Facts
from postrender.planner.policy import Policy

OBJECTS = 1000


def rows(runs: int) -> list[Row]:
    """Seconds of processor time for a plan of kept custom resources, all in pairs that collide, by two Helms."""
    reading = Row(f"reading {OBJECTS} documents whole, 230 nodes each: processor time", _reading(), "s")
    return [reading] + [
        Row(f"a plan over {OBJECTS} live objects, Helm {version}: processor time", _seconds(version, runs), "s", 1.0)
        for version in ("3.12.3", "3.21.4")
    ]


def _reading() -> float:
    """Once for each document that Helm patches, beside what the server needs to send the object."""
    facts = _facts("3.12.3")
    before = time.process_time()
    for item in facts.items:
        facts.desired(item.ref)
    return time.process_time() - before


def _seconds(version: str, runs: int) -> float:
    facts = _facts(version)
    decide(facts, Policy())
    times = []
    for _ in range(runs):
        before = time.process_time()
        decide(facts, Policy())
        times.append(time.process_time() - before)
    return statistics.median(times)


def _facts(version: str) -> Facts:
    release = ReleaseName("shop", "shop")
    stream = manifest.read(b"".join(_document(index) for index in range(OBJECTS)))
    items = tuple(_item(stream, ref, index, release) for index, ref in enumerate(stream.objects))
    return Facts(Desired(stream), items, Invocation(HelmVersion.parse(version), Action.INSTALL, release))


def _item(stream: manifest.Manifest, ref: manifest.ObjectRef, index: int, release: ReleaseName) -> DesiredObject:
    key = ObjectKey(ref.gvk.group_kind, release.namespace, ref.name)
    labels = {MANAGED_BY: "Helm"}
    annotations = {RELEASE_NAME: release.name, RELEASE_NAMESPACE: release.namespace}
    metadata = {
        "name": ref.name,
        "namespace": release.namespace,
        "uid": f"uid-{index}",
        "resourceVersion": str(index + 1),
        "labels": labels,
        "annotations": annotations,
    }
    body = {**stream.value(ref), "metadata": metadata}
    live = LiveObject(key, ref.gvk.api_version, f"uid-{index}", str(index + 1), labels, annotations, body=body)
    return DesiredObject(ref, key, Resource(ref.gvk, "shirts", namespaced=True), Found(live))


def _document(index: int) -> bytes:
    """Every second document is the namesake, in another group, of the one before."""
    group = "beta" if index % 2 else "stable"
    fields = "".join(f"  field{number}: {{a: {number}, b: [1, 2, 3], c: text}}\n" for number in range(20))
    head = f"---\napiVersion: {group}.example.com/v1\nkind: Shirt\nmetadata: {{name: shirt-{index // 2}}}\n"
    return f"{head}spec:\n{fields}".encode()
