"""The command line's entry: picks the command, prints errors, and is the only place that exits."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from postrender.commands import COMMANDS
from postrender.errors import PostrenderError, UsageError, message
from postrender.late import import_quickly

SELDOM = 100_000
"""How many more objects there are before Python looks for garbage again; what is imported and read is none."""


def main(arguments: list[str]) -> int:
    """Run one command; errors a user can cause become a message on stderr and their exit code."""
    try:
        name, rest = _chosen(arguments)
        command = import_module(f"postrender.commands.{name.replace('-', '_')}")
        code: int = command.main(rest)
        return code
    except PostrenderError as error:
        sys.stderr.write(message(error))
        return error.exit_code


def _chosen(arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments: the filter takes flags only. Raises UsageError."""
    if not arguments or arguments[0].startswith("-"):
        return "filter", arguments
    name, *rest = arguments
    if name in COMMANDS:
        return name, rest
    from difflib import get_close_matches

    near = [f"postrender {each} ..." for each in get_close_matches(name, COMMANDS)]
    raise UsageError(f"there is no command {name}", next=(*near, "postrender --help"))


def _be_heard() -> None:
    """Where the filter failed and its caller will not ask, print what cannot be taken for manifests."""
    from postrender.caller.processes import here
    from postrender.caller.unheeding import UNREADABLE, unheeding

    if unheeding(os.getpid(), here()):
        sys.stdout.write(UNREADABLE)


def run() -> None:
    """Exit with what ``main`` answers."""
    gc.set_threshold(SELDOM)
    import_quickly("yaml")
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:
        # Whoever read our output went away; say no more, and keep the interpreter from flushing into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if os.environ.get("POSTRENDER_DEBUG"):
            raise
        sys.stderr.write(message(error))
        code = 1
    if code and (len(sys.argv) < 2 or sys.argv[1].startswith("-")):
        _be_heard()
    gc.freeze()  # or all of it is looked through once more before the interpreter ends
    sys.exit(code)
