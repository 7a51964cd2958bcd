"""``postrender orphans`` on a real control plane, behind real Helms."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_FLAG, CONFIG_MAP, SECRET, STABLE_SHIRT

VERSION = "3.21.4"
KINDS_LEFT = ("flags.beta.example.com", "shirts.stable.example.com")
"""The kinds of the objects that the charts here leave behind."""


def orphans(it: Helm, *arguments: str) -> tuple[int, Any]:
    """Exit code, and what it said as JSON."""
    done = subprocess.run(
        [str(executable(it.home)), "orphans", "--detailed-exitcode", "-o", "json", *arguments],
        env=it.env,
        cwd=it.home,
        capture_output=True,
        timeout=180,
    )
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


def kept(folder: Path, name: str) -> Path:
    return chart(
        folder,
        {
            "a": manifest(STABLE_SHIRT, name, {"color": "blue"}, keep=True),
            "b": manifest(BETA_FLAG, name, {"color": "red"}, keep=True),
            "c": manifest(CONFIG_MAP, f"{name}-gone", {"a": "1"}),
        },
    )


def test_what_an_uninstall_left(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm(VERSION)
    name = namespace.name
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    it.install("old", kept(tmp_path, f"{name}-a")).expect_ok()
    it.install("alive", kept(tmp_path, f"{name}-b")).expect_ok()
    assert orphans(it, "-n", name)[0] == 0
    it.uninstall("old").expect_ok()
    expected = [f"flags.beta.example.com/{name}-a", f"shirts.stable.example.com/{name}/{name}-a"]
    for scope in (("-n", name), ("-A",)):
        code, said = orphans(it, *scope)
        ours = [each for each in said["orphans"] if each["release"]["namespace"] == name]
        # Other tests use the same server meanwhile: what all namespaces hold may be theirs.
        undecided = [
            each for each in said["undecided"] if scope == ("-n", name) or each["release"]["namespace"] == name
        ]
        failed = [each for each in said["failed"] if scope == ("-n", name) or each["name"] in KINDS_LEFT]
        assert code == (5 if said["undecided"] or said["failed"] else 10)
        assert [each["object"] for each in ours] == expected
        assert {each["release"]["name"] for each in ours} == {"old"}
        assert all(each["keep"] and before <= each["writtenByHelm"] for each in ours)
        assert (undecided, said["forbidden"], failed) == ([], [], [])
    it.install("old", kept(tmp_path, f"{name}-a"), filter=True).expect_ok()
    assert orphans(it, "-n", name)[0] == 0


def test_kept_history_counts_as_gone(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("4.3.1")
    it.install("old", kept(tmp_path, namespace.name)).expect_ok()
    it.uninstall("old", "--keep-history").expect_ok()
    code, said = orphans(it, "-n", namespace.name)
    assert (code, len(said["orphans"])) == (10, 2)


def test_a_user_of_one_namespace(
    control_plane: ControlPlane, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm(VERSION)
    it.install("old", kept(tmp_path, namespace.name)).expect_ok()
    it.uninstall("old").expect_ok()
    shirts = {"apiGroups": [STABLE_SHIRT.group], "resources": [STABLE_SHIRT.plural], "verbs": ["list"]}
    stored = {"apiGroups": [""], "resources": [SECRET.plural, CONFIG_MAP.plural], "verbs": ["list"]}
    user = control_plane.user(namespace, [shirts, stored])
    code, said = orphans(helm(VERSION, user), "-n", namespace.name)
    assert code == 10
    assert [each["name"] for each in said["orphans"]] == [namespace.name]
    assert said["kinds"] == 3
    assert {"flags.beta.example.com", "deployments.apps"} <= set(said["forbidden"])
    assert said["failed"] == []
    blind = control_plane.user(namespace, [shirts], name="blind")
    code, said = orphans(helm(VERSION, blind), "-n", namespace.name)
    assert (code, said["orphans"]) == (5, [])
    assert [(each["release"]["name"], each["objects"]) for each in said["undecided"]] == [("old", 1)]
