"""What the documentation shows of a terminal with a cluster, typed into one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import BETA_SHIRT, SECRET, STABLE_SHIRT
from tests.e2e.play import HELM, ROOT, environment
from tests.tools import transcripts
from tests.tools.transcripts import PAGES
from tools.pages import DOCS

WITH_CLUSTER = [page for page in PAGES if any(step.cluster for step in transcripts.steps(page))]


def test_there_are_pages_with_a_cluster() -> None:
    assert DOCS / "five-minutes.md" in WITH_CLUSTER


@pytest.mark.parametrize("page", WITH_CLUSTER, ids=lambda page: page.name)
def test_what_is_shown_is_what_is_printed(page: Path, control_plane: ControlPlane, helm: HelmFactory) -> None:
    """In the namespace ``default``, which no other test uses: the pages name it."""
    environ = environment(helm(HELM))
    default = Namespace(control_plane.api, "default")
    try:
        for step in transcripts.steps(page):
            if step.cluster:
                printed = transcripts.played(step.command, ROOT, environ)
                assert transcripts.settled(printed) == transcripts.settled(step.shown), step.command
    finally:
        for kind in (BETA_SHIRT, STABLE_SHIRT):
            if default.get(kind, "shirt"):
                default.delete(kind, "shirt")
        for release in default.releases("shirts"):
            default.delete(SECRET, f"sh.helm.release.v1.shirts.v{release.revision}")
