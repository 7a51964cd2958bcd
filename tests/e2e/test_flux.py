"""What helm-controller does, with its parts: the real Helm, and kustomize with the HelmRelease's patches behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT
from tests.tools import assets

KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")
LABEL = "postrender/group-kind"

HOOK = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "hook", "annotations": {"helm.sh/hook": "pre-install"}},
    "data": {"a": "1"},
}


def shop(folder: Path, size: str) -> Path:
    return chart(
        folder,
        {
            "stable": manifest(STABLE_SHIRT, "shirt", {"size": size}, keep=True),
            "beta": manifest(BETA_SHIRT, "shirt", {"size": size}, keep=True),
            "sizes": manifest(CONFIG_MAP, "sizes", {"size": size}),
            "hook": yaml.safe_dump(HOOK),
        },
    )


def helm_release(folder: Path, namespace: Namespace) -> Path:
    file = folder / "release.yaml"
    file.write_text(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        f"metadata: {{name: shop, namespace: {namespace.name}}}\nspec: {{interval: 5m}}\n"
    )
    return file


def controller(folder: Path, file: Path) -> Filter:
    """A post-renderer that does with ``spec.postRenderers`` what ``Run`` of internal/postrender does (1.6.3)."""
    patches = yaml.safe_load(file.read_text())["spec"]["postRenderers"][0]["kustomize"]["patches"]
    place = folder / "kustomize"
    place.mkdir(exist_ok=True)
    (place / "kustomization.yaml").write_text(json.dumps({"resources": ["helm-output.yaml"], "patches": patches}))
    script = folder / "controller"
    script.write_text(f"#!/bin/sh\ncat > {place}/helm-output.yaml\nexec {assets.go_tool(*KUSTOMIZE)} build {place}\n")
    script.chmod(0o755)
    return Filter(program=script)


def flux(file: Path, *arguments: str | Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("postrender"), "flux", file, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["3.17.3", "3.21.4", "4.3.1"])
def test_the_patches_hold_for_what_this_helm_hands_over(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    folder = shop(tmp_path, "M")
    file = helm_release(tmp_path, namespace)
    flux(file, "--chart", folder, "--helm", it.binary, "--stamp=all")
    renderer = controller(tmp_path, file)
    it.install("shop", folder, filter=renderer).expect_ok()
    kinds = ((STABLE_SHIRT, "shirt"), (BETA_SHIRT, "shirt"), (CONFIG_MAP, "sizes"))
    for kind, name in kinds:
        assert namespace.owner(kind, name) == "shop"
    for kind in (STABLE_SHIRT, BETA_SHIRT):
        assert namespace.labels(kind, "shirt")[LABEL] == f"Shirt.{kind.group}"
    assert "meta.helm.sh/release-name" not in namespace.annotations(CONFIG_MAP, "hook")
    uids = {kind: namespace.uid(kind, "shirt") for kind in (STABLE_SHIRT, BETA_SHIRT)}
    it.uninstall("shop").expect_ok()
    it.install("shop", folder, filter=renderer).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in uids} == uids
    it.upgrade("shop", shop(tmp_path, "L"), filter=renderer).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == namespace.content(BETA_SHIRT, "shirt") == {"size": "L"}


def test_with_what_is_live_a_living_owner_is_told_before_anything_is_in_git(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    it = helm("3.21.4")
    folder = shop(tmp_path, "M")
    it.install("other", folder).expect_ok()
    file = helm_release(tmp_path, namespace)
    before = file.read_bytes()
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("postrender"), "flux", file, "--chart", folder, "--helm", it.binary),
            *("--kubeconfig", control_plane.kubeconfig, "--helm-version", "4.2.2"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert f"owned by installed release {namespace.name}/other; not adopted (PR101)" in done.stderr
    assert file.read_bytes() == before
