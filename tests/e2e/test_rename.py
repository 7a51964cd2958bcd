"""``postrender rename`` with real Helms: the history and the objects go on under the new name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Env, Helm, HelmFactory, executable
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.moving import MOVED, STAYS, config, old_chart, owner, two_revisions
from tests.e2e.proxy import Point, Proxy
from tests.e2e.test_run import start


def rename(it: Helm, *arguments: str, env: Env | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(executable(it.home)), "rename", *arguments, "--yes", "-n", it.namespace],
        env={**it.env, **(env or {})},
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )


def renamed(it: Helm, *arguments: str, env: Env | None = None) -> None:
    done = rename(it, *arguments, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def without_bookkeeping(namespace: Namespace) -> Object:
    """The live object, but for what the server counts and Helm 4's field manager."""
    live = namespace.found(CONFIG_MAP, MOVED)
    bookkeeping = ("resourceVersion", "managedFields")
    return {**live, "metadata": {key: value for key, value in live["metadata"].items() if key not in bookkeeping}}


@pytest.mark.parametrize(("version", "driver"), [("3.12.3", "secret"), ("3.22.0", "configmap"), ("4.3.2", "secret")])
def test_upgrade_rollback_and_uninstall_go_on_under_the_new_name(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, driver: str
) -> None:
    it, env = helm(version), {"HELM_DRIVER": driver}
    it.install("a", old_chart(tmp_path), env=env).expect_ok()
    it.upgrade("a", old_chart(tmp_path, "2"), env=env).expect_ok()
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    renamed(it, "a", "b", env=env)
    assert "release: not found" in it.run("status", "a", env=env).error
    assert (owner(namespace), owner(namespace, STAYS)) == ("b", "b")
    if driver == "secret":
        after = namespace.releases("b")
        assert namespace.releases("a") == []
        assert [{**each.body, "name": "a"} for each in after] == [each.body for each in before]
    live = without_bookkeeping(namespace)
    it.upgrade("b", old_chart(tmp_path, "2"), env=env).expect_ok()
    assert without_bookkeeping(namespace) == live
    it.rollback("b", 1, env=env).expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "1"}
    renamed(it, "b", "a", env=env)
    it.upgrade("a", old_chart(tmp_path, "3"), filter=True, env=env).expect_ok()
    assert (namespace.content(CONFIG_MAP, MOVED), namespace.uid(CONFIG_MAP, MOVED)) == ({"a": "3"}, uid)
    it.uninstall("a", env=env).expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is None


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


_OBJECT = f"PATCH /api/v1/namespaces/NS/configmaps/{MOVED}"
_OLD = tuple(f"/api/v1/namespaces/NS/secrets/sh.helm.release.v1.a.v{number}" for number in (1, 2))
_NEW = tuple(each.replace(".a.", ".b.") for each in _OLD)
WRITES = (
    ("POST /api/v1/namespaces/NS/secrets", 1),
    ("POST /api/v1/namespaces/NS/secrets", 2),
    *((f"DELETE {each}", 1) for each in _OLD),
    (_OBJECT, 1),
    *((f"PATCH {each}", 1) for each in reversed(_NEW)),
)


def interrupted(
    it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, request: tuple[str, int], when: str
) -> None:
    """Kill a rename at a request, and make it again: no two releases ever have an object, and nothing is lost."""
    two_revisions(it, folder)
    before = namespace.releases("a")
    uid = namespace.uid(CONFIG_MAP, MOVED)
    command = [str(executable(it.home)), "rename", "a", "b", "--yes", "-n", namespace.name]
    proxy = Proxy(plane, folder / "rename.kubeconfig")
    with proxy:
        it.env["KUBECONFIG"] = str(proxy.kubeconfig)
        here = request[0].replace("/namespaces/NS/", f"/namespaces/{namespace.name}/")
        proxy.kill(lambda: start(command, it, {}), Point(here, request[1], "before" if when == "before" else "after"))
        seen = [name for name in ("a", "b") if namespace.releases(name)]
        assert len(seen) <= 1
        for name in seen:
            assert namespace.releases(name)[-1].manifest == before[-1].manifest
        # Whoever uninstalls a release that is not there, or is not complete, deletes nothing that another one has.
        if "b" not in seen:
            assert not it.uninstall("b").ok
        if namespace.releases("b")[1:] == [] or when == "before":
            renamed(it, "a", "b")
    assert [each.body | {"name": "a"} for each in namespace.releases("b")] == [each.body for each in before]
    assert namespace.releases("a") == []
    assert (owner(namespace), namespace.uid(CONFIG_MAP, MOVED)) == ("b", uid)


@pytest.mark.parametrize(("request_", "when"), [(WRITES[1], "before"), (WRITES[3], "after"), (WRITES[5], "before")])
def test_killed_no_two_releases_have_an_object_and_a_repeat_goes_on(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    request_: tuple[str, int],
    when: str,
) -> None:
    interrupted(helm("3.22.0"), namespace, control_plane, tmp_path, request_, when)
