"""``postrender move`` with real Helms: what becomes of the object, whatever the two releases do afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory, executable
from tests.e2e.helms import VERSIONS
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.moving import (
    MOVED,
    SOME_MOVES,
    STAYS,
    Killed,
    interrupted,
    moved,
    new_chart,
    old_chart,
    owner,
    stored_names,
    unmarked,
)

OWNERSHIP = "invalid ownership metadata"


@pytest.mark.parametrize(
    ("old", "new", "driver"),
    [*((version, version, "secret") for version in VERSIONS), ("3.12.3", "4.3.2", "configmap")],
)
def test_the_object_changes_hands_and_nothing_else_does(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, old: str, new: str, driver: str
) -> None:
    env = {"HELM_DRIVER": driver}
    a, b = helm(old), helm(new)
    a.install("a", old_chart(tmp_path), env=env).expect_ok()
    a.upgrade("a", old_chart(tmp_path, "2"), env=env).expect_ok()
    uid = namespace.uid(CONFIG_MAP, MOVED)
    moved(a, f"configmaps/{MOVED}", "--from", "a", "--to", "b", env=env)
    assert (owner(namespace), owner(namespace, STAYS)) == ("b", "a")
    assert unmarked(namespace)
    if driver == "secret":
        assert stored_names(namespace, "a") == [[STAYS], [STAYS]]
    assert OWNERSHIP in a.upgrade("a", old_chart(tmp_path, "3"), env=env).error
    a.upgrade("a", old_chart(tmp_path, "4", moved=False), env=env).expect_ok()
    a.rollback("a", 1, env=env).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "2"}
    b.install("b", new_chart(tmp_path), filter=True, env=env).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "b"}
    refused = a.upgrade("a", old_chart(tmp_path, "5"), filter=True, env=env)
    assert "PR101" in refused.stderr
    b.upgrade("b", new_chart(tmp_path, "c"), env=env).expect_ok()
    a.uninstall("a", env=env).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "c"}
    b.rollback("b", 1, env=env).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "b"}
    assert namespace.uid(CONFIG_MAP, MOVED) == uid
    b.uninstall("b", env=env).expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is None


@pytest.mark.parametrize("killed", SOME_MOVES, ids=str)
def test_killed_at_any_request_the_object_is_not_lost(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, killed: Killed
) -> None:
    interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, *killed)


def test_two_movers_at_once_give_the_object_to_one_of_them(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """From two machines, whose locks do not know of each other."""
    it = helm("3.22.0")
    it.install("a", old_chart(tmp_path)).expect_ok()
    it.upgrade("a", old_chart(tmp_path, "2")).expect_ok()
    uid = namespace.uid(CONFIG_MAP, MOVED)
    program, rest = str(executable(it.home)), ["--yes", "-n", it.namespace]
    movers = [
        subprocess.Popen(
            [program, "move", f"configmaps/{MOVED}", "--from", "a", "--to", name, *rest],
            env={**it.env, "XDG_STATE_HOME": str(tmp_path / name)},
            cwd=it.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in ("b", "c")
    ]
    codes = [each.wait() for each in movers]
    for each in movers:
        each.communicate()
    assert sorted(codes)[1] in (0, 4, 5)
    winner = owner(namespace) if owner(namespace) != "a" else "b"
    if 0 in codes:
        assert winner == ("b", "c")[codes.index(0)] or codes == [0, 0]
    moved(it, f"configmaps/{MOVED}", "--from", "a", "--to", winner)
    assert (owner(namespace), unmarked(namespace)) == (winner, True)
    assert stored_names(namespace, "a") == [[STAYS], [STAYS]]
    assert namespace.uid(CONFIG_MAP, MOVED) == uid
