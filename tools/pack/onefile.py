"""``postrender.pyz``: the program and the packages it needs in one file, for any Python from 3.10 on."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools import logged
from tools.pack import start

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
NAME = "postrender.pyz"
INTERPRETER = b"#!/usr/bin/env python3\n"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip file can hold, for the same bytes on every day."""
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("manylinux2014_x86_64", "manylinux2014_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64")
"""The file has libyaml for each of them except 3.10 on musl; elsewhere PyYAML reads in Python, ten times slower."""
_UNUSED = ("bin", "kubernetes/e2e_test", "kubernetes/test", "kubernetes/docs", "tzdata")
"""What is installed and never imported."""


def install(wheel: Path, folder: Path) -> None:
    """Install the wheel and the pinned packages into a folder, with libyaml as the only compiled module.

    Raises CalledProcessError, and RuntimeError where a package has a compiled module only.
    """
    into = ["--no-compile", "--no-deps", "--target", str(folder)]
    packages = ["--requirement", str(REQUIREMENTS), str(wheel)]
    logged.run([*_PIP, "install", *into, *packages])
    for name in _UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in [*folder.rglob("*.so"), *folder.rglob("*.pyd")]:
        # A compiled module has a Python module of its name beside it, or its package asks whether it is there.
        if path.name.split(".")[0] != "_yaml" and not path.with_name(f"{path.name.split('.')[0]}.py").exists():
            raise RuntimeError(f"{path.relative_to(folder)} has no counterpart in Python")
        path.unlink()
    for python in PYTHONS:
        for platform in PLATFORMS:
            # Python 3.10 has the same file name for both C libraries.
            if (python, platform.partition("_")[0]) != ("3.10", "musllinux"):
                _add_libyaml(python, platform, folder)


def _add_libyaml(python: str, platform: str, folder: Path) -> None:
    """Add PyYAML's compiled module for one Python and platform; its file name tells Python where it fits."""
    (pin,) = (line for line in REQUIREMENTS.read_text().splitlines() if line.startswith("PyYAML=="))
    with tempfile.TemporaryDirectory() as temporary:
        only = ["--no-deps", "--only-binary=:all:", "--python-version", python, "--platform", platform]
        logged.run([*_PIP, "download", *only, "--dest", temporary, pin])
        (wheel,) = Path(temporary).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.startswith("yaml/_yaml.") and name.endswith(".so"))
            (folder / name).write_bytes(archive.read(name))


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file that belongs into the archive, sorted by name."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.endswith((".pyc", "/RECORD", "/direct_url.json", "/REQUESTED")):
            yield name, path.read_bytes()


def build(wheel: Path, path: Path) -> Path:
    """Write the one-file program made from a wheel of postrender; the same bytes for the same wheel and pins."""
    with tempfile.TemporaryDirectory() as temporary:
        install(wheel, Path(temporary))
        return write(Path(temporary), path)


def write(installed: Path, path: Path) -> Path:
    """Write the one-file program made from a folder of installed packages."""
    files = list(contents(installed))
    digest = hashlib.sha256()
    for name, data in files:
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    main = Path(start.__file__).read_text().replace("@BUILD@", digest.hexdigest()[:16])
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(INTERPRETER)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, data in [("__main__.py", main.encode()), *files]:
                entry = zipfile.ZipInfo(name, _TIME)
                entry.external_attr = 0o644 << 16
                # Only start.py reads the compiled modules; Python itself imports from an archive what is deflated.
                archive.writestr(entry, data, zipfile.ZIP_LZMA if name.endswith(".so") else zipfile.ZIP_DEFLATED)
    path.chmod(0o755)
    return path
