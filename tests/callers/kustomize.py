"""kustomize with the KRM function, and kubectl: the example's files with the chart's manifests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import yaml

from tests.callers.driver import Driver
from tests.callers.world import Run, World
from tests.tools import assets

EXAMPLE = Path(__file__).parents[2] / "examples" / "kustomize"
KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")


class Kustomize(Driver):
    """``kustomize build`` into ``kubectl apply``, with a look-up by the kubeconfig."""

    name = "kustomize"
    # kubectl deletes what is kept too, and a KRM function may not write to a cluster, so that nothing is adopted.
    expected: ClassVar = {"delete": "0 objects stay", "adopt": "refused (PR102)"}
    # It runs a function and drops its results, unless the function fails.
    summary = "on failure"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._folder = world.folder / "kustomize"
        shutil.copytree(EXAMPLE, self._folder)
        settings = yaml.safe_load((EXAMPLE / "postrender.yaml").read_text())
        settings["data"] = {
            "release": "shop",
            "namespace": world.namespace.name,
            "stamp": "all",
            "kube-context": "test",
            "helm-version": "4.3.1",
        }
        (self._folder / "postrender.yaml").write_text(yaml.safe_dump(settings))

    @classmethod
    def version(cls) -> str:
        return KUSTOMIZE[1].removeprefix("v")

    def apply(self, *, adopt: bool) -> Run:
        del adopt
        rendered = self.world.run("helm", "template", "shop", self.world.chart)
        (self._folder / "resources.yaml").write_text(rendered.said)
        program = assets.go_tool(*KUSTOMIZE)
        build = (program, "build", "--enable-alpha-plugins", "--enable-exec", self._folder)
        built = self.world.run(*build)
        if built.code:
            return built
        (self.world.folder / "built.yaml").write_text(built.said)
        return self._kubectl("apply")

    def delete(self) -> Run:
        return self._kubectl("delete")

    def _kubectl(self, verb: str) -> Run:
        return self.world.run("kubectl", verb, "-n", self.world.namespace.name, "-f", "built.yaml")
