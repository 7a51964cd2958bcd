"""Error classes, each with its exit code.

Every message names the object or place, the cause, and a suggested command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from postrender.text import HEAD, harmless, hint_lines, one_line


class PostrenderError(Exception):
    """Base class of all errors of postrender.

    ``cause`` is one sentence without a full stop, ``where`` the object or place (may be ``""``), ``next`` the suggested
    commands, one per line. ``more`` are further errors, each with its place.
    """

    exit_code = 1

    def __init__(
        self, cause: str, *, where: str = "", next: str | Sequence[str] = (), more: Sequence[str] = ()
    ) -> None:
        self.cause = cause
        self.more = tuple(more)
        self.where = where
        self.next: tuple[str, ...] = (next,) if isinstance(next, str) else tuple(next)
        super().__init__(str(self))

    def __str__(self) -> str:
        """The message as printed, without the program's name in front."""
        cause = re.sub(HEAD, lambda found: f"  | {found[0]}" if found.start() else found[0], self.cause)
        head = f"{one_line(self.where)}: {cause}" if self.where else cause
        errors = (f"error: {one_line(line)}" for line in self.more)
        return "\n".join([head, *errors, *hint_lines(self.next)])


class UsageError(PostrenderError):
    """Invalid or missing flag, variable or argument."""

    exit_code = 2


class ManifestError(PostrenderError):
    """Manifests can't be parsed, or can't be edited safely.

    ``line`` and ``column`` count from 1 in the whole stream; 0 where the place is not known.
    """

    exit_code = 3

    def __init__(
        self, cause: str, *, line: int = 0, column: int = 0, where: str = "", next: str | Sequence[str] = ()
    ) -> None:
        self.line = line
        self.column = column
        place = f"line {line}, column {column}" if line else ""
        super().__init__(cause, where=", ".join(part for part in (where, place) if part), next=next)


class Refused(PostrenderError):
    """Refused: continuing would fail, delete data, or leave the release inconsistent with the cluster."""

    exit_code = 4


class ClusterError(PostrenderError):
    """A lookup failed: the API server is unreachable or returned an unclear answer."""

    exit_code = 5


def message(error: Exception, command: str = "") -> str:
    """What stderr shows of an error; of a fault of our own only where it happened: its text could hold a secret.

    It always ends in something to type: where the error itself names nothing, how to look at the cluster, or the help
    of the ``command`` that was run (``""`` for the filter).
    """
    if isinstance(error, PostrenderError):
        shown = f"error: {error}\n"
        if not error.next:
            help = " ".join(["postrender", *([command] if command else []), "--help"])
            shown += f"hint: {'postrender doctor' if isinstance(error, ClusterError) else help}\n"
        return harmless(shown)
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}" if last else "nowhere"
    return (
        f"error: internal error: {type(error).__name__} in {place}; nothing was written\n"
        "hint: set POSTRENDER_DEBUG=1 to see the whole traceback, and report it\n"
    )


def code(error: Exception) -> int:
    """The exit code that an error ends with."""
    return error.exit_code if isinstance(error, PostrenderError) else 1
