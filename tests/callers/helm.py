"""Helm itself, the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.callers.driver import Driver
from tests.callers.scenes import OLD, PUT_RIGHT
from tests.callers.world import HELM, Run, World
from tests.e2e.helm import Filter


class Helm3(Driver):
    """``helm upgrade --install``, as the README says."""

    name = "Helm 3"
    helm: ClassVar[str] = HELM
    # Helm 3 patches what it adopts from the chart to the chart (docs/codes/PR301.md).
    expected: ClassVar[Mapping[str, str]] = {"changed": OLD, "changed-again": PUT_RIGHT}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._helm = world.helm(self.helm)

    @classmethod
    def version(cls) -> str:
        return cls.helm

    def apply(self, *, adopt: bool) -> Run:
        arguments = tuple(f"--{name}={value}" for name, value in self.settings(adopt=adopt).items())
        done = self._helm.run("upgrade", "--install", "shop", str(self.world.chart), filter=Filter(arguments))
        return Run(done.exit_code, done.stdout + done.stderr)

    def delete(self) -> Run:
        done = self._helm.uninstall("shop")
        return Run(done.exit_code, done.stdout + done.stderr)


class Helm4(Helm3):
    """The same with the plugin."""

    name = "Helm 4"
    helm = "4.3.2"
    expected: ClassVar[Mapping[str, str]] = {}
