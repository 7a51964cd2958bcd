"""Each error of docs/errors.md stands there as the real Helm prints it, so that it is found by pasting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.errors import CURES, ERRORS, Error, Stage, told
from tests.e2e.helm import HelmFactory

pytestmark = pytest.mark.one_in(2)

PAGES = [Path(__file__).parents[2] / "docs" / page for page in ("errors.md", "zh/errors.md")]


@pytest.mark.parametrize(
    ("error", "version"),
    [pytest.param(error, version, id=f"{error.name}-{version}") for error in ERRORS for version in error.versions],
)
def test_the_page_shows_what_helm_prints(
    error: Error,
    version: str,
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    stage = Stage(version, helm, namespace, tmp_path, control_plane)
    text = told(stage, error.play(stage))
    assert [page.name for page in PAGES if text not in page.read_text()] == []


@pytest.mark.parametrize(
    ("cure", "version"),
    [pytest.param(cure, version, id=f"{cure.name}-{version}") for cure in CURES for version in cure.versions],
)
def test_the_page_shows_a_way_out(
    cure: Error,
    version: str,
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    cure.play(Stage(version, helm, namespace, tmp_path, control_plane)).expect_ok()
