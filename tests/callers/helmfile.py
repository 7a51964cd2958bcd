"""helmfile, with the settings of the example for one release."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import yaml

from tests.callers.driver import Driver
from tests.callers.scenes import PUT_RIGHT, SUMMARY
from tests.callers.world import HELM, Run
from tests.tools import assets

EXAMPLES = Path(__file__).parents[2] / "examples"


class Helmfile(Driver):
    """``helmfile sync`` and ``helmfile destroy``."""

    name = "helmfile"
    needs = ("helmfile",)
    # As with Helm 3, which it runs; but its user sees nothing of a run that succeeds (docs/callers/helmfile.md).
    expected: ClassVar[Mapping[str, str]] = {"changed": "old values, and no word of it", "changed-again": PUT_RIGHT}
    summary = "on failure"

    @classmethod
    def version(cls) -> str:
        return f"{assets.COMMANDS['helmfile'].version}, Helm {HELM}"

    def apply(self, *, adopt: bool, flags: Sequence[str] = ()) -> Run:
        arguments = [f"--{name}={value}" for name, value in self.settings(adopt=adopt).items()]
        release = {"name": "shop", "namespace": self.world.namespace.name, "chart": "./shop"}
        defaults = {"postRenderer": "postrender", **({"postRendererArgs": arguments} if arguments else {})}
        body = {"helmDefaults": defaults, "releases": [release]}
        (self.world.folder / "helmfile.yaml").write_text(yaml.safe_dump(body))
        return self.run(*flags, "sync")

    def delete(self) -> Run:
        return self.run("destroy")

    def run(self, *arguments: str) -> Run:
        """Helmfile in the world's folder."""
        return self.world.run(assets.find("helmfile"), "--no-color", *arguments)


def _example(driver: Helmfile) -> str:
    """The example's file, as its page says; what it installs is taken away again."""
    folder = driver.world.folder / "examples"
    shutil.copytree(EXAMPLES, folder)
    file = str(folder / "helmfile" / "helmfile.yaml.gotmpl")
    for arguments in (("sync",), ("sync",), ("destroy",), ("sync",), ("destroy",)):
        ran = driver.run("--file", file, *arguments)
        if ran.code:
            return f"{' '.join(arguments)}: {ran.said}"
    return ""


def _summary(driver: Helmfile) -> str:
    """Two flags show the summary of a run that succeeds, and the report file has it without them."""
    driver.world.write_chart("M")
    report = (
        Path(driver.world.env["HOME"]) / ".local/state/postrender/reports" / driver.world.namespace.name / "shop.txt"
    )
    for flags in ((), ("--enable-live-output",), ("--debug",)):
        report.unlink(missing_ok=True)
        ran = driver.apply(adopt=False, flags=flags)
        if ran.code or bool(SUMMARY.search(ran.said)) != bool(flags) or not SUMMARY.search(report.read_text()):
            return f"{' '.join(flags) or 'no flag'}: {ran.said}"
    return ""


Helmfile.own = {
    "examples/helmfile": _example,
    "summary in the report file, with --enable-live-output, with --debug": _summary,
}
