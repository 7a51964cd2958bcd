"""Statements of the documentation about Helm, each tried with the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import CONFIG_MAP

OWNER = "meta.helm.sh/release-name"


def handed_over(helm: HelmFactory, version: str, namespace: Namespace, folder: Path) -> None:
    """Release ``old`` stores a ConfigMap whose live annotation names the installed release ``new``."""
    it = helm(version)
    it.install("new", chart(folder / "new", {"b": manifest(CONFIG_MAP, "other", {"a": "1"})})).expect_ok()
    it.install("old", chart(folder / "old", {"a": manifest(CONFIG_MAP, "cfg", {"a": "1"})})).expect_ok()
    namespace.patch(CONFIG_MAP, "cfg", {"metadata": {"annotations": {OWNER: "new"}}})


@pytest.mark.parametrize(
    ("version", "deleted"), [("3.12.3", True), ("3.21.4", True), ("4.1.4", True), ("4.3.1", False), ("4.3.2", False)]
)
def test_an_uninstall_deletes_an_object_of_another_release_before_helm_4_3(
    version: str, deleted: bool, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """The check is new: a function verifyOwnershipBeforeDelete next to ``Run`` (pkg/action/uninstall.go)."""
    handed_over(helm, version, namespace, tmp_path)
    helm(version).uninstall("old").expect_ok()
    assert (namespace.get(CONFIG_MAP, "cfg") is None) is deleted


@pytest.mark.parametrize("version", ["3.21.4", "4.1.4", "4.3.2"])
def test_an_upgrade_deletes_an_object_of_another_release(
    version: str, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    handed_over(helm, version, namespace, tmp_path)
    rest = chart(tmp_path / "rest", {"c": manifest(CONFIG_MAP, "rest", {"a": "1"})})
    helm(version).upgrade("old", rest).expect_ok()
    assert namespace.get(CONFIG_MAP, "cfg") is None
