"""Which program a plugin runs: the one of this very installation."""

from __future__ import annotations

import os
from pathlib import Path

from postrender.errors import UsageError

NAME = "postrender"


def installed(called: str, interpreter: str) -> str:
    """The absolute path of the program that starts this installation, from our first argument and our interpreter.

    In a clone it is ``bin/postrender``, which makes the environment again where it has to, else the script that pip,
    pipx or uv made or the one-file program: the one that was called, or the one beside the interpreter. Raises
    UsageError where there is none.
    """
    for script in (Path(called), Path(interpreter).with_name(NAME)):
        if script.name in (NAME, f"{NAME}.pyz") and script.is_file() and os.access(script, os.X_OK):
            return str(_of_clone(script) or script.absolute())
    raise UsageError(
        "this postrender was not installed, so there is no program that Helm could run",
        where=interpreter,
        next="pipx install .   (or bin/postrender of a clone)",
    )


def _of_clone(script: Path) -> Path | None:
    root = script.absolute().parent.parent.parent
    program = root / "bin" / NAME
    inside = script.absolute().parent.parent.name == ".venv" and (root / "pyproject.toml").is_file()
    return program if inside and os.access(program, os.X_OK) else None
