"""What a caller has to be able to do, for the scenes to be played with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.callers.world import Run, World
from tests.e2e.controlplane import ControlPlane

OwnScene = Callable[[Any], str]
"""A scene of one caller alone, called with its driver: ``""`` where all is well, else what is wrong."""


class Driver:
    """One caller, set up as its page in the documentation says, for one scene.

    ``expected`` are the cells of scenes in which this caller differs for a reason that its page names; "–" there says
    that the scene is not for it. ``needs`` are the programs of ``bin/assets`` that it runs. ``summary`` says when its
    user sees the summary. With ``stamp`` set, the filter runs with ``--stamp=all``.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    expected: ClassVar[Mapping[str, str]] = {}
    own: ClassVar[Mapping[str, OwnScene]] = {}
    summary: ClassVar[str] = "each time"
    stamp = False

    def __init__(self, world: World) -> None:
        self.world = world

    def settings(self, *, adopt: bool) -> dict[str, str]:
        """The filter's settings beside those of the example, by name."""
        return {**({"adopt": "orphans"} if adopt else {}), **({"stamp": "all"} if self.stamp else {})}

    @classmethod
    def version(cls) -> str:
        """The caller's version, and that of the Helm in it."""
        raise NotImplementedError

    def apply(self, *, adopt: bool) -> Run:
        """Bring the cluster to what the chart in ``world.chart`` says, for the first time or again."""
        raise NotImplementedError

    def delete(self) -> Run:
        """Take the release away."""
        raise NotImplementedError

    @classmethod
    def prepare(cls, control_plane: ControlPlane, folder: Path) -> None:
        """Make once what all scenes share, in ``folder``."""

    @classmethod
    def finish(cls) -> None:
        """End what ``prepare`` started."""

    def state(self) -> str:
        """What helps to see why a scene took too long."""
        return ""

    def close(self) -> None:
        """End what this scene started."""
