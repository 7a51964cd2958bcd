"""A release that stored what it never applied (helm#30690), and what the filter makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.helm import Filter, Helm, HelmFactory
from tests.e2e.kinds import STABLE_SHIRT, Kind, definition

BEFORE = {"color": "blue", "size": "M", "deep": {"a": 1, "b": 2}}
AFTER = {"color": "red", "deep": {"b": 3}, "new": ["x"]}


def shirt(folder: Path, spec: Any) -> Path:
    return chart(folder, {"shirt": manifest(STABLE_SHIRT, "shirt", spec, keep=True)})


def poisoned(it: Helm, namespace: Namespace, folder: Path) -> Path:
    """A reinstalled release whose stored Shirt is the chart's and whose live one is not; the chart."""
    now = shirt(folder, AFTER)
    it.install("r", shirt(folder, BEFORE)).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", now).expect_ok()
    it.upgrade("r", now).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE, "Helm alone applies it, and there is nothing to test"
    return now


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
class TestAPoisonedRelease:
    def test_is_true_after_one_upgrade_and_exact_after_two(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        now = poisoned(it, namespace, tmp_path)
        it.upgrade("r", now, filter=True).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE
        assert 'color: "blue"' in namespace.releases("r")[-1].manifest
        it.upgrade("r", now).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == AFTER

    def test_is_exact_at_once_where_that_is_allowed(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        now = poisoned(it, namespace, tmp_path)
        it.upgrade("r", now, filter=Filter(("--on-drift=apply",))).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == AFTER

    def test_leaves_to_others_what_they_changed(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        now = poisoned(it, namespace, tmp_path)
        namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"color": "theirs"}}, manager="painter")
        it.upgrade("r", now, filter=True).expect_ok()
        it.upgrade("r", now, filter=True).expect_ok()
        assert namespace.content(STABLE_SHIRT, "shirt") == {**AFTER, "color": "theirs"}

    def test_ends_a_pipeline_that_must_not_need_a_second_step(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        now = poisoned(it, namespace, tmp_path)
        refused = it.upgrade("r", now, filter=Filter(("--on-drift=fail",)))
        assert "are not live as the release stored it, which this Helm does not see" in refused.stderr
        assert len(namespace.releases("r")) == 2


def test_an_upgrade_of_a_release_that_is_true_is_left_alone(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.21.4")
    it.install("r", shirt(tmp_path, BEFORE)).expect_ok()
    it.upgrade("r", shirt(tmp_path, AFTER), filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == AFTER
    assert "color: red" in namespace.releases("r")[-1].manifest


def test_taking_ownership_that_applied_nothing_is_seen_by_the_next_upgrade(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """``install --take-ownership`` of 3.17 (H7): nobody called helm ever wrote to the object."""
    it = helm("3.17.3")
    namespace.create(manifest(STABLE_SHIRT, "shirt", BEFORE), STABLE_SHIRT)
    now = shirt(tmp_path, AFTER)
    it.install("r", now, "--take-ownership").expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE
    it.upgrade("r", now, filter=True).expect_ok()
    it.upgrade("r", now, filter=True).expect_ok()
    live = namespace.content(STABLE_SHIRT, "shirt")
    assert {name: live[name] for name in ("color", "new")} == {"color": "red", "new": ["x"]}


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
def test_a_field_that_the_server_drops_is_nothing_to_mend(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """The schema of Shirts knows no field ``extra`` beside their spec."""
    it = helm(version)
    shown = {**manifest(STABLE_SHIRT, "shirt", BEFORE, keep=True), "extra": {"a": 1}}
    whole = chart(tmp_path, {"shirt": shown})
    it.install("r", whole).expect_ok()
    assert "extra" not in namespace.found(STABLE_SHIRT, "shirt")
    for _ in range(2):
        it.upgrade("r", whole, filter=Filter(("--on-drift=fail",))).expect_ok()
        assert "extra" in namespace.releases("r")[-1].manifest
    it.uninstall("r").expect_ok()
    it.install("r", whole, filter=Filter(("--on-drift=fail",))).expect_ok()
    it.upgrade("r", chart(tmp_path, {"shirt": {**shown, "spec": AFTER}}), filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == AFTER


HAT = Kind("defaults.example.com", "v1", "Hat", "hats")
"""Its schema fills in a size and a brim."""

pytestmark = pytest.mark.one_in(2)


def hat(folder: Path, spec: Any) -> Path:
    return chart(folder, {"hat": manifest(HAT, "hat", spec, keep=True)})


@pytest.fixture(scope="module")
def hats(control_plane: ControlPlane) -> None:
    crd = definition(HAT)
    (version,) = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["size"]["default"] = "M"
    brim = {"type": "object", "properties": {"width": {"type": "integer", "default": 3}}, "default": {}}
    spec["properties"]["brim"] = brim
    serve(control_plane.api, [crd])


@pytest.mark.usefixtures("hats")
@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
def test_what_the_server_fills_in_is_no_remainder_of_an_older_chart(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """The server writes down Helm as the one who set it."""
    it = helm(version)
    whole = hat(tmp_path, {"color": "blue"})
    it.install("r", whole).expect_ok()
    assert namespace.content(HAT, "hat") == {"color": "blue", "size": "M", "brim": {"width": 3}}
    for _ in range(2):
        it.upgrade("r", whole, filter=Filter(("--on-drift=fail",))).expect_ok()
        assert "size" not in namespace.releases("r")[-1].manifest


@pytest.mark.usefixtures("hats")
@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
def test_a_remainder_is_told_from_what_the_server_fills_in(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """All that is stored is live, but an unfiltered reinstall left a field behind."""
    it = helm(version)
    before, now = (hat(tmp_path, spec) for spec in ({"color": "blue", "old": {"a": 1}}, {"color": "blue"}))
    it.install("r", before).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", now).expect_ok()
    it.upgrade("r", now, filter=True).expect_ok()
    assert "old" in namespace.releases("r")[-1].manifest
    it.upgrade("r", now, filter=True).expect_ok()
    assert namespace.content(HAT, "hat") == {"color": "blue", "size": "M", "brim": {"width": 3}}
    it.upgrade("r", now, filter=Filter(("--on-drift=fail",))).expect_ok()


def test_what_drifted_is_mended_beside_what_the_server_drops(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.21.4")
    before, now = (
        chart(tmp_path, {"shirt": {**manifest(STABLE_SHIRT, "shirt", spec, keep=True), "extra": {"a": 1}}})
        for spec in (BEFORE, AFTER)
    )
    it.install("r", before).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", now, filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == BEFORE
    it.upgrade("r", now, filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == AFTER
    it.upgrade("r", now, filter=Filter(("--on-drift=fail",))).expect_ok()
