"""kustomize before and after the filter, with the real Helms: what they leave behind is what both wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_flux import KUSTOMIZE
from tests.e2e.api import Namespace
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT
from tests.e2e.test_kept_resources import LABEL, kept, pins
from tests.tools import assets

pytestmark = pytest.mark.one_in(2)

VERSIONS = ("3.12.3", "3.21.4", "4.1.4", "4.3.1")
PAIR = {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green"}}
TEAM = "labels:\n- pairs: {team: shop}\n"
WITHOUT_PIN = """\
patches:
- target: {kind: Shirt, group: stable.example.com}
  patch: |-
    - op: remove
      path: /metadata/resourceVersion
"""
WITHOUT_SHIRTS = (
    "patches:\n- target: {kind: Shirt}\n"
    "  patch: '{\"$patch\": delete, apiVersion: x, kind: Shirt, metadata: {name: shirt}}'\n"
)


def kustomize(folder: Path, kustomization: str) -> str:
    """A post-renderer as kustomize's own documentation has it: the stream in a file, and the result of a build."""
    place = folder / "kustomization"
    place.mkdir()
    (place / "kustomization.yaml").write_text(f"resources: [all.yaml]\n{kustomization}")
    script = folder / "kustomized"
    script.write_text(f'#!/bin/sh\nset -e\ncat >"$1/all.yaml"\nexec {assets.go_tool(*KUSTOMIZE)} build "$1"\n')
    script.chmod(0o755)
    return f"{script} '{place}'"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flag", ["--first", "--then"])
def test_both_have_their_way(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, flag: str) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    chained = Filter((f"{flag}={kustomize(tmp_path, TEAM)}",))
    for verb in ("install", "upgrade"):
        it.run(verb, "r", str(both), filter=chained).expect_ok()
        stored = namespace.releases("r")[-1].manifest
        assert stored.count("team: shop") == stored.count(LABEL) == 2
        assert all({"team", LABEL} <= namespace.labels(kind, "shirt").keys() for kind in PAIR)
        assert {kind: namespace.content(kind, "shirt") for kind in PAIR} == PAIR


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flag", ["--first", "--then"])
def test_what_was_kept_is_adopted(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, flag: str
) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    chained = Filter((f"{flag}={kustomize(tmp_path, TEAM)}",))
    it.install("r", both, filter=chained).expect_ok()
    uids = {kind: namespace.uid(kind, "shirt") for kind in PAIR}
    it.uninstall("r").expect_ok()
    it.install("r", both, filter=chained).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in PAIR} == uids
    assert pins(namespace) == (version == "3.12.3")


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4"])
def test_what_helm_will_not_apply_may_not_be_added_afterwards(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    it.install("r", both, filter=True).expect_ok()
    it.uninstall("r").expect_ok()
    chained = kustomize(tmp_path, TEAM)
    run = it.install("r", both, filter=Filter((f"--then={chained}",)))
    assert f"shirts.beta.example.com/{namespace.name}/shirt: metadata.labels.team\n" in run.stderr
    assert namespace.releases("r") == []
    # Before, it is the chart's: what is live is stored, and the next upgrade applies the rest.
    it.install("r", both, filter=Filter((f"--first={chained}",))).expect_ok()
    it.upgrade("r", both, filter=Filter((f"--first={chained}",))).expect_ok()
    assert all(namespace.labels(kind, "shirt")["team"] == "shop" for kind in PAIR)


def test_a_pin_that_kustomize_takes_out_is_refused(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it, both = helm("3.12.3"), kept(tmp_path, PAIR)
    it.install("r", both).expect_ok()
    it.uninstall("r").expect_ok()
    run = it.install("r", both, filter=Filter((f"--then={kustomize(tmp_path, WITHOUT_PIN)}",)))
    assert "exit status 4" in run.stderr
    assert f"shirts.stable.example.com/{namespace.name}/shirt: metadata.resourceVersion" in run.stderr
    assert namespace.releases("r") == []


@pytest.mark.parametrize("version", ["3.21.4", "4.3.1"])
@pytest.mark.parametrize("flag", ["--first", "--then"])
def test_what_kustomize_loses_is_named_before_anything_is_written(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, flag: str
) -> None:
    it, old = helm(version), kept(tmp_path, {**PAIR, CONFIG_MAP: {"a": "1"}})
    it.install("old", old).expect_ok()
    it.uninstall("old").expect_ok()
    losing = f"{flag}={kustomize(tmp_path, WITHOUT_SHIRTS)}"
    run = it.install("r", old, filter=Filter((losing, "--adopt=orphans")))
    assert not run.ok
    assert f"error: {flag} kustomized: lost 2 objects, which Helm would delete or not create\n" in run.stderr
    assert "  Shirt.beta.example.com shirt (line " in run.stderr
    assert namespace.releases("r") == []
    assert {namespace.owner(kind, "shirt") for kind in (*PAIR, CONFIG_MAP)} == {"old"}, "nothing was taken over"


@pytest.mark.parametrize("version", ["3.21.4", "4.3.1"])
def test_what_kustomize_says_when_it_fails_reaches_a_person(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    it, both = helm(version), kept(tmp_path, PAIR)
    run = it.template("r", both, filter=Filter((f"--then={kustomize(tmp_path, 'resourses: []')}",)))
    assert not run.ok
    assert run.stderr.count("error: --then kustomized: ended with exit code 1: Error: ") == 1
    assert "resourses" in run.stderr
