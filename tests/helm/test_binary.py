"""A Helm that postrender itself runs: found, asked, made to render."""

from __future__ import annotations

from pathlib import Path

import pytest

from postrender.errors import ManifestError, UsageError
from postrender.helm import binary
from postrender.helm.binary import HelmBinary
from postrender.helm.versions import HelmVersion


def helm(folder: Path, script: str, name: str = "helm") -> str:
    """A program that says it is Helm 3.12.3, and does ``script`` for everything else."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nif [ "$1" = version ]; then echo v3.12.3; exit; fi\n{script}\n')
    path.chmod(0o755)
    return str(path)


def test_the_helm_on_path_is_found(tmp_path: Path) -> None:
    path = helm(tmp_path, "")
    assert binary.locate(None, {"PATH": str(tmp_path)}) == HelmBinary(path, HelmVersion(3, 12, 3))


def test_another_name_on_path_is_found(tmp_path: Path) -> None:
    path = helm(tmp_path, "", "helm-3")
    assert binary.locate("helm-3", {"PATH": str(tmp_path)}).path == path


def test_no_helm_on_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        binary.locate(None, {"PATH": str(tmp_path)})
    assert (
        str(error.value)
        == "helm: is not on PATH\nnote: install Helm, or give the path of its program\nhint: command -v helm"
    )


def test_a_path_that_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "helm"
    path.write_text("no program")
    with pytest.raises(UsageError) as error:
        binary.locate(str(path), {"PATH": ""})
    assert (
        str(error.value)
        == f"{path}: is not a program that can be run\nnote: install Helm, or give the path of its program\n"
        "hint: command -v helm"
    )


def test_a_program_that_says_no_version(tmp_path: Path) -> None:
    path = tmp_path / "helm"
    path.write_text("#!/bin/sh\necho hello\n")
    path.chmod(0o755)
    with pytest.raises(UsageError) as error:
        binary.locate(str(path), {"PATH": "/usr/bin:/bin"})
    assert str(error.value) == (
        f"{path}: cannot detect its version: {path} version said 'hello', which is not a version\n"
        "note: install Helm, or give the path of its program\nhint: command -v helm"
    )


def test_the_rendered_chart_comes_byte_for_byte(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    helm(tmp_path, "printf '%s\\r\\n' \"$@\"; echo 'WARNING: old' >&2")
    found = binary.locate(None, {"PATH": str(tmp_path)})
    assert binary.template(found, ["shop", "./chart", "--set", "a= b"], {}) == (
        b"template\r\nshop\r\n./chart\r\n--set\r\na= b\r\n"
    )
    assert capfd.readouterr().err == "helm: WARNING: old\n"


def test_a_chart_that_cannot_be_rendered(tmp_path: Path) -> None:
    helm(tmp_path, "echo some; echo 'Error: no chart there' >&2; exit 1")
    found = binary.locate(None, {"PATH": str(tmp_path)})
    with pytest.raises(ManifestError) as error:
        binary.template(found, ["shop", "./chart", "--set", "password=hunter2"], {})
    assert str(error.value) == (
        "the chart cannot be rendered: no chart there\n"
        f"note: with the same --set\nhint: {tmp_path}/helm template shop ./chart --debug"
    )


def test_every_helm_on_path_once_under_whatever_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    real = helm(one, "", "helm-v3.12.3")
    (two / "helm").symlink_to(real)
    helm(two, "", "helmfile")
    other = helm(two, "", "helm3")
    (two / "helm4").write_text("no program")
    found = binary.on_path({"PATH": f"{one}:{tmp_path}/none:{two}"})
    assert [each.path for each in found] == [real, other]


def test_where_a_helm_looks_for_plugins(tmp_path: Path) -> None:
    helm(tmp_path, 'echo "WARNING: old" >&2; echo "$HELM_PLUGINS:/second"; test "$HELM_DRIVER" = secret')
    found = binary.locate(None, {"PATH": str(tmp_path)})
    environ = {"HELM_PLUGINS": "/first", "HELM_DRIVER": "sql"}
    assert binary.plugin_folders(found, environ) == ("/first", "/second")


def test_a_helm_that_does_not_tell_where_it_looks_for_plugins(tmp_path: Path) -> None:
    path = helm(tmp_path, "echo 'Error: no' >&2; exit 1")
    with pytest.raises(UsageError) as error:
        binary.plugin_folders(binary.locate(None, {"PATH": str(tmp_path)}), {})
    assert str(error.value) == (
        f"{path}: cannot detect its plugin folder: helm env HELM_PLUGINS failed: Error: no\n"
        "note: add --plugins-dir with the folder of Helm's plugins"
    )
