"""helmfile, with the settings of the example for one release."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import yaml

from tests.callers.driver import Driver
from tests.callers.scenes import PUT_RIGHT
from tests.callers.world import HELM, Run
from tests.tools import assets

EXAMPLES = Path(__file__).parents[2] / "examples"


class Helmfile(Driver):
    """``helmfile sync`` and ``helmfile destroy``."""

    name = "helmfile"
    needs = ("helmfile",)
    # As with Helm 3, which it runs; but its user sees nothing of a run that succeeds (docs/callers/helmfile.md).
    expected: ClassVar[Mapping[str, str]] = {"changed": "old values, and no word of it", "changed-again": PUT_RIGHT}

    @classmethod
    def version(cls) -> str:
        return f"{assets.COMMANDS['helmfile'].version}, Helm {HELM}"

    def apply(self, *, adopt: bool) -> Run:
        arguments = {"postRendererArgs": ["--adopt=orphans"]} if adopt else {}
        release = {"name": "shop", "namespace": self.world.namespace.name, "chart": "./shop"}
        body = {"helmDefaults": {"postRenderer": "postrender", **arguments}, "releases": [release]}
        (self.world.folder / "helmfile.yaml").write_text(yaml.safe_dump(body))
        return self.run("sync")

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


Helmfile.own = {"examples/helmfile": _example}
