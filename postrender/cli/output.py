"""``-o``: what a command found, as text for people or as JSON or YAML for programs. One helper for all commands."""

from __future__ import annotations

import argparse
import json

from postrender.cli import stdout
from postrender.models import Json
from postrender.text import harmless

STRUCTURED = ("json", "yaml")
"""The formats that every command has beside its text."""


def add_output(parser: argparse.ArgumentParser, *further: str) -> None:
    """Add ``-o``, with ``text`` as the default; ``further`` are formats of this command alone."""
    formats = ("text", *STRUCTURED, *further)
    parser.add_argument(
        "-o",
        "--output",
        choices=formats,
        default="text",
        metavar="FORMAT",
        help=f"{', '.join(formats[:-1])} or {formats[-1]} (default: text)",
    )


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
