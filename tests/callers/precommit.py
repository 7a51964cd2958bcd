"""pre-commit, which runs ``postrender lint`` and no release: of the scenes only its own are for it."""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from tests.callers.driver import Driver
from tests.callers.scenes import SCENES
from tests.release.test_ci import test_pre_commit_runs_the_hook_of_a_clone as hook_of_a_clone


class PreCommit(Driver):
    """``pre-commit run`` in a repository whose configuration names a clone of this one."""

    name = "pre-commit"
    needs = ("helm@3.21.4",)
    expected: ClassVar = {scene.name: "–" for scene in SCENES}
    summary = "–"

    @classmethod
    def version(cls) -> str:
        return version("pre-commit")


def _hook(driver: PreCommit) -> str:
    """It finds a misspelled policy, and passes without one."""
    try:
        hook_of_a_clone(driver.world.folder)
    except AssertionError as error:
        return str(error)
    return ""


PreCommit.own = {"the hook fails for a misspelled policy, and passes without it": _hook}
