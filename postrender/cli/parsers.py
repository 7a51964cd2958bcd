"""How every command's parser is made, so that they all look alike, in a terminal of 80 columns."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, NoReturn

from postrender import __version__
from postrender.cli.output import write
from postrender.errors import UsageError
from postrender.helm.versions import NEWEST_TESTED

WIDTH = 80

_FLAG = re.compile(r"--[A-Za-z-]+|-[A-Za-z]")


def command_parser(
    name: str, description: str, *, usage: str | None = None, epilog: str = ""
) -> argparse.ArgumentParser:
    """The parser of ``postrender NAME`` (``""``: of the filter), without arguments yet.

    Description and epilog are printed line by line as they are written: three calls first, exit codes last.
    """
    return _Parser(
        prog=f"postrender {name}".rstrip(),
        usage=usage,
        description=description,
        epilog=epilog,
        # With a width of its own argparse does not import shutil, and all it imports, to ask the terminal for one.
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=WIDTH),
        allow_abbrev=False,
    )


def parted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and those behind ``--``."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place + 1 :]


class ShowVersion(argparse.Action):
    """``--version``: ours, and the Helms that are known."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print them, and exit."""
        newest = " and ".join(str(known) for known in NEWEST_TESTED.values())
        write(
            f"postrender {__version__}\n"
            f"Helm up to {newest} is known. A newer minor version is taken to behave\n"
            "like the newest known one, with a note; a newer major version is refused.\n"
        )
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse prints the whole usage and exits: a message goes the way of all others."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Raise UsageError for what is not known, without the values: a misspelt flag's may be a token."""
        return self._all_known(self.parse_known_args, args, namespace)

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ``parse_args``, with positionals between flags."""
        return self._all_known(self.parse_known_intermixed_args, args, namespace)

    def _all_known(self, parse: Callable[..., tuple[Any, list[str]]], args: Any, namespace: Any) -> Any:
        try:
            options, unknown = parse(args, namespace)
        except UsageError:
            # The value of a misspelt flag may have been taken for a positional, and be in that message.
            unknown = [each for each in args or () if _flag(each) and _flag(each) not in self._option_string_actions]
            if not unknown:
                raise
            options = None
        flags = [flag for flag in map(_flag, unknown) if flag]
        if flags:
            self.error("; ".join(map(self._unknown, flags)))
        if unknown:
            self.error(f"unexpected arguments: {' '.join(unknown)}")
        return options

    def _unknown(self, flag: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(flag, [each for each in self._option_string_actions if each.startswith("--")], 1)
        return f"unknown flag {flag}{f'; did you mean {near[0]}?' if near else ''}"

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, next=f"{self.prog} --help")


def _flag(argument: str) -> str:
    """A flag's name, without what may be its value; ``""`` for what is no flag."""
    found = _FLAG.match(argument)
    return found[0] if found else ""
