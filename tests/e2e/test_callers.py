"""A part of ``bin/callers`` that needs no long build: the scenes of Helm and of kustomize that differ between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.callers.driver import Driver
from tests.callers.helm import Helm3, Helm4
from tests.callers.kustomize import Kustomize
from tests.callers.scenes import SCENES, play
from tests.callers.world import World
from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane

PLAYED = [(Helm3, "adopt"), (Helm4, "changed-again"), (Kustomize, "upgrade"), (Kustomize, "owner")]


@pytest.mark.parametrize(("caller", "name"), PLAYED, ids=lambda value: getattr(value, "name", value))
def test_it_goes_as_expected(
    caller: type[Driver], name: str, control_plane: ControlPlane, namespace: Namespace, tmp_path: Path
) -> None:
    (scene,) = (scene for scene in SCENES if scene.name == name)
    world = World(control_plane, namespace, tmp_path)
    cell = play(scene, caller(world), world)
    assert cell.happened == cell.wanted, cell.said
