"""How long the one-file program and the self-contained folder take to start, against the installed program."""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from pathlib import Path

from bench import streams
from bench.rewriting import STAMP
from bench.runs import Command, measured
from bench.table import Row
from postrender import __version__
from tools import release
from tools.pack import onefile, selfcontained


def rows(runs: int) -> list[Row]:
    """The second call and every later one: the first unpacks the archive."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (wheel,) = release.build(Path(__file__).parents[1], folder / "dist", "--wheel")
        one_file = onefile.build(wheel, folder / onefile.NAME)
        packed = selfcontained.build(wheel, __version__, folder, onefile.REQUIREMENTS)
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="tar")
        stream = folder / "stream.yaml"
        stream.write_bytes(streams.ten())
        environ = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        installed = (python, "-I", str(Path(python).with_name("postrender")), *STAMP)
        costs = measured(
            [
                Command("installed", installed, stream, environ=environ),
                Command("one file", (python, "-I", str(one_file), *STAMP), stream, environ=environ),
                Command("folder", (str(folder / "postrender" / "postrender"), *STAMP), stream, environ=environ),
            ],
            runs * 4,
        )
        size, packed_size = one_file.stat().st_size / 1e6, packed.stat().st_size / 1e6
    ratio = costs["one file"].least_cpu / costs["installed"].least_cpu
    return [
        Row(f"{onefile.NAME}", size, "MB", 15),
        Row("its processor time for 10 documents, from the second call on", ratio, "times the installed one's", 1.3),
        Row(
            "the same by the clock, the quickest of each",
            costs["one file"].quickest / costs["installed"].quickest,
            "times",
            1.3,
        ),
        Row("the self-contained folder, packed", packed_size, "MB"),
        Row(
            "its processor time for 10 documents",
            costs["folder"].least_cpu / costs["installed"].least_cpu,
            "times the installed one's",
        ),
    ]
