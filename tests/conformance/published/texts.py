"""YAML texts of other projects' tests: read here, and by the Go code that Helm reads with."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import reader
from postrender.manifest.documents import document_value
from postrender.manifest.reader import Span
from tests.conformance.published.result import NotCompared, Result, compare, compared
from tests.corpus.tally import tally
from tests.fuzz.oracle import equal
from tests.tools import assets, gotables
from tests.tools.goreader import GoReader, GoStream

SUITE = ("github.com/goccy/go-yaml", "1.19.2", "testdata/yaml-test-suite")
"""A module that has a copy of the YAML test suite."""

LARGE = 1_000_000


def recorded(name: str) -> Result:
    """The texts that the tests of a package read."""
    with GoReader() as go:
        return compare(gotables.calls(name), lambda call: _differs(base64.b64decode(call["Text"] or ""), go))


def suite() -> Result:
    """The YAML test suite."""
    module, version, under = SUITE
    found = json.loads(assets.go("mod", "download", "-json", f"{module}@v{version}"))
    paths = sorted((Path(found["Dir"]) / under).rglob("in.yaml"))
    with GoReader() as go:
        return compared(((str(path.parent.name), path.read_bytes()) for path in paths), lambda text: _differs(text, go))


def charts(major: int) -> Result:
    """The charts of Helm's own tests, rendered by it: what is stamped, and what must not change, as Go reads it."""
    with GoReader() as go:
        return compared(_rendered(major), lambda data: _changed(data, go))


def _rendered(major: int) -> Iterator[tuple[str, bytes | None]]:
    module, version = f"helm.sh/helm/v{major}", gotables.HELMS[major]
    source = Path(json.loads(assets.go("mod", "download", "-json", f"{module}@v{version}"))["Dir"])
    folder = source / ("cmd/helm" if major < 4 else "pkg/cmd") / "testdata/testcharts"
    with tempfile.TemporaryDirectory() as home:
        for chart in sorted(path.parent for path in folder.glob("*/Chart.yaml")):
            done = subprocess.run(
                [assets.helm(version), "template", "it", str(chart), "--skip-schema-validation"],
                env={**os.environ, "HELM_CACHE_HOME": home},
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
            yield chart.name, None if done.returncode else done.stdout


def _changed(data: bytes | None, go: GoReader) -> str:
    if data is None:
        raise NotCompared("a chart that Helm does not render: nothing reaches a post-renderer")
    found = tally(data, go)
    return "; ".join(found.lines) if found.differences or found.changed or found.refused else ""


def _differs(text: bytes, go: GoReader) -> str:
    if len(text) > LARGE:
        raise NotCompared("five megabytes, left out for the time they take")
    answer = go.read(text)
    for libyaml in (True, False):
        with mock.patch.object(reader, "LIBYAML", libyaml):
            difference = _read_otherwise(text, answer, "" if libyaml else "without libyaml ")
        if difference:
            return difference
    return ""


def _read_otherwise(text: bytes, answer: GoStream, how: str) -> str:
    try:
        found = values(text)
    except ManifestError as error:
        if answer.error:
            return ""
        raise NotCompared(f"{how}refused here, though Helm reads it: {error.cause}") from None
    if answer.error:
        raise NotCompared(f"{how}read here, though Helm refuses it: such a template never reaches a post-renderer")
    return "" if equal(found, answer.values) else f"{how}read as {found} instead of {answer.values}"


def values(text: bytes) -> list[Any]:
    """What the documents of a stream hold, as postrender reads it; raises ManifestError."""
    documents = manifest.read(text).documents
    found = [document_value(Span(text, each.start, each.end), is_json=each.json) for each in documents]
    return [value for value in found if value is not None]
