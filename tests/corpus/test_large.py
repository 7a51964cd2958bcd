"""A document of 50 MB, as a user hands it over: stamped in place, within bounds of memory; one of JSON of 5 MB."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.shapes import long_key, long_list
from postrender.helm.invocation import Action, Invocation
from postrender.models import ReleaseName
from postrender.operations.filter.pipeline import filter_stream
from postrender.planner.policy import Policy, Stamp

SIZE = 50_000_000
LINE = b"    it's a line: of text, with {what} looks [like] YAML # in it\n"
HEAD = b"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
SMALL = HEAD + b'data:\n  a: "1"\n'
STAMPS = (
    b'  labels:\n    app.kubernetes.io/managed-by: "Helm"\n'
    b'  annotations:\n    meta.helm.sh/release-name: "shop"\n    meta.helm.sh/release-namespace: "shop"\n'
)
FLAGS = ("--offline", "--stamp", "all", "--release", "shop", "--namespace", "shop", "--quiet")
INTERPRETER = 30 << 20


RUN = """
import sys
from postrender.cli.main import main
code = main(sys.argv[1:])
try:
    lines = open("/proc/self/status").read().splitlines()
except FileNotFoundError:
    lines = ["VmHWM: 0 kB"]
sys.stderr.write(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
sys.exit(code)
"""
"""The filter, which says at its end how many KiB it held at most, where the system tells."""


def filtered(folder: Path, data: bytes) -> tuple[bytes, int]:
    """The output, and the most memory that the filter held at once, in bytes."""
    (folder / "in").write_bytes(data)
    with (folder / "in").open("rb") as stdin:
        done = subprocess.run([sys.executable, "-c", RUN, *FLAGS], stdin=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, int(done.stderr) << 10


@pytest.mark.parametrize("style", ["block scalar", "mapping", "JSON"])
def test_large_document_is_stamped(tmp_path: Path, style: str) -> None:
    if style == "JSON":
        fields = b", ".join(b'"key-%08d": "text of a field"' % number for number in range(SIZE // 10 // 36))
        data = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {' + fields + b"}}\n"
    elif style == "mapping":
        lines = b"".join(b"  key-%08d: text of a field\n" % number for number in range(SIZE // 34))
        data = SMALL + HEAD + b"data:\n" + lines + SMALL
    else:
        data = SMALL + HEAD + b"data:\n  a: |\n" + LINE * (SIZE // len(LINE)) + SMALL
    output, peak = filtered(tmp_path, data)
    if style == "JSON":
        stamps = (
            b'"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": '
            b'{"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}, '
        )
        assert output.replace(stamps, b"", 1) == data
    else:
        assert output.count(STAMPS) == 3
        assert output.replace(STAMPS, b"") == data
    assert peak < INTERPRETER + 4 * len(data)


@pytest.mark.parametrize(("shape", "size"), [(long_list, 1_000), (long_key, 5_000)])
def test_time_grows_with_the_stream_and_no_faster(shape: Callable[[int], bytes], size: int) -> None:
    """Eight times the stream takes eight times as long, not sixty-four times."""
    small, large = _seconds(shape(size), shape(8 * size))
    assert large < 20 * max(small, 0.01)


def _seconds(*streams: bytes) -> list[float]:
    """The least processor time of three runs of each; taken by turns, so that a busy machine slows all of them."""
    release = ReleaseName("shop", "shop")
    taken: list[list[float]] = [[] for _ in streams]
    for _ in range(3):
        for data, times in zip(streams, taken, strict=True):
            before = time.process_time()
            filter_stream(data, Invocation(None, Action.INSTALL, release), Policy(stamp=Stamp.ALL), None)
            times.append(time.process_time() - before)
    return [min(times) for times in taken]
