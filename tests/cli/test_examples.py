"""The commands that the README of each example shows, run as they stand there, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import assets, readmes
from tools.pages import EXAMPLES

HELM = "3.21.4"
ROOT = EXAMPLES.parent
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


STAMPS_ALL = re.compile(r"(?<![a-z])stamp(?:['\"]?\s*[=:]\s*|\s+)['\"]?all\b|Stamp\.ALL|name: stamp\b", re.I)
LOOKS_UP = re.compile(r"kube-context|KUBE_CONTEXT|--live[ =]|^\s*live: |LiveFile|--look-up", re.M)


def unseen(text: str) -> list[str]:
    """The parts of a text (blocks between empty lines) that stamp every object and name nothing to look it up in."""
    return [part for part in re.split(r"\n\s*\n", text) if STAMPS_ALL.search(part) and not LOOKS_UP.search(part)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postrender --offline --stamp all", 1),
        ("args: [--stamp=all]", 1),
        ("  stamp: all\n", 1),
        ("  stamp: 'all'\n", 1),
        ("POSTRENDER_STAMP=all helm ...", 1),
        ('{name: POSTRENDER_STAMP, value: all}\n  {"stamp": "all"}', 1),
        ("    - name: stamp\n      string: all", 1),
        ("Policy(stamp=postrender.Stamp.ALL)", 1),
        ("postrender --stamp all\n\npostrender --live f", 1),
        ("postrender --live f --stamp all", 0),
        ("stamp: all\nlive: f", 0),
        ("stamp=all kube-context=prod", 0),
        ("postrender --stamp adopt", 0),
    ],
)
def test_what_counts_as_stamping_what_was_not_looked_up(text: str, found: int) -> None:
    assert len(unseen(text)) == found


def test_no_example_stamps_what_was_not_looked_up() -> None:
    read = [*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")]
    read += [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(read) > 40
    fences = re.compile(r"^```\w*.*?^```$|^  .*?$", re.M | re.S)
    found = {}
    for path in read:
        text = path.read_text()
        # In a page, what is to be typed or copied; its sentences may well tell of the danger.
        parts = [each[0] for each in fences.finditer(text)] if path.suffix == ".md" else [text]
        if bad := [each for part in parts for each in unseen(part)]:
            found[str(path.relative_to(ROOT))] = bad
    assert found == {}


def test_every_example_has_a_readme() -> None:
    folders = {each for each in EXAMPLES.iterdir() if each.is_dir()}
    assert folders == set(readmes.examples())
