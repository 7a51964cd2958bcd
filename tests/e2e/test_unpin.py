"""Pins taken out of a stored release: what the real Helms then make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import VERSION_MISSING, Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_SHIRT, SECRET, STABLE_SHIRT

CONFIGMAPS = {"HELM_DRIVER": "configmap"}


def shirts(folder: Path, beta: dict[str, Any], stable: dict[str, Any]) -> Path:
    return chart(
        folder,
        {
            "a-beta": manifest(BETA_SHIRT, "shirt", beta, keep=True),
            "b-stable": manifest(STABLE_SHIRT, "shirt", stable, keep=True),
        },
    )


def postrender(it: Helm, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The project's program in Helm's own environment."""
    return subprocess.run(
        [str(executable(it.home)), *arguments, "-n", it.namespace],
        env={**it.env, **(env or {})},
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )


def unpin(it: Helm, *arguments: str, env: dict[str, str] | None = None) -> str:
    done = postrender(it, "unpin", "r", *arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def pinned(it: Helm, folder: Path, env: dict[str, str] | None = None) -> tuple[Path, Path]:
    """A release whose first two revisions hold a pin, by reinstalling and upgrading; its chart, and another one."""
    before = shirts(folder, {"color": "blue"}, {"color": "green", "size": "M"})
    after = shirts(folder, {"color": "red"}, {"color": "black", "size": "L"})
    it.install("r", before, env=env).expect_ok()
    it.run("uninstall", "r", env=env).expect_ok()
    it.install("r", before, filter=True, env=env).expect_ok()
    return before, after


@pytest.mark.parametrize("version", ["3.12.3", "3.16.4"])
class TestAPinnedRelease:
    def test_can_be_rolled_back_to_without_its_pin(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        _, after = pinned(it, tmp_path)
        it.upgrade("r", after, filter=True).expect_ok()
        stale = it.rollback("r", 1)
        assert "the object has been modified" in stale.error
        said = unpin(it)
        assert "  revision 1 (superseded): 1 resourceVersion removed\n" in said
        assert f"    - shirts.stable.example.com/{namespace.name}/shirt\n" in said.replace(" (resourceVersion ", "\n")
        it.rollback("r", 1).expect_ok()
        assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue"}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green", "size": "M"}

    @pytest.mark.parametrize("newer", ["3.17.3", "4.3.1"])
    def test_can_be_upgraded_by_a_newer_helm_without_the_filter(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, newer: str
    ) -> None:
        old = helm(version)
        _, after = pinned(old, tmp_path)
        assert VERSION_MISSING in helm(newer).upgrade("r", after).error
        unpin(old)
        helm(newer).upgrade("r", after).expect_ok()
        assert namespace.content(BETA_SHIRT, "shirt") == {"color": "red"}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black", "size": "L"}

    def test_reads_as_before_but_for_the_pin(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        pinned(it, tmp_path)
        history = it.run("history", "r").expect_ok().stdout
        (before,) = namespace.releases("r")
        dry = unpin(it, "--dry-run")
        assert "  revision 1 (deployed): 1 resourceVersion to remove\n" in dry
        assert dry.endswith("  1 revision, 1 would be changed; nothing was written (--dry-run).\n")
        assert namespace.releases("r") == [before]
        said = unpin(it)
        (after,) = namespace.releases("r")
        lines = before.manifest.splitlines(keepends=True)
        assert after.manifest == "".join(line for line in lines if "resourceVersion" not in line)
        assert {**after.body, "manifest": None} == {**before.body, "manifest": None}
        assert it.run("history", "r").expect_ok().stdout == history
        assert it.run("get", "manifest", "r").expect_ok().stdout.rstrip("\n") == after.manifest.rstrip("\n")
        again = unpin(it)
        assert again.endswith("  1 revision, none contains a resourceVersion. Nothing was written.\n")
        assert said.splitlines()[-1].strip().startswith("hint: kubectl replace -f ")

    def test_under_the_configmap_driver(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        _, after = pinned(it, tmp_path, CONFIGMAPS)
        it.upgrade("r", after, filter=True, env=CONFIGMAPS).expect_ok()
        assert "resourceVersion" in it.run("get", "manifest", "r", "--revision", "1", env=CONFIGMAPS).stdout
        assert "  revision 1 (superseded): 1 resourceVersion removed\n" in unpin(it, env=CONFIGMAPS)
        for revision in ("1", "2"):
            got = it.run("get", "manifest", "r", "--revision", revision, env=CONFIGMAPS).expect_ok()
            assert "resourceVersion" not in got.stdout
        it.run("rollback", "r", "1", env=CONFIGMAPS).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green", "size": "M"}


def test_the_copy_puts_the_release_back(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    pinned(it, tmp_path)
    (before,) = namespace.releases("r")
    backup = tmp_path / "kept" / "old.json"
    unpin(it, "--backup", str(backup))
    assert backup.stat().st_mode & 0o777 == 0o600
    (secret,) = json.loads(backup.read_text())["items"]
    namespace.api.request("PUT", SECRET.path(namespace.name, secret["metadata"]["name"]), secret)
    assert namespace.releases("r") == [before]


def test_who_may_not_update_it_is_told_and_nothing_changes(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    pinned(helm("3.12.3"), tmp_path)
    before = namespace.releases("r")
    reader = control_plane.user(namespace, [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}])
    done = postrender(helm("3.12.3", reader), "unpin", "r", "--backup", str(tmp_path / "old.json"))
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith(
        f"error: secrets/{namespace.name}/sh.helm.release.v1.r.v1: it could not be given a new payload for "
        "revision 1: no right to update secrets (403): "
    )
    assert f"; nothing was written before it; the old payloads are in {tmp_path}/old.json\n" in done.stderr
    assert "auth can-i update secrets/sh.helm.release.v1.r.v1" in done.stderr
    assert namespace.releases("r") == before
