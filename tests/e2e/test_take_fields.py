"""Fields of other field managers that become Helm's, on a real API server: taken, applied without them, and undone."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory, executable
from tests.e2e.kinds import CONFIG_MAP, DEPLOYMENT, SECRET
from tests.e2e.proxy import Point, Proxy
from tests.e2e.test_adopt import adopt
from tests.e2e.test_field_ownership import findings_of
from tests.e2e.test_plan import planned
from tests.e2e.test_run import start

UNMANAGED = Filter(("--adopt", "unmanaged"))


def managers(namespace: Namespace, name: str = "a") -> list[Any]:
    found = namespace.found(CONFIG_MAP, name)["metadata"]["managedFields"]
    return [{key: value for key, value in entry.items() if key != "time"} for entry in found]


def written_by_others(namespace: Namespace) -> Object:
    """A ConfigMap of ``kubectl apply``, with a key that ``kubectl edit`` added and one of an operator."""
    namespace.kubectl_apply(manifest(CONFIG_MAP, "a", {"mine": "1", "applied": "2"}), CONFIG_MAP)
    namespace.patch(CONFIG_MAP, "a", {"data": {"edited": "3"}}, "kubectl-edit")
    return namespace.patch(CONFIG_MAP, "a", {"data": {"state": "4"}}, "shop-operator")


def taken(it: Helm, hint: str, *arguments: str) -> str:
    words = shlex.split(hint)
    assert words[:2] == ["postrender", "adopt"]
    done = adopt(it, *words[2:], *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", ["4.1.4", "4.3.2"])
def test_helm_4_removes_what_kubectl_set_once_it_is_helms(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    written_by_others(namespace)
    uid = namespace.uid(CONFIG_MAP, "a")
    place = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"mine": "1"})})
    it = helm(version)
    (finding,) = findings_of(planned(it, place, 10, *UNMANAGED.args))
    assert finding["code"] == "PR317"
    assert finding["text"].endswith(": data.applied (kubectl-client-side-apply), data.edited (kubectl-edit)")
    hint = finding["hints"][0]
    assert hint["note"] == "before Helm"
    assert hint["command"].startswith(
        f"postrender adopt r -n {namespace.name} configmaps/{namespace.name}/a "
        "--take-fields kubectl-client-side-apply --take-fields kubectl-edit"
    )
    text = taken(it, hint["command"])
    assert "from kubectl-edit to Helm: data.edited\n" in text
    assert sorted((entry["manager"], entry["operation"]) for entry in managers(namespace)) == [
        ("helm", "Apply"),
        ("postrender", "Update"),
        ("shop-operator", "Update"),
    ]
    assert findings_of(planned(it, place, 10)) == []
    it.install("r", place, filter=Filter()).expect_ok()
    assert namespace.content(CONFIG_MAP, "a") == {"mine": "1", "state": "4"}
    assert namespace.uid(CONFIG_MAP, "a") == uid


@pytest.mark.parametrize("version", ["3.12.3", "3.22.0"])
def test_helm_3_removes_it_with_the_drift_applied(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    written_by_others(namespace)
    place = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"mine": "1"})})
    it = helm(version)
    flags = ("--take-fields", "kubectl-client-side-apply", "--take-fields", "kubectl-edit")
    assert adopt(it, "r", "-n", namespace.name, "cm/a", *flags).returncode == 0
    it.install("r", place, filter=Filter(("--on-drift", "apply"))).expect_ok()
    assert namespace.content(CONFIG_MAP, "a") == {"mine": "1", "state": "4"}


def test_undone_the_managers_are_as_they_were(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    written_by_others(namespace)
    before, it, report = managers(namespace), helm("4.3.2"), tmp_path / "report.json"
    arguments = ("r", "-n", namespace.name, "cm/a", "--take-fields", "kubectl-edit", "--report", str(report))
    assert adopt(it, *arguments).returncode == 0
    assert managers(namespace) != before
    assert "hunter2" not in report.read_text()
    assert adopt(it, "--undo", str(report)).returncode == 0
    assert managers(namespace) == before
    assert "managed-by" not in str(namespace.labels(CONFIG_MAP, "a"))
    again = adopt(it, "--undo", str(report))
    assert (again.returncode, again.stderr) == (0, "")


def test_an_undo_after_somebody_wrote_is_refused(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    written_by_others(namespace)
    it, report = helm("4.3.2"), tmp_path / "report.json"
    arguments = ("r", "-n", namespace.name, "cm/a", "--take-fields", "kubectl-edit", "--report", str(report))
    assert adopt(it, *arguments).returncode == 0
    namespace.patch(CONFIG_MAP, "a", {"data": {"more": "5"}}, "terraform")
    now = managers(namespace)
    refused = adopt(it, "--undo", str(report))
    assert (refused.returncode, refused.stderr) == (
        4,
        f"error: configmaps/{namespace.name}/a: its field managers are no longer those that were written\n"
        "nothing was written\nhint: postrender adopt --help\n",
    )
    assert managers(namespace) == now


def test_a_manager_that_set_nothing_is_named_with_those_that_did(helm: HelmFactory, namespace: Namespace) -> None:
    written_by_others(namespace)
    done = adopt(helm("4.3.2"), "r", "-n", namespace.name, "cm/a", "--take-fields", "terraform", "--dry-run")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert (
        "note: terraform owns no field of these objects; their field managers are kubectl-client-side-apply, "
        "kubectl-edit, shop-operator" in text
    )


def test_what_conflicts_can_be_taken(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """PR306: with the manager's fields taken, Helm applies the chart's value without ``--force-conflicts``."""
    it = helm("4.3.2")
    place = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"mine": "1"})})
    it.install("r", place, filter=Filter()).expect_ok()
    namespace.apply(manifest(CONFIG_MAP, "a", {"mine": "theirs"}), CONFIG_MAP, "kubectl", force=True)
    (finding,) = findings_of(planned(it, place, 4, "--action", "upgrade"))
    assert finding["code"] == "PR306"
    commands = [each["command"] for each in finding["hints"]]
    assert len(commands) == 3
    taken(it, commands[1])
    it.run("upgrade", "r", str(place), filter=True).expect_ok()
    assert namespace.content(CONFIG_MAP, "a") == {"mine": "1"}


def test_an_element_of_a_list_and_a_secret(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """What moves is named by path, never by value, and every field of an object of several managers ends as charted."""
    container = {"name": "c", "image": "x:1", "env": [{"name": "A", "value": "hunter2"}]}
    labels = {"app": "a"}

    def web(*containers: Object) -> Object:
        template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
        return manifest(DEPLOYMENT, "a", {"selector": {"matchLabels": labels}, "template": template})

    namespace.apply(web(container, {"name": "sidecar", "image": "x:2"}), DEPLOYMENT, "older-tool")
    namespace.apply(manifest(SECRET, "s", {"a": "aHVudGVyMg==", "b": "aHVudGVyMg=="}), SECRET, "older-tool")
    wanted = {key: value for key, value in container.items() if key != "env"}
    place = chart(tmp_path, {"a": web(wanted), "s": manifest(SECRET, "s", {"a": "aHVudGVyMg=="})})
    it, report = helm("4.3.2"), tmp_path / "report.json"
    mark = control_plane.audit.mark()
    objects = ("deploy/a", "secret/s")
    done = adopt(
        it, "r", "-n", namespace.name, *objects, "--take-fields", "older-tool", "--report", str(report), "-o", "json"
    )
    assert done.returncode == 0, done.stderr
    assert len(control_plane.audit.writes(mark)) == 4, "two for each, after their dry runs"
    assert "aHVudGVyMg" not in done.stdout + done.stderr + report.read_text()
    assert "hunter2" not in done.stdout + done.stderr + report.read_text()
    assert len(json.loads(done.stdout)["objects"]) == 2
    it.install("r", place, filter=Filter()).expect_ok()
    (left,) = namespace.content(DEPLOYMENT, "a")["template"]["spec"]["containers"]
    assert "env" not in left
    assert namespace.found(SECRET, "s")["data"] == {"a": "aHVudGVyMg=="}


PATCHES = ("PATCH {}?dryRun", "PATCH {}", "PATCH {}")
"""What is sent for one object: the move of its fields as a dry run, the move, and its ownership metadata."""
POINTS = tuple((place, when) for place in range(len(PATCHES)) for when in ("before", "after"))


def killed_and_repeated(
    it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, place: int, when: Literal["before", "after"]
) -> None:
    """Kill ``adopt --take-fields`` at a write and repeat it: it ends as if undisturbed, and can be undone."""
    written_by_others(namespace)
    before = managers(namespace)
    path = CONFIG_MAP.path(namespace.name, "a")
    request = PATCHES[place].format(path)
    point = Point(request, PATCHES[: place + 1].count(PATCHES[place]), when)
    arguments = ("r", "-n", namespace.name, "cm/a", "--take-fields", "kubectl-edit")
    command = [str(executable(it.home)), "adopt", *arguments, "--yes", "--report"]
    proxy = Proxy(plane, folder / "proxy.kubeconfig")
    with proxy:
        environ = {"KUBECONFIG": str(proxy.kubeconfig)}
        proxy.kill(lambda: start([*command, str(folder / "first.json")], it, environ), point)
    written = place == 2 or (place, when) == (1, "after")
    assert (managers(namespace) == before) is not written
    assert adopt(it, *arguments, "--report", str(folder / "second.json")).returncode == 0
    assert sorted(entry["manager"] for entry in managers(namespace)) == [
        "helm",
        "kubectl-client-side-apply",
        "postrender",
        "shop-operator",
    ]
    assert namespace.owner(CONFIG_MAP, "a") == "r"
    undone = adopt(it, "--undo", str(folder / "first.json"))
    assert undone.returncode == 0, undone.stderr
    assert managers(namespace) == before
    assert namespace.content(CONFIG_MAP, "a") == {"mine": "1", "applied": "2", "edited": "3", "state": "4"}


@pytest.mark.parametrize(("place", "when"), [(1, "after"), (2, "before")])
def test_killed_between_its_writes_the_repeat_ends_the_same(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    place: int,
    when: Literal["before", "after"],
) -> None:
    killed_and_repeated(helm("4.3.2"), namespace, control_plane, tmp_path, place, when)


def test_fields_become_those_of_the_named_field_manager(helm: HelmFactory, namespace: Namespace) -> None:
    written_by_others(namespace)
    flags = ("--take-fields", "kubectl-edit", "--field-manager", "helm-controller")
    assert adopt(helm("4.3.2"), "r", "-n", namespace.name, "cm/a", *flags).returncode == 0
    assert "helm-controller" in [entry["manager"] for entry in managers(namespace) if entry["operation"] == "Apply"]
