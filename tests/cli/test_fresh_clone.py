"""``bin/postrender`` from a clone, in an empty home directory, with nothing installed but Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.cli.test_filter import EXAMPLE, LIVE, RENDERED, ROOT, run


def clone_to(folder: Path) -> Path:
    """What somebody has who cloned the project: its files, tests left out, and nothing made from them."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in files.rstrip("\0").split("\0"):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_the_first_call_makes_a_virtual_environment_and_says_so_on_stderr(tmp_path: Path) -> None:
    clone, home, link = clone_to(tmp_path / "clone"), tmp_path / "home", tmp_path / "postrender"
    home.mkdir()
    link.symlink_to(clone / "bin" / "postrender")
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("POSTRENDER_", "HELM_", "KUBE"))
    }

    def call(program: Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program, "--live", EXAMPLE / "live.yaml", *LIVE[2:], "--helm-version", "3.12.3"],
            input=RENDERED,
            capture_output=True,
            cwd=tmp_path,
            env={**environ, "HOME": str(home)},
            check=False,
        )

    first = call(clone / "bin" / "postrender")
    assert first.returncode == 0, first.stderr.decode()
    assert first.stdout == run(*LIVE, "--helm-version", "3.12.3").stdout
    said, _, account = first.stderr.decode().partition("\n")
    assert said == f"postrender: first call: making {clone}/.venv (once, within a minute) ..."
    again = call(link)
    assert again.stdout == first.stdout
    assert again.stderr.decode() == account
