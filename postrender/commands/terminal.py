"""What commands for people at a terminal share: colours, and progress for what takes its time."""

from __future__ import annotations

import argparse
import os
import sys
import time
from types import TracebackType

from postrender.report.colours import CHOICES, Colours, colours

SILENT_FOR = 1.0
"""Seconds for which nothing is said of progress."""

_EVERY = 0.1


def add_terminal(parser: argparse.ArgumentParser, quiet: str) -> None:
    """``--color``, and ``--quiet``, which means ``quiet``."""
    parser.add_argument(
        "--color",
        choices=CHOICES,
        default="auto",
        metavar="WHEN",
        help="auto (the default: on a terminal, unless NO_COLOR is set), always or never",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help=quiet)


def chosen_colours(options: argparse.Namespace) -> Colours:
    """Those for stdout."""
    return colours(options.color, sys.stdout, os.environ)


class Progress:
    """One line on stderr that is written over, where that is a terminal and the work takes longer than a second."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._on = not quiet and sys.stderr.isatty()
        self._next = time.monotonic() + SILENT_FOR
        self._said = False

    def say(self, text: str) -> None:
        """Show where the work is."""
        now = time.monotonic()
        if self._on and now >= self._next:
            self._next, self._said = now + _EVERY, True
            sys.stderr.write(f"\r\033[K{text[:79]}")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._said:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
