"""``-o``: what a command found, as text for people or as JSON or YAML for programs. One helper for all commands."""

from __future__ import annotations

import argparse
import json

from postrender.cli import stdout
from postrender.models import Json
from postrender.text import harmless

STRUCTURED = ("json", "yaml")
"""The formats that every command has beside its text."""


TABLES = ("table", "wide", "name", "text")
"""The formats of a command that prints a list, as kubectl calls them; ``text`` is ``table``, as everywhere."""


def add_output(parser: argparse.ArgumentParser, *further: str, plain: tuple[str, ...] = ("text",)) -> None:
    """Add ``-o``, with the first of ``plain`` as the default; ``further`` are formats of this command alone."""
    formats = (*plain, *STRUCTURED, *further)
    parser.add_argument(
        "-o",
        "--output",
        choices=formats,
        default=plain[0],
        help=f"the format (default: {plain[0]})",
    )


FOUND = 10
"""The exit code with which ``--detailed-exitcode`` says that a command found something."""


def add_detailed_exitcode(parser: argparse.ArgumentParser, found: str) -> None:
    """Add ``--detailed-exitcode``, as of ``terraform plan`` and ``helm diff``; ``found`` says for what 10 stands."""
    parser.add_argument("--detailed-exitcode", action="store_true", help=f"exit with {FOUND} if {found}")


def found_code(options: argparse.Namespace, *, found: bool) -> int:
    """The exit code of a command that did its work."""
    return FOUND if found and options.detailed_exitcode else 0


def structured(value: Json, output: str) -> str:
    """A JSON value in one of the formats ``STRUCTURED``, ending in a newline.

    Both hold the same; its ``kind`` and ``schemaVersion`` say what it is.
    """
    if output == "yaml":
        from postrender.manifest.dump import printed

        return printed(value)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write(text: str, *, coloured: bool = False, commands: bool = False) -> None:
    """Print to stdout as UTF-8, whatever the locale, made harmless; a lone surrogate is escaped.

    ``coloured`` tells that it has our own colours, ``commands`` that it is workflow commands, escaped already.
    """
    if not commands:
        text = harmless(text, coloured=coloured)
    stdout.write(text.encode("utf-8", "backslashreplace"))
