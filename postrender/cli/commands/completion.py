"""``postrender completion``: a script that has a shell complete commands, flags and their values."""

from __future__ import annotations

import argparse
from importlib import import_module

from postrender.cli.completion.describe import commands
from postrender.cli.output import write
from postrender.cli.parsers import command_parser

SHELLS = ("bash", "zsh", "fish")

DESCRIPTION = """\
Print a script that has a shell complete commands, flags and their values.

  source <(postrender completion bash)
  postrender completion zsh > "${fpath[1]}/_postrender"
  postrender completion fish > ~/.config/fish/completions/postrender.fish
"""


def main(arguments: list[str]) -> int:
    """Print one script."""
    shell = parser().parse_args(arguments).shell
    script: str = import_module(f"postrender.cli.completion.{shell}").script(commands())
    write(script)
    return 0


def parser() -> argparse.ArgumentParser:
    """Which shell."""
    made = command_parser("completion", DESCRIPTION)
    made.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
    return made
