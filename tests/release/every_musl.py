"""musl: the one file, run by a Python that is built for that C library, in a root folder without anything else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import postrender
from tests.cli.test_filter import EXAMPLE, RENDERED, ROOT
from tests.release.test_pack import ARGUMENTS, bare, expected, one_file, wheel
from tests.tools.installed import needed

__all__ = ["expected", "one_file", "wheel"]

SOURCES = ("zlib", "xz-utils", "python3.11")
"""Debian's source packages: Python, and the libraries that it reads the one file with, as Alpine's Python does."""
LOADER = Path("/lib/ld-musl-x86_64.so.1")
INSIDE = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
BUILD = """
set -e
export CC="$0" CFLAGS="-O1 -fPIC" PREFIX="$1"
cd zlib-*
./configure --static --prefix="$PREFIX"
make install
cd ../xz-*
./configure --prefix="$PREFIX" --disable-shared --disable-nls --disable-doc --disable-xz --disable-xzdec \\
    --disable-lzmadec --disable-lzmainfo --disable-scripts
make install
cd ../Python-*
# Neither the compiler's processor nor Debian's folders for glibc.
sed -i 's/--print-multiarch/--no-such-option/' configure
sed -i 's/^\\( *\\)self.add_multiarch_paths()/\\1pass/' setup.py
./configure --prefix="$PREFIX" --without-ensurepip --disable-test-modules \\
    CPPFLAGS="-I$PREFIX/include" LDFLAGS="-L$PREFIX/lib" PKG_CONFIG=false
make install
"""


def run(*command: str, cwd: Path, environ: dict[str, str] | None = None) -> None:
    """Run a command of the build; a failure shows the end of what it printed."""
    done = subprocess.run(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout.decode(errors='replace')[-3000:]}"


def unpack_sources(folder: Path) -> None:
    """Download the source packages and unpack what their authors publish, without Debian's changes."""
    (folder / "sources").mkdir()
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("debian.*")]:
        if path.exists():
            text = path.read_text().replace("Types: deb\n", "Types: deb-src\n").replace("deb http", "deb-src http")
            (folder / "sources" / path.name).write_text(text)
    (folder / "lists" / "partial").mkdir(parents=True)
    own = {"Etc::sourcelist": "/dev/null", "Etc::sourceparts": folder / "sources", "State::lists": folder / "lists"}
    settings = [f"--option=Dir::{name}={path}" for name, path in own.items()]
    apt = [needed("apt-get"), *settings, "--option=APT::Sandbox::User="]
    run(*apt, "update", cwd=folder)
    run(*apt, "source", "--download-only", "--tar-only", *SOURCES, cwd=folder)
    for archive in folder.glob("*.orig.tar.*"):
        run("tar", "-xf", str(archive), cwd=folder)


@pytest.fixture(scope="module")
def root(one_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with Python, musl, the one file and the example."""
    compiler = needed("musl-gcc")
    folder, prefix = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("python") / "usr"
    unpack_sources(folder)
    run("sh", "-c", BUILD, compiler, str(prefix), cwd=folder)
    shutil.rmtree(folder)
    root = prefix.parent
    for name in ("lib", "proc", "tmp", "home"):
        (root / name).mkdir()
    shutil.copy(LOADER, root / "lib")
    shutil.copy(one_file, root / "home")
    shutil.copytree(EXAMPLE, root / "home" / "shirts")
    return root


def ran(root: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A call of the root folder's Python, with nothing but HOME and PATH in its environment."""
    inside = ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "sh", "-c", INSIDE, str(root)]
    command = [*inside, "/usr/bin/python3", *arguments]
    return subprocess.run(command, input=stdin, env=bare("/home"), capture_output=True)


def test_the_one_file_runs_the_quick_start_on_musl(root: Path, expected: bytes) -> None:
    version = ran(root, "/home/postrender.pyz", "--version")
    assert version.stdout.decode().startswith(f"postrender {postrender.__version__}\n"), version.stderr.decode()
    for _ in range(2):
        arguments = ("--live", "/home/shirts/live.yaml", *ARGUMENTS)
        assert ran(root, "/home/postrender.pyz", *arguments, stdin=RENDERED).stdout == expected


def test_lint_on_musl(root: Path) -> None:
    installed = subprocess.run(
        [sys.executable, "-m", "postrender", "lint", "examples/shirts/rendered.yaml"],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
    )
    linted = ran(root, "/home/postrender.pyz", "lint", "/home/shirts/rendered.yaml")
    assert (linted.returncode, linted.stdout.replace(b"/home/", b"examples/"), linted.stderr) == (
        installed.returncode,
        installed.stdout,
        installed.stderr,
    )
    assert b"shirts" in installed.stdout


def test_the_one_file_reads_with_libyaml_on_musl(root: Path) -> None:
    assert ran(root, "/home/postrender.pyz", "--version").returncode == 0
    (folder,) = (root / "home" / ".cache" / "postrender").glob("pyz-*")
    asked = f"import sys; sys.path.insert(0, '/home/.cache/postrender/{folder.name}'); import yaml"
    told = ran(root, "-c", f"{asked}; print(sys.implementation._multiarch, yaml.__with_libyaml__)")
    assert told.stdout == b"x86_64-linux-musl True\n", told.stderr.decode()
