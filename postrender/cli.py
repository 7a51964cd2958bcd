"""The command line's entry: picks the command, prints errors, and is the only place that exits."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from postrender.errors import PostrenderError

COMMANDS = ("explain",)
"""Each is a module of ``postrender.commands`` with ``main(arguments) -> exit code``, imported only when called."""


def main(arguments: list[str]) -> int:
    """Run one command; errors a user can cause become a message on stderr and their exit code."""
    name = arguments[0] if arguments and arguments[0] in COMMANDS else "filter"
    command = import_module(f"postrender.commands.{name}")
    try:
        code: int = command.main(arguments[1:] if name != "filter" else arguments)
        return code
    except PostrenderError as error:
        sys.stderr.write(f"postrender: {error}\n")
        return error.exit_code


def run() -> None:
    """Exit with what ``main`` answers."""
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:
        # Whoever read our output went away; say no more, and keep the interpreter from flushing into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
