"""The commands that the README of each example shows, run as they stand there, in order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import assets, readmes
from tests.tools.pages import EXAMPLES

HELM = "3.21.4"
KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")


def path(*programs: Path) -> str:
    """A PATH with the project's program, its Python, and these programs in front."""
    folders = [Path(sys.executable).parent, *(program.parent for program in programs)]
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def shell(commands: str, folder: Path, environ: dict[str, str]) -> str:
    """What a block of commands prints; fails where one of them fails."""
    done = subprocess.run(
        ["sh", "-eu", "-c", commands], cwd=folder, env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{commands}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("example", readmes.examples(), ids=lambda folder: folder.name)
def test_the_commands_of_the_readme(example: Path, tmp_path: Path) -> None:
    found = readmes.blocks(example, "sh")
    assert found, f"{example.name}/README.md shows no command"
    folder = readmes.copy(tmp_path)
    environ = {
        "PATH": path(assets.build(f"helm@{HELM}"), assets.go_tool(*KUSTOMIZE)),
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for block in found:
        printed = shell(block.commands, folder, environ)
        if block.shown is not None:
            assert printed == block.shown


def test_every_example_has_a_readme() -> None:
    folders = {each for each in EXAMPLES.iterdir() if each.is_dir()}
    assert folders == set(readmes.examples())
