"""``bin/kills``: ``postrender run`` killed at its every request and at every write of its Helm, and called again; and
``postrender unserved --fix``, ``move``, ``forget`` and ``rename`` at their every request.

Some of them are in ``test_run_killed.py``; all take some minutes, so this file is none that pytest looks for.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e import moving, test_forget, test_rename
from tests.e2e.api import Namespace
from tests.e2e.charts import chart
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.helms import VERSIONS
from tests.e2e.killing import EVERY_UNSERVED, SCENES, Interruption, Kill, Stage, interrupted, kills, repaired_after
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.moving import EVERY_MOVE, READS, Killed
from tests.e2e.proxy import Proxy
from tests.e2e.test_forget import EVERY_FORGET
from tests.e2e.test_rename import EVERY_RENAME
from tests.e2e.test_take_fields import POINTS, killed_and_repeated


@pytest.mark.parametrize("kill", [kill for scene in SCENES for kill in kills(scene)], ids=str)
def test_killed_and_called_again_it_ends_the_same(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, kill: Kill
) -> None:
    with Stage(helm(kill.scene.version), namespace, control_plane, tmp_path) as stage:
        interrupted(stage, kill)


@pytest.mark.parametrize(("place", "when"), POINTS)
def test_fields_whose_move_is_killed_are_moved_by_the_next_call(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    place: int,
    when: Literal["before", "after"],
) -> None:
    killed_and_repeated(helm("4.3.2"), namespace, control_plane, tmp_path, place, when)


@pytest.mark.parametrize(
    ("killed", "version"),
    [
        *((killed, version) for killed in EVERY_MOVE for version in VERSIONS),
        *((killed, VERSIONS[-1]) for killed in READS),
    ],
    ids=str,
)
def test_a_move_killed_loses_no_object_whatever_is_done_then(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, killed: Killed, version: str
) -> None:
    moving.interrupted(helm(version), namespace, control_plane, tmp_path, *killed)


@pytest.mark.parametrize("point", EVERY_UNSERVED, ids=str)
def test_a_repair_killed_and_called_again_loses_nothing(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, point: Interruption
) -> None:
    repaired_after(helm("3.22.0"), namespace, control_plane, tmp_path, point)


@pytest.mark.parametrize(("there", "interruption"), EVERY_RENAME, ids=str)
def test_a_rename_killed_shows_no_two_releases(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    there: str,
    interruption: Interruption,
) -> None:
    test_rename.interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, there, interruption)


@pytest.mark.parametrize("interruption", EVERY_FORGET, ids=str)
def test_a_forgotten_release_is_not_lost_if_it_is_killed(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, interruption: Interruption
) -> None:
    test_forget.interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, interruption)


def test_a_thousand_objects_are_moved(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Prints seconds and requests: bin/kills -s -k thousand."""
    it = helm("3.22.0")
    many = {f"cm-{number}": moving.config(f"cm-{number}") for number in range(1000)}
    it.install("a", chart(tmp_path, many), "--timeout", "300s").expect_ok()
    proxy = Proxy(control_plane, tmp_path / "many.kubeconfig")
    with proxy:
        began = time.monotonic()
        moving.moved(it, "--all", "--from", "a", "--to", "b", env={"KUBECONFIG": str(proxy.kubeconfig)})
        print(f"\n1,000 objects: {time.monotonic() - began:.1f} s, {len(proxy.requests)} requests")
    assert moving.stored_names(namespace, "a") == [[]]
    assert all(namespace.owner(CONFIG_MAP, name) == "b" for name in (f"cm-{number}" for number in (0, 500, 999)))
    assert len(proxy.requests) < 2100
