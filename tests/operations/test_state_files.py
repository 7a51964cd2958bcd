"""The user's state folder, and private files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postrender.operations import state_files


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_STATE_HOME": "/state"}, "/state/postrender"),
        ({"XDG_STATE_HOME": "relative"}, os.path.expanduser("~/.local/state/postrender")),
        ({}, os.path.expanduser("~/.local/state/postrender")),
    ],
)
def test_the_folder(environ: dict[str, str], folder: str) -> None:
    assert state_files.folder(environ) == folder


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    state_files.replace_private(str(path), b"one")
    path.chmod(0o644)
    state_files.replace_private(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.stat().st_mode & 0o777 for each in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert os.listdir(path.parent) == ["file"]


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """In a container the next one has its number again."""
    left = tmp_path / f"file.{os.getpid()}"
    left.write_bytes(b"ha")
    state_files.replace_private(str(tmp_path / "file"), b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert left.read_bytes() == b"ha"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    state_files.replace_private(str(link), b"one")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"one"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    state_files.replace_private(str(tmp_path / "pipe"), b"one")
    assert os.read(reader, 10) == b"one"
    os.close(reader)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        state_files.replace_private(str(tmp_path / "file" / "below"), b"one")
