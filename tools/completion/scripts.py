"""All completion scripts, by the names of their files."""

from __future__ import annotations

from pathlib import Path

from tools.completion import bash, fish, powershell, zsh
from tools.completion.describe import commands

FOLDER = Path(__file__).parents[2] / "postrender" / "cli" / "completion"


def scripts() -> dict[str, str]:
    """The text of each file in ``FOLDER``."""
    described = commands()
    shells = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script, "powershell": powershell.script}
    return {f"{shell}.txt": script(described) for shell, script in shells.items()}
