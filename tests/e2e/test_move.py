"""``postrender move`` with real Helms: what becomes of the object, whatever the two releases do afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.helms import VERSIONS
from tests.e2e.killing import asked_in
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.moving import (
    ASKED,
    COMMAND,
    MOVED,
    SOME_MOVES,
    STAYS,
    Killed,
    Then,
    config,
    interrupted,
    move,
    moved,
    new_chart,
    old_chart,
    owner,
    stored_names,
    two_revisions,
    unmarked,
)
from tests.e2e.proxy import Proxy
from tests.e2e.test_adopt import adopt

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


def _upgraded(b: Helm, _: Namespace, folder: Path) -> None:
    """Helm 4 takes the fields that Helm 3 wrote before it upgrades an object of Helm 3."""
    done = b.upgrade("b", new_chart(folder), filter=True)
    if "(PR306)" in done.stderr and b.version == "4.3.2":
        take = adopt(b, "b", f"configmaps/{MOVED}", "--take-fields", "helm", "-n", b.namespace)
        assert (take.returncode, take.stderr) == (0, ""), take.stdout
        done = b.upgrade("b", new_chart(folder), filter=True)
    done.expect_ok()


A_THEN: dict[str, Then] = {
    "upgrade": lambda a, _, folder: a.upgrade("a", old_chart(folder, "4", moved=False)).expect_ok(),
    "rollback": lambda a, *_: a.rollback("a", 1).expect_ok(),
    "uninstall": lambda a, *_: a.uninstall("a").expect_ok(),
}
B_THEN: dict[str, Then] = {
    "install": lambda b, _, folder: b.install("b", new_chart(folder), filter=True).expect_ok(),
    "upgrade": _upgraded,
    "rollback": lambda b, *_: b.rollback("b", 1).expect_ok(),
    "uninstall": lambda b, *_: b.uninstall("b").expect_ok(),
}
ADOPTS = ("install", "upgrade")
CELLS = [
    (first, old, then, new)
    for first in "ab"
    for old in A_THEN
    for new in B_THEN
    for then in [*((version, version) for version in VERSIONS), ("3.12.3", "4.3.2"), ("4.3.2", "3.12.3")]
]
"""Which release acts first, what each does, and with which Helms."""


@pytest.mark.one_in(9)
@pytest.mark.parametrize(("first", "old", "helms", "new"), CELLS)
def test_whatever_both_releases_do_then_the_object_is_there(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, first: str, old: str, helms: tuple[str, str], new: str
) -> None:
    a, b = map(helm, helms)
    two_revisions(a, tmp_path)
    if new != "install":
        for number in "12":
            (b.upgrade if number == "2" else b.install)(
                "b", chart(tmp_path, {"new": config("new", number)})
            ).expect_ok()
    uid = namespace.uid(CONFIG_MAP, MOVED)
    moved(a, *COMMAND)
    acts = [(A_THEN[old], a), (B_THEN[new], b)]
    for act, it in acts if first == "a" else reversed(acts):
        act(it, namespace, tmp_path)
        assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED), unmarked(namespace)) == ("b", uid, True)
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "b" if new in ADOPTS else "2"}


def test_an_object_goes_to_a_release_of_another_major_and_back(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    a, b = helm("3.22.0"), helm("4.3.2")
    two_revisions(a, tmp_path)
    uid = namespace.uid(CONFIG_MAP, MOVED)
    moved(a, *COMMAND)
    b.install("b", new_chart(tmp_path), filter=True).expect_ok()
    moved(b, f"configmaps/{MOVED}", "--from", "b", "--to", "a")
    assert stored_names(namespace, "b") == [["new"]]
    a.upgrade("a", old_chart(tmp_path, "3"), filter=True).expect_ok()
    b.uninstall("b").expect_ok()
    assert (namespace.content(CONFIG_MAP, MOVED), namespace.uid(CONFIG_MAP, MOVED)) == ({"a": "3"}, uid)
    assert (owner(namespace), unmarked(namespace)) == ("a", True)
    a.uninstall("a").expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is None


def test_what_a_move_asks(helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path) -> None:
    """So that no request is left out where each is killed."""
    it = helm("3.22.0")
    two_revisions(it, tmp_path)
    proxy = Proxy(control_plane, tmp_path / "move.kubeconfig")
    with proxy:
        moved(it, *COMMAND, env={"KUBECONFIG": str(proxy.kubeconfig)})
        assert asked_in(proxy, namespace) == sorted(ASKED)


@pytest.mark.parametrize("killed", SOME_MOVES, ids=str)
def test_killed_at_any_request_the_object_is_not_lost(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, killed: Killed
) -> None:
    interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, *killed)


BOTH = f"configmaps/{MOVED}", f"configmaps/{STAYS}"


@pytest.mark.parametrize(
    ("first", "second"),
    [(BOTH[:1], BOTH[:1]), (BOTH[:1], BOTH[1:]), (BOTH[:1], BOTH)],
    ids=["the same object", "two objects of one release", "one of them and both"],
)
def test_two_movers_at_once_share_no_object(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    """From two machines, whose locks do not know of each other: who comes second is refused, or its write fails."""
    it = helm("3.22.0")
    two_revisions(it, tmp_path)
    uids = [namespace.uid(CONFIG_MAP, name) for name in (MOVED, STAYS)]
    program, rest = str(executable(it.home)), ["--yes", "-n", it.namespace]
    movers = {
        name: subprocess.Popen(
            [program, "move", *objects, "--from", "a", "--to", name, *rest],
            env={**it.env, "XDG_STATE_HOME": str(tmp_path / name)},
            cwd=it.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name, objects in (("b", first), ("c", second))
    }
    said = {name: (*each.communicate(), each.returncode) for name, each in movers.items()}
    codes = {name: each[-1] for name, each in said.items()}
    assert 0 in codes.values(), said
    assert set(codes.values()) <= ({0, 4, 5} if set(first) & set(second) else {0, 5}), said
    if set(first) & set(second):
        assert sorted(codes.values())[1] in (4, 5), said
    # Each mover that was stopped goes on, or is refused: an object that the other one has is not taken from it.
    for name, objects in (("b", first), ("c", second)):
        it.env["XDG_STATE_HOME"] = str(tmp_path / name)
        again = move(it, *objects, "--from", "a", "--to", name)
        assert again.returncode == 0 or set(first) & set(second), again.stderr
        if codes[name] == 0:
            assert all(owner(namespace, each.rpartition("/")[2]) == name for each in objects)
    # What nobody has got is still a's, live and stored: nothing is in between.
    left = [name for name in (MOVED, STAYS) if owner(namespace, name) == "a"]
    assert [sorted(each) for each in stored_names(namespace, "a")] == [sorted(left)] * 2
    assert [namespace.uid(CONFIG_MAP, name) for name in (MOVED, STAYS)] == uids
    assert all(unmarked(namespace, name) for name in (MOVED, STAYS))
