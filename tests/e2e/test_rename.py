"""``postrender rename`` with real Helms: the history and the objects go on under the new name."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.killing import Interruption, asked_in, interruptions
from tests.e2e.kinds import CONFIG_MAP, SECRET, STABLE_FLAG, STABLE_SHIRT, Kind
from tests.e2e.moving import MOVED, REVIEW, STAYS, config, old_chart, owner, two_revisions
from tests.e2e.proxy import Point, Proxy
from tests.e2e.test_plan import plan
from tests.e2e.test_run import start


def rename(it: Helm, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(executable(it.home)), "rename", *arguments, "--yes", "-n", it.namespace],
        env=it.env,
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )


def renamed(it: Helm, *arguments: str) -> None:
    done = rename(it, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def in_namespace(it: Helm, namespace: Namespace) -> Helm:
    """The same Helm in another namespace."""
    other = copy.copy(it)
    other.namespace = namespace.name
    return other


def settled(it: Helm, namespace: Namespace, kinds: Mapping[str, Kind]) -> list[Object]:
    """The live objects; of Helm 4, which becomes the field manager of what it applies, without the bookkeeping."""
    passing = () if it.major < 4 else ("resourceVersion", "managedFields")
    found = [namespace.found(kind, name) for name, kind in kinds.items()]
    return [
        {**live, "metadata": {key: value for key, value in live["metadata"].items() if key not in passing}}
        for live in found
    ]


def upgraded_without_a_change(
    it: Helm, namespace: Namespace, release: str, place: Path, kinds: Mapping[str, Kind]
) -> None:
    """``postrender plan`` finds no change in an upgrade, and the upgrade makes none."""
    done = plan(it, release, str(place), "--detailed-exitcode", "-o", "json")
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    report = json.loads(done.stdout)
    assert len(report["objects"]) == len(kinds)
    assert [change for each in report["objects"] for change in each["prediction"]["changes"]] == []
    live = settled(it, namespace, kinds)
    it.upgrade(release, place).expect_ok()
    assert settled(it, namespace, kinds) == live


HELMS = [("3.12.3", "secret"), ("3.22.0", "configmap"), ("4.3.2", "secret")]


@pytest.mark.parametrize(("version", "driver"), HELMS)
def test_upgrade_rollback_and_uninstall_go_on_under_the_new_name(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, driver: str
) -> None:
    it = helm(version)
    it.env["HELM_DRIVER"] = driver
    two_revisions(it, tmp_path)
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    renamed(it, "a", "b")
    assert "release: not found" in it.run("status", "a").error
    assert (owner(namespace), owner(namespace, STAYS)) == ("b", "b")
    if driver == "secret":
        after = namespace.releases("b")
        assert namespace.releases("a") == []
        assert [{**each.body, "name": "a"} for each in after] == [each.body for each in before]
    kinds = {MOVED: CONFIG_MAP, STAYS: CONFIG_MAP}
    upgraded_without_a_change(it, namespace, "b", old_chart(tmp_path, "2"), kinds)
    it.rollback("b", 1).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "1"}
    renamed(it, "b", "a")
    it.upgrade("a", old_chart(tmp_path, "3"), filter=True).expect_ok()
    assert (namespace.content(CONFIG_MAP, MOVED), namespace.uid(CONFIG_MAP, MOVED)) == ({"a": "3"}, uid)
    it.uninstall("a").expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is None


@pytest.mark.parametrize(("version", "driver"), HELMS)
def test_in_another_namespace_the_release_goes_on_with_its_objects_where_they_are(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str, driver: str
) -> None:
    it = helm(version)
    it.env["HELM_DRIVER"] = driver
    other = in_namespace(it, control_plane.namespace(f"{namespace.name}-b"))
    flag = f"{namespace.name}-flag"

    def place(size: str) -> Path:
        shirt = manifest(STABLE_SHIRT, "shirt", {"size": size}, namespace=namespace.name)
        return chart(tmp_path, {"shirt": shirt, "flag": manifest(STABLE_FLAG, flag, {"size": size})})

    kinds = {"shirt": STABLE_SHIRT, flag: STABLE_FLAG}
    it.install("a", place("S")).expect_ok()
    it.upgrade("a", place("M")).expect_ok()
    uids = [namespace.uid(kind, name) for name, kind in kinds.items()]
    renamed(it, "a", "b", "--to-namespace", other.namespace)
    assert "release: not found" in it.run("status", "a").error
    upgraded_without_a_change(other, namespace, "b", place("M"), kinds)
    other.rollback("b", 1).expect_ok()
    assert [namespace.content(kind, name) for name, kind in kinds.items()] == [{"size": "S"}] * 2
    renamed(other, "b", "a", "--to-namespace", it.namespace)
    it.upgrade("a", place("L"), filter=True).expect_ok()
    assert [namespace.uid(kind, name) for name, kind in kinds.items()] == uids
    it.uninstall("a").expect_ok()
    assert [namespace.get(kind, name) for name, kind in kinds.items()] == [None, None]


def test_a_name_that_depends_on_the_release_is_refused(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.22.0")
    named = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-x\n"
    it.install("a", chart(tmp_path, {"x.yaml": named})).expect_ok()
    before = namespace.releases("a")
    done = rename(it, "a", "b", "--with-changes")
    assert done.returncode == 4
    assert (
        f"configmaps/{namespace.name}/a-x: its name has the release's name in it\nnothing was written\n" in done.stderr
    )
    labelled = config("labelled", labels={"instance": "{{ .Release.Name }}"})
    it.upgrade("a", chart(tmp_path, {"labelled": labelled})).expect_ok()
    done = rename(it, "a", "b")
    assert done.returncode == 4
    assert (
        f"configmaps/{namespace.name}/labelled: metadata.labels.instance has the release's name in it\n" in done.stderr
    )
    assert f"hint: postrender rename a b -n {namespace.name} --with-changes\n" in done.stderr
    assert namespace.releases("a")[0].manifest == before[0].manifest
    renamed(it, "a", "b", "--with-changes")
    it.upgrade("b", chart(tmp_path, {"labelled": labelled})).expect_ok()
    assert namespace.labels(CONFIG_MAP, "labelled")["instance"] == "b"


ELSEWHERE = "/namespaces/NS-b/"


def _asked(there: str) -> tuple[str, ...]:
    """All that an undisturbed one asks, some of the reads in any order; ``there`` is where the new release is."""
    here = "/namespaces/NS/"
    old, new = (
        [f"/api/v1{place}secrets/sh.helm.release.v1.{name}.v{number}" for number in (1, 2)]
        for place, name in ((here, "a"), (there, "b"))
    )
    objects = [f"/api/v1{here}configmaps/{name}" for name in (MOVED, STAYS)]
    places = dict.fromkeys((here, there))
    return (
        *(f"GET /api/v1{here}secrets", *(f"GET {each}" for each in old)),
        *(f"GET /api/v1{there}{plural}" for plural in ("secrets", "secrets", "configmaps")),
        *("GET /api", *(f"GET {each}" for each in objects)),
        *(f"GET /api/v1{place}{plural}" for place in places for plural in ("secrets", "configmaps")),
        *[REVIEW] * 4,
        *([f"POST /api/v1{there}secrets"] * 2),
        *(f"DELETE {each}" for each in old),
        *(f"PATCH {each}" for each in objects),
        *(f"PATCH {each}" for each in reversed(new)),
    )


ASKED = {there: _asked(there) for there in ("/namespaces/NS/", ELSEWHERE)}
EVERY_RENAME = tuple((there, each) for there, asked in ASKED.items() for each in interruptions(asked))


def interrupted(
    it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, there: str, interruption: Interruption
) -> None:
    """Kill a rename at a request, and make it again: no two releases ever have an object, and nothing is lost."""
    for number in "12":
        place = chart(folder, {name: config(name, number, namespace=namespace.name) for name in (MOVED, STAYS)})
        (it.upgrade if number == "2" else it.install)("a", place).expect_ok()
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    other = plane.namespace(f"{namespace.name}-b") if there == ELSEWHERE else namespace
    arguments = ["a", "b", *(() if other is namespace else ("--to-namespace", other.name))]
    command = [str(executable(it.home)), "rename", *arguments, "--yes", "-n", namespace.name]
    proxy = Proxy(plane, folder / "rename.kubeconfig")
    with proxy:
        it.env["KUBECONFIG"] = str(proxy.kubeconfig)
        point = interruption.at(namespace)
        request = point.request.replace(ELSEWHERE, f"/namespaces/{other.name}/")
        proxy.kill(lambda: start(command, it, {}), Point(request, point.nth, point.when))
        seen = [releases for releases in (namespace.releases("a"), other.releases("b")) if releases]
        assert len(seen) <= 1
        assert all(releases[-1].manifest == before[-1].manifest for releases in seen)
        # Whoever uninstalls a release that is not there, or is not complete, deletes nothing that another one has.
        if not other.releases("b"):
            assert not in_namespace(it, other).uninstall("b").ok
        unchanged = namespace.releases("a") == before and not _hidden(other)
        proxy.requests.clear()
        if len(other.releases("b")) < 2:
            renamed(it, *arguments)
        asked = [each.replace(f"/namespaces/{other.name}/", ELSEWHERE) for each in asked_in(proxy, namespace)]
        assert not unchanged or sorted(asked) == sorted(ASKED[there])
    after = [each.body | {"name": "a", "namespace": namespace.name} for each in other.releases("b")]
    assert after == [each.body for each in before]
    assert namespace.releases("a") == []
    assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED)) == ("b", uid)


def _hidden(namespace: Namespace) -> bool:
    """Whether a rename has begun to store revisions there."""
    query = {"labelSelector": "owner=postrender"}
    return bool(namespace.api.request("GET", SECRET.path(namespace.name), query=query)["items"])


@pytest.mark.parametrize(
    ("there", "interruption"),
    [
        each
        for each in EVERY_RENAME
        if str(each[1]) in ("POST-secrets-2-before", "DELETE-v2-1-after", f"PATCH-{STAYS}-1-before")
    ]
    + [EVERY_RENAME[0], EVERY_RENAME[-1]],
    ids=str,
)
def test_killed_no_two_releases_have_an_object_and_a_repeat_goes_on(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    there: str,
    interruption: Interruption,
) -> None:
    interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, there, interruption)
