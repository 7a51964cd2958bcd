"""``postrender completion``: a script that has a shell complete commands, flags and their values."""

from __future__ import annotations

import argparse

from postrender.cli.output import write
from postrender.cli.parsers import command_parser
from postrender.text import packaged

SHELLS = ("bash", "zsh", "fish", "powershell")

DESCRIPTION = """\
Print a script that has a shell complete commands, flags and their values.

  source <(postrender completion bash)
  postrender completion zsh > "${fpath[1]}/_postrender"
  postrender completion fish > ~/.config/fish/completions/postrender.fish
  postrender completion powershell | Out-String | Invoke-Expression
"""


def main(arguments: list[str]) -> int:
    """Print one script."""
    shell = parser().parse_args(arguments).shell
    write(packaged(__name__, f"../completion/{shell}.txt"))
    return 0


def parser() -> argparse.ArgumentParser:
    """Which shell."""
    made = command_parser("completion", DESCRIPTION)
    made.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh, fish or powershell")
    return made
