"""Play what the documentation shows of a terminal, with the real programs, and write down what they print.

    python -m tests.e2e.play

writes the outputs into the pages below their commands, and draws the README's picture from the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, executable
from tests.tools import assets, transcripts
from tests.tools.terminal import drawn
from tests.tools.transcripts import Step
from tools.pages import DOCS

HELM = "3.12.3"
ROOT = DOCS.parent
PICTURE = DOCS / "img" / "terminal.svg"
PICTURED = ("Error: INSTALLATION FAILED", "--post-renderer postrender", "grep resourceVersion")
"""The picture shows the steps in whose command or output one of these stands, but for upgrades."""


def pages() -> list[Path]:
    """Those that show commands."""
    return [page for page in transcripts.PAGES if any(transcripts.steps(page))]


def environment(it: Helm) -> Mapping[str, str]:
    """A shell in which ``helm`` is that Helm, and ``postrender`` this one."""
    programs = (assets.find(f"helm@{HELM}"), executable(it.home), Path(sys.executable))
    return {
        **it.env,
        "POSTRENDER_VERBOSE": "",
        "PATH": os.pathsep.join([*(str(each.parent) for each in programs), os.environ["PATH"]]),
    }


@contextmanager
def cluster() -> Iterator[Mapping[str, str]]:
    """The environment of a shell with a cluster of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), place) as running:
            it = Helm(assets.find(f"helm@{HELM}"), HELM, place / "home", running.kubeconfig, "default", place / "cache")
            yield environment(it)


def main() -> int:
    """Play all pages in one cluster."""
    with cluster() as environ:
        for page in pages():
            outputs = [_output(step, environ) for step in transcripts.steps(page)]
            page.write_text(transcripts.with_outputs(page, iter(outputs)))
    PICTURE.write_text(drawn(pictured()))
    return 0


def pictured() -> list[tuple[str, str]]:
    """The commands of the picture with their outputs, as the page shows them."""
    steps = (step for step in transcripts.steps(DOCS / "five-minutes.md") if step.cluster)
    return [
        (step.command, step.shown)
        for step in steps
        if any(part in f"{step.command}\n{step.shown}" for part in PICTURED) and "upgrade" not in step.command
    ]


def _output(step: Step, environ: Mapping[str, str]) -> str:
    alone = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return transcripts.neutral(transcripts.played(step.command, ROOT, environ if step.cluster else alone))


if __name__ == "__main__":
    sys.exit(main())
