"""``--on-drift apply``: one step, and the release is true at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.kinds import BETA_SHIRT, STABLE_SHIRT

APPLY = Filter(("--on-drift=apply",))
BEFORE = {"color": "blue", "size": "M", "deep": {"a": 1, "b": [1, 2]}}
AFTER = {"color": "red", "deep": {"b": [3]}, "new": {"list": ["x"]}}


def shirt(folder: Path, spec: Any) -> Path:
    return chart(folder, {"shirt": manifest(STABLE_SHIRT, "shirt", spec, keep=True)})


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
class TestAKeptShirtWithAnotherSpec:
    def test_is_the_charts_in_one_step_and_the_next_upgrade_sends_nothing(
        self, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        it.install("r", shirt(tmp_path, BEFORE)).expect_ok()
        namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"theirs": 1}})
        it.uninstall("r").expect_ok()
        it.install("r", shirt(tmp_path, AFTER), filter=APPLY).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == {**AFTER, "theirs": 1}
        (release,) = namespace.releases("r")
        for line in ("color: red", "new:", "- x"):
            assert line in release.manifest
        assert "size" not in release.manifest
        managers = {
            entry["manager"]: entry["fieldsV1"].get("f:spec")
            for entry in namespace.found(STABLE_SHIRT, "shirt")["metadata"]["managedFields"]
        }
        assert set(managers["helm"]) >= {"f:color", "f:deep", "f:new"}
        assert "postrender" not in managers
        mark = control_plane.audit.mark()
        it.upgrade("r", shirt(tmp_path, AFTER)).expect_ok()
        sent = [
            each for each in control_plane.audit.writes(mark, namespace=namespace.name) if "shirts" in each.resource
        ]
        assert sent == []

    def test_changes_again_as_the_chart_does(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        it.install("r", shirt(tmp_path, BEFORE)).expect_ok()
        it.uninstall("r").expect_ok()
        it.install("r", shirt(tmp_path, AFTER), filter=APPLY).expect_ok()
        it.upgrade("r", shirt(tmp_path, BEFORE)).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE

    def test_is_not_written_in_a_dry_run(
        self, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        it.install("r", shirt(tmp_path, BEFORE)).expect_ok()
        it.uninstall("r").expect_ok()
        mark = control_plane.audit.mark()
        it.install("r", shirt(tmp_path, AFTER), "--dry-run", filter=APPLY).expect_ok()
        assert control_plane.audit.writes(mark, namespace=namespace.name) == []
        assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE


def test_a_colliding_pair_whose_specs_changed(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """Values are swapped, which storing what is live cannot mend on this Helm."""
    it = helm("3.12.3")

    def pair(beta: Any, stable: Any) -> Path:
        return chart(
            tmp_path,
            {
                "a": manifest(BETA_SHIRT, "shirt", beta, keep=True),
                "b": manifest(STABLE_SHIRT, "shirt", stable, keep=True),
            },
        )

    it.install("r", pair({"color": "blue"}, {"color": "green", "size": "M"})).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", pair({"color": "green"}, {"color": "blue"}), filter=APPLY).expect_ok()
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "green"}
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "blue"}


def test_where_the_server_says_no_nothing_is_installed(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    admin = helm("3.21.4")
    admin.install("r", shirt(tmp_path, BEFORE)).expect_ok()
    admin.uninstall("r").expect_ok()
    user = control_plane.user(
        namespace,
        [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
            {"apiGroups": ["stable.example.com"], "resources": ["shirts"], "verbs": ["get", "create"]},
        ],
    )
    run = helm("3.21.4", user).install("r", shirt(tmp_path, AFTER), filter=APPLY)
    assert "exit status 5" in run.stderr
    assert "no right to patch shirts.stable.example.com (403)" in run.stderr
    assert "nothing was written before it" in run.stderr
    assert namespace.releases("r") == []
    assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE
