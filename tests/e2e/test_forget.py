"""``postrender forget`` with real Helms: the objects stay, and the release comes back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory, executable
from tests.e2e.helms import VERSIONS
from tests.e2e.killing import Interruption, asked_in, interruptions
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.moving import MOVED, REVIEW, STAYS, new_chart, old_chart, owner, two_revisions
from tests.e2e.proxy import Proxy
from tests.e2e.test_run import start


def forget(it: Helm, *arguments: str) -> str:
    """What ``forget`` prints where it succeeds."""
    where = () if "--undo" in arguments else ("-n", it.namespace)
    done = subprocess.run(
        [str(executable(it.home)), "forget", *arguments, "--yes", *where],
        env=it.env,
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def record(it: Helm) -> str:
    """The one record that was made."""
    (file,) = (Path(it.env["XDG_STATE_HOME"]) / "postrender" / "forget").glob("*.json")
    return str(file)


@pytest.mark.parametrize("version", VERSIONS)
def test_forgotten_nothing_is_deleted_and_brought_back_all_works(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    two_revisions(it, tmp_path)
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    forget(it, "a")
    assert namespace.releases("a") == []
    assert (owner(namespace), owner(namespace, STAYS), namespace.uid(CONFIG_MAP, MOVED)) == ("", "", uid)
    forget(it, "--undo", record(it))
    assert namespace.releases("a") == before
    assert (owner(namespace), owner(namespace, STAYS), namespace.uid(CONFIG_MAP, MOVED)) == ("a", "a", uid)
    it.upgrade("a", old_chart(tmp_path, "3"), filter=True).expect_ok()
    it.rollback("a", 1).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "1"}
    assert namespace.uid(CONFIG_MAP, MOVED) == uid
    it.uninstall("a").expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is None


@pytest.mark.parametrize(("flags", "adopt"), [((), "unmanaged"), (("--keep-metadata",), "orphans")])
def test_another_release_adopts_what_was_forgotten(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, flags: tuple[str, ...], adopt: str
) -> None:
    it = helm("3.22.0")
    two_revisions(it, tmp_path)
    uid = namespace.uid(CONFIG_MAP, MOVED)
    forget(it, "a", *flags)
    it.install("b", new_chart(tmp_path), filter=Filter((f"--adopt={adopt}",))).expect_ok()
    assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED)) == ("b", uid)


_STORED = tuple(f"/api/v1/namespaces/NS/secrets/sh.helm.release.v1.a.v{number}" for number in (1, 2))
_OBJECTS = tuple(f"/api/v1/namespaces/NS/configmaps/{name}" for name in (MOVED, STAYS))
ASKED = (
    *("GET /api/v1/namespaces/NS/secrets", *(f"GET {each}" for each in _STORED)),
    *("GET /api", *(f"GET {each}" for each in _OBJECTS), REVIEW, REVIEW),
    *(*(f"PATCH {each}" for each in _OBJECTS), *(f"DELETE {each}" for each in _STORED)),
)
"""All that an undisturbed one asks, some of the reads in any order."""
EVERY_FORGET = interruptions(ASKED)


def interrupted(it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, interruption: Interruption) -> None:
    """Kill a command at a request, and give it again: nothing is lost, and it ends the same."""
    two_revisions(it, folder)
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    command = [str(executable(it.home)), "forget", "a", "--yes", "-n", namespace.name]
    proxy = Proxy(plane, folder / "forget.kubeconfig")
    with proxy:
        it.env["KUBECONFIG"] = str(proxy.kubeconfig)
        proxy.kill(lambda: start(command, it, {}), interruption.at(namespace))
        if namespace.releases("a"):
            assert namespace.releases("a")[-1] == before[-1]
            it.upgrade("a", old_chart(folder, "2", moved=True), "--dry-run").expect_ok()
        proxy.requests.clear()
        forget(it, "a")
        assert interruption.writes or asked_in(proxy, namespace) == sorted(ASKED)
        assert namespace.releases("a") == []
        assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED)) == ("", uid)
        forget(it, "--undo", record(it))
    assert namespace.releases("a") == before
    assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED)) == ("a", uid)


@pytest.mark.parametrize(
    "interruption",
    [EVERY_FORGET[0], *[each for each in EVERY_FORGET if each.writes and each.point.when == "after"][1:]],
    ids=str,
)
def test_killed_it_loses_nothing_and_ends_the_same(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, interruption: Interruption
) -> None:
    interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, interruption)
