"""Asking before something is written."""

from __future__ import annotations

import sys

from postrender.errors import Refused, UsageError


def require_answerable(*, yes: bool) -> None:
    """Raise UsageError where nobody can be asked and nobody has agreed, before anything else is done."""
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("this writes to live objects, and nobody can be asked: stdin is no terminal", next="--yes")


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr and read the answer; raises Refused unless it is yes."""
    if yes:
        return
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("you did not agree, and nothing was written")
