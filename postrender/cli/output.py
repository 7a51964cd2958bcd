"""``-o``: what a command found, as text for people or as JSON or YAML for programs. One helper for all commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import TypeVar

from postrender.cli import stdout
from postrender.report.formats import COLOURED, UNESCAPED, Formats
from postrender.text import harmless, paint

Given = TypeVar("Given")
LONGEST = 40
"""Columns that the choices of a flag may take in the place of its value; longer ones stand in the text of its help."""


def add_output(parser: argparse.ArgumentParser, formats: Iterable[str], *, alias: str = "") -> None:
    """Add ``-o`` with a table of formats, whose first is the default; ``alias`` is another name of that one."""
    names = tuple(formats)
    choices = (*names, alias) if alias else names
    listed = len(",".join(choices)) > LONGEST
    parser.add_argument(
        "-o",
        "--output",
        choices=choices,
        default=names[0],
        metavar="FORMAT" if listed else None,
        help=f"the format: {', '.join(choices)}" if listed else f"the format (default: {names[0]})",
    )


def show(options: argparse.Namespace, formats: Formats[Given], given: Given) -> None:
    """Print what a command found in the format of ``-o``; with ``-q`` names, if a table is the default."""
    output = options.output if options.output in formats else next(iter(formats))
    if getattr(options, "quiet", False) and "name" in formats and output in COLOURED:
        output = "name"
    coloured = output in COLOURED and paint(options.color, sys.stdout, os.environ).on
    write(formats[output](given), coloured=coloured, commands=output in UNESCAPED)


FOUND = 10
"""The exit code with which ``--detailed-exitcode`` says that a command found something."""


def add_detailed_exitcode(parser: argparse.ArgumentParser, found: str) -> None:
    """Add ``--detailed-exitcode``, as of ``terraform plan`` and ``helm diff``; ``found`` says for what 10 stands."""
    parser.add_argument("--detailed-exitcode", action="store_true", help=f"exit with {FOUND} if {found}")


def found_code(options: argparse.Namespace, *, found: bool) -> int:
    """The exit code of a command that did its work."""
    return FOUND if found and options.detailed_exitcode else 0


def write(text: str, *, coloured: bool = False, commands: bool = False) -> None:
    """Print to stdout as UTF-8, whatever the locale, made harmless; a lone surrogate is escaped.

    ``coloured`` tells that it has our own colours, ``commands`` that it is workflow commands, escaped already.
    """
    if not commands:
        text = harmless(text, coloured=coloured)
    stdout.write(text.encode("utf-8", "backslashreplace"))
