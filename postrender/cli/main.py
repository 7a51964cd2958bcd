"""The command line's entry: picks the command, prints errors, and is the only place that exits."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from postrender.cli.commands import COMMANDS
from postrender.errors import PostrenderError, UsageError, message
from postrender.text import AGAIN, folded, hint_lines, paint, to_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SELDOM = 100_000
"""How many more objects there are before Python looks for garbage again; what is imported and read is none."""


def main(arguments: list[str]) -> int:
    """Run one command; errors a user can cause become a message on stderr and their exit code."""
    name, rest = "", list[str]()
    try:
        name, rest = _chosen(arguments)
        command = import_module(f"postrender.cli.commands.{name.replace('-', '_')}")
        code: int = command.main(rest)
        return code
    except PostrenderError as error:
        if any(step.startswith(("--", "helm ", "postrender ")) or "..." in step for step in error.next):
            from postrender.cli.hints import of_command

            error.next = of_command(error.next, name, rest)
        _print_error(error, "" if name == "filter" else name, rest)
        return error.exit_code


def _print_error(error: PostrenderError, name: str, arguments: list[str]) -> None:
    """Print a command's error, coloured as ``--color`` says."""
    color = next((each.partition("=")[2] for each in arguments if each.startswith("--color=")), "auto")
    if "--color" in arguments[:-1]:
        color = arguments[arguments.index("--color") + 1]
    painted = paint(color, sys.stderr, os.environ)
    to_stderr(painted.heads(folded(message(error, name), painted.width)), coloured=painted.on)


def _chosen(arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments: the filter takes flags only. Raises UsageError."""
    if not arguments or arguments[0].startswith("-"):
        return "filter", arguments
    name, *rest = arguments
    if name in COMMANDS:
        return name, rest
    if name == "version":
        return "filter", ["--version"]
    if name == "help":
        return (rest[0], ["--help"]) if rest and rest[0] in COMMANDS else ("filter", ["--help"])
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    guess = f'; did you mean "{near[0]}"?' if near else ""
    raise UsageError(
        f'unknown command "{name}"{guess}', next=f"postrender {near[0] if near else ''} --help".replace("  ", " ")
    )


def _print_unparseable_output() -> None:
    """Where the filter failed and its caller will not ask, print what cannot be taken for manifests."""
    from postrender.helm.process import UNREADABLE, here, ignores_exit_code

    if ignores_exit_code(os.getpid(), here()):
        sys.stdout.write(UNREADABLE)


def _require_streams() -> None:
    """Put something in the place of a closed stdin and stderr; raises UsageError if stdout is closed.

    Otherwise the next file that is opened would be taken for the stream.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while os.open(os.devnull, os.O_RDWR) <= 2:
        pass
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - open as long as the program runs
    if sys.stdout is None:
        raise UsageError("is closed, and nothing could be shown there", where="stdout", next="postrender --help")


def _flush() -> None:
    """Write what is still held back for stdout; raises UsageError if it takes no more, BrokenPipeError."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        from postrender.cli.stdout import unwritable

        raise unwritable(error) from error


def _interrupt_again(unraisable: UnraisableHookArgs) -> None:
    """Raise an interrupt once more that Python dropped because it came in a finalizer or a weak reference's callback.

    The import system has such callbacks, and imports are most of what a short run does.
    """
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    import signal

    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)


def _interrupted(arguments: list[str]) -> str:
    """What stderr shows of an interrupt: the command to run again."""
    from postrender.cli.hints import of_command, of_filter

    name, *rest = arguments or [""]
    steps = of_command((AGAIN,), name, rest) if name in COMMANDS else of_filter((AGAIN,), None, arguments)
    return "\n".join(["\nerror: interrupted", *hint_lines(steps), ""])


def run() -> None:
    """Exit with what ``main`` answers."""
    gc.set_threshold(SELDOM)
    sys.unraisablehook = _interrupt_again
    try:
        _require_streams()
        code = main(sys.argv[1:])
        _flush()
    except BrokenPipeError:
        # Whoever read our output went away; say no more.
        from postrender.cli.stdout import discard

        discard()
        code = 1
    except PostrenderError as error:
        to_stderr(message(error))
        code = error.exit_code
    except KeyboardInterrupt:
        to_stderr(_interrupted(sys.argv[1:]))
        code = 130
    except Exception as error:
        if os.environ.get("POSTRENDER_DEBUG"):
            raise
        to_stderr(message(error))
        code = 1
    if code and (len(sys.argv) < 2 or sys.argv[1].startswith("-")):
        _print_unparseable_output()
    gc.freeze()  # or all of it is looked through once more before the interpreter ends
    sys.exit(code)
