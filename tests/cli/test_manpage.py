"""The manual page: the file in the package, and how it is shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from postrender.cli.commands import COMMANDS
from tests.tools.installed import needed
from tools.completion.describe import commands
from tools.manpage import FILE, ROOT, made


def test_the_file_is_what_the_parsers_make() -> None:
    assert FILE.read_text() == made(), "write it anew: python -m tools.manpage"


def test_the_page_is_in_the_wheel_where_man_finds_it() -> None:
    said = f'[tool.setuptools.data-files]\n"share/man/man1" = ["{FILE.relative_to(ROOT)}"]\n'
    assert said in (ROOT / "pyproject.toml").read_text()


def shown(command: list[str], environ: dict[str, str] | None = None) -> str:
    """What a program for manual pages makes of it, without a complaint."""
    program, *arguments = command
    done = subprocess.run(
        [needed(program), *arguments], capture_output=True, text=True, env={**os.environ, **(environ or {})}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_man_shows_it_without_a_warning() -> None:
    text = shown(["man", "--warnings=w", "-l", str(FILE)], {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
    lines = text.splitlines()
    told = [line for each in commands() for part in (each.description, each.epilog) for line in part.splitlines()]
    literal = {line.strip() for line in told if line.startswith("  ")}
    assert [line for line in lines if len(line) > 80 and line.strip() not in literal] == []
    assert "postrender - a Helm post-renderer that adopts existing resources and" in " ".join(text.split())
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT", "EXIT STATUS"):
        assert section in lines
    for name in COMMANDS:
        assert f"POSTRENDER {name.upper()}" in lines
    assert "  helm install shop ./chart --post-renderer postrender\n" in text
    for command in commands():
        for flag in command.flags:
            assert flag.spellings[0] in text


def test_groff_takes_it_without_a_warning() -> None:
    shown(["groff", "-man", "-ww", "-z", str(FILE)])


def test_mandoc_takes_it_without_an_error() -> None:
    shown(["mandoc", "-T", "lint", "-W", "error", str(FILE)])


def test_the_page_holds_no_machine_and_no_date(tmp_path: Path) -> None:
    text = FILE.read_text()
    assert str(Path.home()) not in text
    assert str(tmp_path) not in text
    assert text.splitlines()[1] == '.TH POSTRENDER 1 "" "postrender" "User Commands"'
