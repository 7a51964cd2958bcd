"""Rewriting, offline and with --live: against kustomize, a bare libyaml scan and a bare interpreter."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench import streams
from bench.runs import Command, Cost, measured
from bench.table import Row
from postrender._record import Record
from tests.tools import assets

KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")
SCAN = "import sys, yaml\nfor event in yaml.parse(sys.stdin.buffer.read(), Loader=yaml.CLoader):\n    pass\n"
WHO = ("--release", "shop", "--namespace", "shop", "--quiet")
STAMP = ("--offline", "--stamp", "all", *WHO)
KEPT = (*WHO, "--helm-version", "3.21.4", "--action", "install", "--live")
LABEL = "resources: [stream.yaml]\nlabels: [{pairs: {app.kubernetes.io/managed-by: Helm}}]\n"


class _Turn(Record):
    """What one of the streams costs."""

    ours: Cost
    scan: Cost
    kustomize: Cost


def rows(runs: int) -> list[Row]:
    """The promises about rewriting, measured."""
    python = sys.executable
    filter = (python, "-I", str(Path(python).with_name("postrender")))
    stamp, kept = (*filter, *STAMP), (*filter, *KEPT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seven = streams.seven_mb()[1]
        inputs = {"10": streams.ten(), "7 MB": seven, "twice": seven * 2, "all": streams.everything()[1]}
        for label, data in inputs.items():
            (folder / label).write_bytes(data)
        for label in ("10", "7 MB"):
            (folder / f"{label} live").write_bytes(streams.live(inputs[label]))
        (folder / "kustomization.yaml").write_text(LABEL)
        (folder / "stream.yaml").write_bytes(inputs["7 MB"])
        others = {f"turn {turn}": streams.seven_mb(turn)[1] for turn in range(1, streams.TURNS)}
        for label, data in others.items():
            (folder / label).mkdir()
            (folder / label / "stream.yaml").write_bytes(data)
            (folder / label / "kustomization.yaml").write_text(LABEL)
        kustomize = str(assets.go_tool(*KUSTOMIZE))
        bare = Command("bare python", (python, "-c", "pass"))
        small = measured(
            [
                bare,
                Command("10", stamp, folder / "10"),
                Command("live", (*kept, str(folder / "10 live")), folder / "10"),
            ],
            runs * 8,
        )
        large = measured(
            [
                Command("7 MB", stamp, folder / "7 MB"),
                Command("live", (*kept, str(folder / "7 MB live")), folder / "7 MB"),
                Command("scan", (python, "-c", SCAN), folder / "7 MB"),
                Command("kustomize", (kustomize, "build", str(folder))),
                Command("twice", stamp, folder / "twice"),
                Command("all", stamp, folder / "all"),
                bare,
            ],
            runs,
        )
        turns = [_Turn(large["7 MB"], large["scan"], large["kustomize"])]
        for label in others:
            stream = folder / label / "stream.yaml"
            costs = measured(
                [
                    Command("7 MB", stamp, stream),
                    Command("scan", (python, "-c", SCAN), stream),
                    Command("kustomize", (kustomize, "build", str(stream.parent))),
                ],
                runs,
            )
            turns.append(_Turn(costs["7 MB"], costs["scan"], costs["kustomize"]))
        sizes = {label: len(data) for label, data in inputs.items()}
    mega = 1e6
    per_byte = {
        label: (large[label].wall - large["bare python"].wall) / sizes[label] * mega
        for label in ("7 MB", "twice", "all")
    }
    ten, bare_python = small["10"], small["bare python"]
    memory = (large["7 MB"].peak - large["bare python"].peak) / sizes["7 MB"]
    return [
        Row("10 documents, processor time above a bare interpreter's", (ten.cpu - bare_python.cpu) * 1000, "ms"),
        Row("the same, the least of each", (ten.least_cpu - bare_python.least_cpu) * 1000, "ms", 25),
        Row(
            f"the same by the clock, the quickest of {runs * 8} runs of each",
            (ten.quickest - bare_python.quickest) * 1000,
            "ms",
        ),
        Row(
            f"{sizes['7 MB'] / mega:.1f} MB, all changed, the worst of {len(turns)} streams: kustomize takes",
            min(turn.kustomize.quickest / turn.ours.quickest for turn in turns),
            "times as long",
            14,
            at_least=True,
        ),
        Row(
            "the same: share of a libyaml event scan, the worst stream",
            max(turn.ours.quickest / turn.scan.quickest for turn in turns),
            "of its time",
            0.8,
        ),
        Row(f"the same: {large['7 MB'].wall:.2f} s", per_byte["7 MB"], "s a MB"),
        Row(f"{sizes['all'] / mega:.1f} MB: {large['all'].wall:.2f} s", per_byte["all"], "s a MB"),
        Row("cost a byte of the 7 MB twice over, against once", per_byte["twice"] / per_byte["7 MB"], "times", 1.2),
        Row("peak memory above the interpreter", memory, "times the stream", 4),
        Row(
            "10 documents, all of them in a snapshot file: processor time above",
            (small["live"].cpu - bare_python.cpu) * 1000,
            "ms",
        ),
        Row(f"{sizes['7 MB'] / mega:.1f} MB, all of it in a snapshot file: processor time", large["live"].cpu, "s"),
    ]
