"""The streams that are rewritten: real charts where the corpus is there, made-up ones of the same shape elsewhere."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from postrender import manifest
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, GroupVersionKind

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "charts.tar.xz"
SEVEN_MB = 7_000_000
TURNS = 4
"""How many streams are made of the corpus."""


def ten() -> bytes:
    """Ten small documents."""
    return b"".join(_small(index) for index in range(10))


def seven_mb(turn: int = 0) -> tuple[str, bytes]:
    """About 7 MB and what it is: documents of the corpus, each object once, as a merging tool needs it.

    Each of the ``TURNS`` begins with other charts, and the last one is in reverse: no two are about the same bytes.
    """
    charts = _charts()
    start = len(charts) * turn // TURNS
    charts = charts[start:] + charts[:start]
    if turn == TURNS - 1:
        charts.reverse()
    whole = b"".join(_distinct(b"---\n" + document for document in _documents(charts)))
    if whole:
        return "charts", _cut(whole)
    return "made up", _cut(b"".join(_made_up()))


def everything() -> tuple[str, bytes]:
    """All the charts in one stream (13 MB), duplicates and all; made up where there is no corpus."""
    whole = b"\n".join(_charts())
    return ("charts", whole) if whole else ("made up", b"".join(_made_up(2)))


def live(stream: bytes) -> bytes:
    """Every object of a stream, as kubectl prints it when an earlier run of the release shop/shop left it behind."""
    found = manifest.read(stream)
    items: dict[tuple[GroupVersionKind, str, str], object] = {}
    for number, ref in enumerate(found.objects, start=1):
        value = found.value(ref)
        metadata = {
            "namespace": "shop",
            **value["metadata"],
            "labels": {**ref.labels, MANAGED_BY: "Helm"},
            "annotations": {**ref.annotations, RELEASE_NAME: "shop", RELEASE_NAMESPACE: "shop"},
            "uid": f"uid-{number}",
            "resourceVersion": f"{number}",
        }
        items[ref.gvk, metadata["namespace"], ref.name] = {**value, "metadata": metadata}
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [*items.values()]}).encode()


def _charts() -> list[bytes]:
    if not CORPUS.is_file():
        return []
    with tarfile.open(CORPUS) as archive:
        members = sorted((each for each in archive.getmembers() if each.isfile()), key=lambda each: each.name)
        files = [archive.extractfile(each) for each in members]
        return [file.read() for file in files if file is not None]


def _documents(streams: list[bytes]) -> Iterator[bytes]:
    for stream in streams:
        for document in manifest.read(stream).documents:
            if document.objects:
                yield stream[document.start : document.end].removeprefix(b"---\n").rstrip(b"\n") + b"\n"


def _distinct(documents: Iterator[bytes]) -> Iterator[bytes]:
    seen: set[tuple[GroupVersionKind, str, str]] = set()
    for document in documents:
        refs = manifest.read(document).objects
        keys = {(ref.gvk, ref.namespace, ref.name) for ref in refs}
        if not keys & seen and all(ref.name for ref in refs):
            seen |= keys
            yield document


def _cut(stream: bytes) -> bytes:
    end = stream.find(b"\n---\n", SEVEN_MB)
    return stream if end < 0 else stream[: end + 1]


def _small(index: int) -> bytes:
    head = f"---\n# Source: shop/templates/{index}.yaml\napiVersion: v1\nkind: ConfigMap\n"
    metadata = f"metadata:\n  name: config-{index}\n  labels:\n    app: shop\n"
    return f'{head}{metadata}data:\n  a: "{index}"\n'.encode()


def _made_up(times: int = 1) -> Iterator[bytes]:
    """Definitions of many fields with long descriptions, which is what most bytes of real charts are."""
    words = "the quick brown fox jumps over the lazy dog and then reads a description of this very field "
    fields = {f"field{number}": {"type": "string", "description": words * 2} for number in range(50)}
    body = json.dumps({"openAPIV3Schema": {"type": "object", "properties": fields}}, indent=2)
    for index in range(570 * times):
        head = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made-up-{index}\ndata:\n  schema: |\n"
        yield (head + "".join(f"    {line}\n" for line in body.splitlines())).encode()
