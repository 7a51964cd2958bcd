"""The version that a Helm said before: taken again for the same file alone, and from nobody but its user."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from postrender.helm.version_cache import identify, recall, remember
from postrender.helm.versions import HelmVersion
from tests.helm.test_detect_version import asked, helm, program
from tests.tools import assets

VERSION = HelmVersion(3, 21, 4)


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """A program that is no script: one that always succeeds, and says nothing."""
    found = shutil.which("true")
    assert found
    return Path(shutil.copy(os.path.realpath(found), tmp_path / "helm"))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home")}


def kept(binary: Path, environ: Mapping[str, str]) -> HelmVersion | None:
    identity = identify(str(binary), str(binary))
    assert identity
    return recall(identity, environ)


def keep(binary: Path, environ: Mapping[str, str]) -> Path:
    """The file that now holds the version."""
    identity = identify(str(binary), str(binary))
    assert identity
    remember(identity, VERSION, environ)
    (file,) = (Path(environ["HOME"]) / ".cache/postrender").iterdir()
    return file


def test_it_is_remembered(binary: Path, environ: dict[str, str]) -> None:
    assert kept(binary, environ) is None
    file = keep(binary, environ)
    assert kept(binary, environ) == VERSION
    assert [oct(each.stat().st_mode & 0o777) for each in (file, file.parent)] == ["0o600", "0o700"]


def test_the_folder_that_the_variable_names(binary: Path, tmp_path: Path) -> None:
    identity = identify(str(binary), str(binary))
    assert identity
    remember(identity, VERSION, {"HOME": "/none", "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert recall(identity, {"XDG_CACHE_HOME": str(tmp_path / "cache")}) == VERSION
    assert recall(identity, {"HOME": str(tmp_path), "XDG_CACHE_HOME": "cache"}) is None


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "home"}, {"HOME": "/does/not/exist"}])
def test_no_folder(binary: Path, environ: dict[str, str]) -> None:
    identity = identify(str(binary), str(binary))
    assert identity
    remember(identity, VERSION, environ)
    assert recall(identity, environ) is None


def test_a_folder_that_cannot_be_written(binary: Path, environ: dict[str, str]) -> None:
    (Path(environ["HOME"]) / ".cache").write_text("a file")
    identity = identify(str(binary), str(binary))
    assert identity
    remember(identity, VERSION, environ)
    assert recall(identity, environ) is None


@pytest.mark.parametrize("change", ["content", "size", "replaced", "moved"])
def test_another_file(binary: Path, environ: dict[str, str], change: str) -> None:
    """An old modification time, which ``touch`` sets, makes no file the same again."""
    keep(binary, environ)
    before = binary.stat()
    data = binary.read_bytes()
    if change == "content":
        with binary.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"x")
    elif change == "size":
        binary.write_bytes(data + b"x")
    elif change == "replaced":
        binary.unlink()
        binary.write_bytes(data)
    else:
        binary = binary.rename(binary.with_name("helm3"))
    os.utime(binary, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept(binary, environ) is None


def test_a_script_may_start_another_helm_each_time(tmp_path: Path) -> None:
    path = program(tmp_path / "helm", "echo v3.21.4")
    assert identify(path, path) is None
    assert identify(str(tmp_path), str(tmp_path)) is None
    assert identify(str(tmp_path / "none"), "") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"{}", b"[]", b'[1, "v3.21.4"]', b"\xff", b"[" * 5000, b"null"],
)
def test_what_is_not_ours_is_not_read(binary: Path, environ: dict[str, str], content: bytes) -> None:
    keep(binary, environ).write_bytes(content)
    assert kept(binary, environ) is None


@pytest.mark.parametrize("said", ['"v3.21.4; rm"', '""', "4", "null"])
def test_a_version_that_is_none(binary: Path, environ: dict[str, str], said: str) -> None:
    file = keep(binary, environ)
    file.write_text(file.read_text().replace('"3.21.4"', said))
    assert kept(binary, environ) is None


@pytest.mark.parametrize("tampered", ["file writable", "folder writable", "link", "folder link", "pipe"])
def test_what_another_user_may_have_written(
    binary: Path, environ: dict[str, str], tmp_path: Path, tampered: str
) -> None:
    file = keep(binary, environ)
    if tampered == "file writable":
        file.chmod(0o622)
    elif tampered == "folder writable":
        file.parent.chmod(0o777)
    elif tampered == "link":
        file.symlink_to(file.rename(tmp_path / "elsewhere"))
    elif tampered == "folder link":
        file.parent.symlink_to(file.parent.rename(tmp_path / "elsewhere"))
    else:
        file.unlink()
        os.mkfifo(file, 0o600)
    assert kept(binary, environ) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("which", ["file", "folder", "home"])
def test_what_another_user_owns(binary: Path, environ: dict[str, str], which: str) -> None:
    home = Path(environ["HOME"])
    if which == "home":
        os.chown(home, 12345, 12345)
        identity = identify(str(binary), str(binary))
        assert identity
        remember(identity, VERSION, environ)
        assert list(home.iterdir()) == [], "root leaves nothing in the home of a user who could not remove it"
        return
    file = keep(binary, environ)
    os.chown(file if which == "file" else file.parent, 12345, 12345)
    assert kept(binary, environ) is None


def test_many_at_once(binary: Path, environ: dict[str, str]) -> None:
    """Whoever reads meanwhile finds a whole file or none."""
    keep(binary, environ)
    found: set[HelmVersion | None] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            found.add(kept(binary, environ))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        keep(binary, environ)
    over.set()
    for thread in threads:
        thread.join()
    assert found == {VERSION}


def test_a_helm_is_asked_once(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = shutil.copy(assets.helm("3.12.3"), tmp_path / "helm")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", environ["HOME"])
    caller = helm(str(path))
    assert asked(caller, str(path)) == HelmVersion(3, 12, 3)
    monkeypatch.setattr("postrender.helm.detect_version.version_of", lambda _: pytest.fail("was asked again"))
    assert asked(caller, str(path)) == HelmVersion(3, 12, 3)
