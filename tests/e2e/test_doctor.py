"""``postrender doctor`` with the real Helms and a real API server."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.test_filter import ROOT
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_FLAG, BETA_SHIRT, CONFIG_MAP
from tests.tools.assets import KUBERNETES

SCHEMA = json.loads((ROOT / "postrender" / "report" / "schemas" / "doctor.schema.json").read_text())
VERSIONS = ("3.12.3", "3.21.4", "4.1.4", "4.3.1")
READ_RELEASES = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "get"]}


def doctor(
    it: Helm, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable(it.home), "doctor", "--helm", it.binary, "-n", it.namespace, *arguments],
        env={**surroundings(it), **(environ or {})},
        cwd=it.home,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def screen(it: Helm) -> tuple[int, str]:
    """Exit code, and what a terminal of 80 columns shows."""
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    try:
        running = subprocess.Popen(
            [executable(it.home), "doctor", "--helm", it.binary, "-n", it.namespace],
            env={**surroundings(it), "NO_COLOR": "1"},
            cwd=it.home,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
        )
    finally:
        os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # which ends the reading when nobody has the terminal open any more
        while data := os.read(reader, 10_000):
            seen += data
    os.close(reader)
    return running.wait(60), seen.decode().replace("\r\n", "\n")


def surroundings(it: Helm) -> dict[str, str]:
    """The environment, with our program on PATH."""
    return {**it.env, "PATH": f"{executable(it.home).parent}{os.pathsep}{it.env['PATH']}"}


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(done.stdout))
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def plugin(it: Helm) -> None:
    subprocess.run([executable(it.home), "helm-plugin", "install", "--helm", it.binary], env=it.env, check=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_is_well(helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, version: str) -> None:
    it = helm(version)
    if version >= "4":
        plugin(it)
    mark = control_plane.audit.mark()
    code, shown = screen(it)
    assert code == 0, shown
    assert control_plane.audit.writes(mark) == []
    lines = shown.splitlines()
    assert len(lines) <= 30, "one screen"
    paths = (str(it.binary), str(it.home), str(executable(it.home)))
    assert all(len(line) <= 80 or any(path in line for path in paths) for line in lines)
    assert lines[-1] == "All checks passed."
    text = " ".join(shown.split())
    assert f"ok Helm {version} ({it.binary})" in text
    assert ("PR202" in text) is (version == "3.12.3")
    assert f"Kubernetes v{KUBERNETES}" in text
    assert f"in namespace {namespace.name}: list secrets, get secrets, get every kind" in text
    assert "settings from --namespace, KUBECONFIG (kubeconfig)" in text


@pytest.mark.parametrize("version", ["4.1.4", "4.3.1"])
def test_helm_4_without_the_plugin(helm: HelmFactory, version: str) -> None:
    it = helm(version)
    done = doctor(it, "-o", "json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["works"] is False
    assert checks(done)["plugin"] == {
        "name": "plugin",
        "state": "bad",
        "found": [f"none in {it.home}/plugins"],
        "hints": [{"command": "postrender helm-plugin install", "note": ""}],
    }


def test_rights_of_the_kinds_in_a_stream(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    shirts = {"apiGroups": ["beta.example.com"], "resources": ["shirts"], "verbs": ["get"]}
    it = helm("3.21.4", control_plane.user(namespace, [READ_RELEASES, shirts]))
    rendered = it.template(
        "r", chart(tmp_path, {"a": manifest(BETA_SHIRT, "a", {}), "b": manifest(BETA_FLAG, "b", {})})
    ).stdout
    some = doctor(it, "-f", "-", stdin=rendered)
    assert some.returncode == 5
    assert "lacking: get flags.beta.example.com" in " ".join(some.stdout.split())
    assert "\n              hint: kubectl auth can-i get flags.beta.example.com --kubeconfig " in some.stdout
    assert some.stdout.endswith("1 check failed: rights\n")
    only = "---\n" + next(each for each in rendered.split("---\n") if "kind: Shirt" in each)
    enough = doctor(it, "-f", "-", stdin=only)
    assert enough.returncode == 0
    assert "lacking: create shirts.beta.example.com (dry runs only)" in " ".join(enough.stdout.split())
    writing = doctor(it, "-f", "-", "--adopt", "orphans", stdin=only)
    assert "lacking: patch shirts.beta.example.com, list configmaps" in " ".join(writing.stdout.split())
    assert "lacking: get configmaps; nothing is adopted if other releases are stored there" in (
        " ".join(writing.stdout.split()).replace("- ", "")
    )
    assert writing.returncode == 5
    records = {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["list", "get"]}
    whole = {**shirts, "verbs": ["get", "patch", "create"]}
    adopting = doctor(
        helm("3.21.4", control_plane.user(namespace, [records, whole], name="adopter")),
        "-f",
        "-",
        "--adopt",
        "orphans",
        stdin=only,
    )
    assert "lacking" not in adopting.stdout
    assert adopting.returncode == 0


def test_no_right_to_read_releases(helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane) -> None:
    user = control_plane.user(namespace)
    done = doctor(helm("3.21.4", user), "-o", "json")
    assert done.returncode == 5
    rights = checks(done)["rights"]
    assert rights["found"] == [
        f"in namespace {namespace.name}: none of those that are needed",
        "lacking: list secrets, get secrets, get every kind",
    ]
    kubectl = "kubectl auth can-i {} secrets -n {} --kubeconfig {}"
    hints: Any = rights["hints"]
    assert [hint["command"] for hint in hints] == [
        kubectl.format(verb, namespace.name, user.kubeconfig) for verb in ("list", "get")
    ]


def test_one_who_may_read_releases_and_not_every_kind_is_told_how_to_ask_for_less(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane
) -> None:
    done = doctor(helm("3.21.4", control_plane.user(namespace, [READ_RELEASES])), "-o", "json")
    assert done.returncode == 0
    rights = checks(done)["rights"]
    assert rights["state"] == "warning"
    assert rights["hints"] == [
        {
            "command": "",
            "note": "to check only the kinds of your manifests, add -f with a file that helm template wrote",
        }
    ]


def test_a_cluster_that_cannot_be_reached(helm: HelmFactory) -> None:
    it = helm("3.21.4")
    done = doctor(it, "--kube-apiserver", "https://127.0.0.1:9", "--kube-token", "s3cr3t")
    assert done.returncode == 5
    assert "no connection to the server: Connection refused" in " ".join(done.stdout.split())
    assert "s3cr3t" not in done.stdout + done.stderr


def test_no_helm_and_no_cluster(helm: HelmFactory) -> None:
    it = helm("3.21.4")
    done = doctor(it, "--helm", "no-such-helm", "--offline", environ={"POSTRENDER_STAMP": "all"})
    assert done.returncode == 2
    text = " ".join(done.stdout.split())
    assert "BAD Helm no-such-helm: is not on PATH note: install Helm, or give the path of its program " in text
    assert "ok cluster none is asked (--offline)" in text
    assert "POSTRENDER_STAMP" in text


def test_as_a_post_renderer_helm_is_the_one_that_called(helm: HelmFactory, tmp_path: Path) -> None:
    it = helm("3.12.3")
    script, told = tmp_path / "script", tmp_path / "told"
    script.write_text(f"#!/bin/sh\n{executable(tmp_path)} doctor >{told}\ncat\n")
    script.chmod(0o755)
    it.run("template", "r", str(chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {})})), "--post-renderer", str(script))
    text = " ".join(told.read_text().split())
    assert f"ok Helm 3.12.3 ({it.binary})" in text
    assert "parent helm (pid " in text
