"""What commands for people at a terminal share."""

from __future__ import annotations

import argparse
import os
import sys

from postrender.report.paint import Paint, paint


def add_terminal(parser: argparse.ArgumentParser, quiet: str) -> None:
    """``--color``, and ``--quiet``, which means ``quiet``."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        metavar="WHEN",
        help="auto (on a terminal, unless NO_COLOR is set), always, never",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help=quiet)


def chosen_paint(options: argparse.Namespace) -> Paint:
    """The colours for stdout."""
    return paint(options.color, sys.stdout.isatty(), os.environ)
