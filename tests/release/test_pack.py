"""The packages for machines without pip: each built, and run on the quick start where nothing else is."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import postrender
from tests.cli.test_filter import EXAMPLE, RENDERED, ROOT
from tests.e2e.conftest import program
from tests.release.test_release import clone
from tools import release
from tools.pack import onefile, plugin, selfcontained, start
from tools.pack.gpg import Keyring

LIVE = EXAMPLE / "live.yaml"
VERSION = postrender.__version__
ARGUMENTS = ("--release", "shirts", "--namespace", "default", "--helm-version", "3.12.3")
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = clone(tmp_path_factory.mktemp("source"))
    (wheel,) = release.build(source, tmp_path_factory.mktemp("dist"), "--wheel")
    return wheel


@pytest.fixture(scope="module")
def one_file(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onefile.build(wheel, tmp_path_factory.mktemp("onefile") / onefile.NAME)


@pytest.fixture(scope="module")
def expected() -> bytes:
    """The quick start as the installed program writes it."""
    return ran([sys.executable, "-m", "postrender"], {**os.environ}).stdout


def ran(command: Sequence[str], environ: dict[str, str], live: Path = LIVE) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*command, "--live", str(live), *ARGUMENTS], input=RENDERED, env=environ, capture_output=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr.decode()
    return done


def bare(home: Path | str) -> dict[str, str]:
    """An environment without anything but a home and a search path."""
    return {"HOME": str(home), "PATH": f"{os.defpath}:/usr/sbin:/sbin"}


def cached(home: Path) -> Path:
    """The folder that the one-file program was unpacked into."""
    (folder,) = (home / ".cache" / "postrender").glob("pyz-*")
    return folder


def test_the_one_file_is_small(one_file: Path) -> None:
    assert one_file.stat().st_size <= 15 * MEGABYTE


def test_the_one_file_has_libyaml_for_each_python_and_c_library(one_file: Path) -> None:
    with zipfile.ZipFile(one_file) as packed:
        modules = {name for name in packed.namelist() if name.endswith(".so")}
    assert modules == {
        f"yaml/_yaml.cpython-{python}-{processor}-linux-{library}.so"
        for python in ("310", "311", "312", "313", "314")
        for processor in ("x86_64", "aarch64")
        for library in ("gnu", "musl")
        if (python, library) != ("310", "musl")
    }


@pytest.mark.parametrize(
    ("host", "suffix", "module"),
    [
        ("x86_64-pc-linux-gnu", "310-x86_64-linux-gnu", {"310-x86_64-linux-gnu"}),
        ("x86_64-pc-linux-musl", "310-x86_64-linux-gnu", set()),
        ("x86_64-alpine-linux-musl", "311-x86_64-linux-musl", {"311-x86_64-linux-musl"}),
    ],
)
def test_a_python_gets_the_libyaml_of_its_c_library(
    host: str, suffix: str, module: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as packed:
        packed.writestr("yaml/__init__.py", "")
        for each in ("310-x86_64-linux-gnu", "311-x86_64-linux-gnu", "311-x86_64-linux-musl"):
            packed.writestr(f"yaml/_yaml.cpython-{each}.so", each)
    monkeypatch.setattr(importlib.machinery, "EXTENSION_SUFFIXES", [f".cpython-{suffix}.so", ".so"])
    monkeypatch.setattr(sysconfig, "get_config_var", {"HOST_GNU_TYPE": host}.get)
    start.unpack(str(tmp_path / "archive"), str(tmp_path), str(tmp_path / "folder"))
    unpacked = {path.read_text() for path in (tmp_path / "folder" / "yaml").glob("*.so")}
    assert unpacked == module


def test_the_one_file_runs_the_quick_start_with_nothing_installed(
    one_file: Path, expected: bytes, tmp_path: Path
) -> None:
    for _ in range(2):
        assert ran([sys.executable, "-I", "-S", str(one_file)], bare(tmp_path)).stdout == expected
    assert cached(tmp_path).stat().st_mode & 0o077 == 0


def test_the_one_file_runs_from_the_archive_where_nothing_can_be_written(one_file: Path, expected: bytes) -> None:
    assert ran([sys.executable, "-I", "-S", str(one_file)], bare("/proc/none")).stdout == expected


@pytest.mark.parametrize("writable", ["the folder", "its parent"])
def test_the_one_file_runs_nothing_that_others_could_have_put_there(
    writable: str, one_file: Path, expected: bytes, tmp_path: Path
) -> None:
    ran([sys.executable, "-I", "-S", str(one_file)], bare(tmp_path))
    folder = cached(tmp_path)
    (folder / "postrender" / "cli.py").write_text("raise SystemExit('planted')\n")
    (folder if writable == "the folder" else folder.parent).chmod(0o777)
    assert ran([sys.executable, "-I", "-S", str(one_file)], bare(tmp_path)).stdout == expected


def test_many_first_calls_of_the_one_file_at_once(one_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(one_file), "--version"]
    calls = [subprocess.Popen(command, env=bare(tmp_path), stdout=subprocess.PIPE) for _ in range(5)]
    assert [call.communicate()[0].split()[1].decode() for call in calls] == [VERSION] * 5
    assert [path.name for path in cached(tmp_path).parent.iterdir()] == [cached(tmp_path).name]


def test_the_one_file_is_always_the_same_bytes(tmp_path: Path) -> None:
    for each, order in (("one", "ab"), ("two", "ba")):
        for name in order:
            (tmp_path / each).mkdir(exist_ok=True)
            (tmp_path / each / f"{name}.py").write_text(f"{name} = 1\n")
        onefile.write(tmp_path / each, tmp_path / f"{each}.pyz")
    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "two.pyz").read_bytes()


def test_an_old_python_is_told_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3.9")
    monkeypatch.setattr(sys, "argv", ["postrender.pyz"])
    monkeypatch.setenv("PATH", "/nothing")
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "error: postrender needs Python 3.10 or later, and this is 3.9 (/usr/bin/python3.9)\n"
        "hint: /path/to/python3.10 postrender.pyz\n"
    )


def test_an_old_python_runs_a_newer_one_of_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "python3.12").write_text("#!/bin/sh\n")
    (tmp_path / "python3.12").chmod(0o755)
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(sys, "argv", ["postrender.pyz", "--version"])
    monkeypatch.setattr(os, "execv", lambda path, command: ran.append((path, command)))
    monkeypatch.setenv("PATH", str(tmp_path))
    start.run_with_newer_python()
    assert ran == [(f"{tmp_path}/python3.12", [f"{tmp_path}/python3.12", "postrender.pyz", "--version"])]


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    # A socket's path has to be short.
    made = Keyring(Path(tmp_path_factory.mktemp("g")) / "h")
    yield made
    made.close()


@pytest.fixture
def packed(one_file: Path, gpg: Keyring, tmp_path: Path) -> Path:
    """The signed plugin."""
    archive = plugin.build(one_file, VERSION, tmp_path)
    plugin.sign(archive, VERSION, gpg.KEY, "--quiet", "--homedir", str(gpg.home))
    return archive


def helm(version: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**bare(home), "PATH": f"{Path(sys.executable).parent}:{os.defpath}"}
    command = [str(program(f"helm@{version}")), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, cwd=ROOT)


NEWEST = "4.3.2"


def test_helm_4_verifies_installs_and_runs_the_plugin(packed: Path, gpg: Keyring, tmp_path: Path) -> None:
    installed = helm(NEWEST, tmp_path, "plugin", "install", str(packed), "--verify", "--keyring", str(gpg.public))
    assert installed.returncode == 0, installed.stderr
    assert f"Signed by: postrender test key <{gpg.KEY}>" in installed.stdout
    options = [f"--post-renderer-args={each}" for each in ("--live", str(LIVE), "--namespace", "default")]
    rendered = helm(NEWEST, tmp_path, "template", "shirts", str(EXAMPLE), "--post-renderer", "postrender", *options)
    assert rendered.returncode == 0, rendered.stderr
    assert "postrender" in rendered.stdout
    assert "2 of 2 objects modified" in rendered.stderr


def test_helm_4_refuses_a_plugin_that_was_changed(packed: Path, gpg: Keyring, tmp_path: Path) -> None:
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "changed", filter="data")
    (tmp_path / "changed" / "postrender" / "postrender").write_text("#!/bin/sh\necho planted\n")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "changed" / "postrender", "postrender")
    installed = helm(NEWEST, tmp_path, "plugin", "install", str(packed), "--verify", "--keyring", str(gpg.public))
    assert installed.returncode != 0
    assert "sha256 sum does not match" in installed.stderr


def test_the_plugin_says_on_stderr_where_python_is_missing(packed: Path, tmp_path: Path) -> None:
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    environ = {**bare(tmp_path), "POSTRENDER_PYTHON": "python3.none"}
    done = subprocess.run([str(tmp_path / "postrender" / "postrender")], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "error: postrender needs Python 3.10 or later, and python3.none is not on PATH\n"
        "hint: export POSTRENDER_PYTHON=/path/to/python3\n",
    )


@pytest.fixture(scope="module")
def empty_root(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with the self-contained program, the C library and nothing else."""
    folder = tmp_path_factory.mktemp("root")
    archive = selfcontained.build(wheel, VERSION, tmp_path_factory.mktemp("packed"), onefile.REQUIREMENTS)
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "opt", filter="tar")
    for name in ("proc", "tmp"):
        (folder / name).mkdir()
    linked = subprocess.run(["ldd", "/bin/ls"], check=True, capture_output=True, text=True).stdout.split()
    library = Path(next(word for word in linked if "/libc.so.6" in word)).parent
    loader = Path(next(word for word in linked if "/ld-linux" in word))
    wanted = [library / name for name in ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1")]
    for path in (loader, *wanted):
        (folder / path.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.relative_to("/"))
    shutil.copy(LIVE, folder / "tmp" / "live.yaml")
    return folder


def test_the_self_contained_program_runs_in_an_empty_root(empty_root: Path, expected: bytes) -> None:
    inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" /opt/postrender/postrender "$@"'
    command = ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "sh", "-c", inside, str(empty_root)]
    assert ran(command, bare("/tmp"), Path("/tmp/live.yaml")).stdout == expected
