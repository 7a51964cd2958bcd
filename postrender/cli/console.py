"""The terminal: prompts, colour and progress."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from postrender.errors import Refused, UsageError
from postrender.text import CHOICES, Paint, draw, one_line, paint, to_stderr


def require_answerable(*, yes: bool) -> None:
    """Raise UsageError where nobody can be asked and nobody has agreed, before anything else is done."""
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("cannot prompt for confirmation: stdin is not a terminal", next="--yes")


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr and read the answer; raises Refused unless it is yes."""
    if yes:
        return
    to_stderr(f"{one_line(question)} [y/N] ")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("not confirmed; nothing was written")


PATIENCE = 1.0
"""Seconds before anything is said."""

WIDTH = 79

_EVERY = 0.1
"""Seconds between two changes of the line."""


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Say ``what`` (``reading live objects``) after a second, and wipe it away when it is done.

    What is given to the function it yields is said instead from then on.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    import threading

    announced = threading.Event()
    now = [what]

    def show() -> None:
        announced.set()
        draw(f"postrender: {now[0]} ..."[:WIDTH])

    last = [time.monotonic()]

    def go_on(text: str) -> None:
        now[0] = text
        if announced.is_set() and time.monotonic() - last[0] >= _EVERY:
            last[0] = time.monotonic()
            show()

    timer = threading.Timer(PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield go_on
    finally:
        timer.cancel()
        timer.join()
        if announced.is_set():
            draw("")


def add_color(parser: argparse.ArgumentParser) -> None:
    """``--color``."""
    parser.add_argument(
        "--color", choices=CHOICES, default="auto", help="colours (default: on a terminal, unless NO_COLOR is set)"
    )


NAMES_ONLY = "print only names, and nothing if there are none"
"""What ``-q`` does to a list."""

NOTHING = "print nothing on success"
"""What ``-q`` does to a message."""


def add_terminal(parser: argparse.ArgumentParser, verbose: str, quiet: str = NAMES_ONLY) -> None:
    """``--color``, ``--quiet`` and ``--verbose``, with what the last two do here."""
    add_color(parser)
    add_verbosity(parser, verbose, quiet)


def add_verbosity(parser: argparse.ArgumentParser, verbose: str, quiet: str = NAMES_ONLY) -> None:
    """``--quiet`` and ``--verbose``."""
    parser.add_argument("--quiet", "-q", action="store_true", help=quiet)
    parser.add_argument("--verbose", "-v", action="store_true", help=verbose)


def chosen_paint(options: argparse.Namespace) -> Paint:
    """The colours for stdout."""
    return paint(options.color, sys.stdout, os.environ)
