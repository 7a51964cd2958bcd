"""What can go wrong for a user, each class with the exit code the program ends with.

Every message names the object or place, the cause, and what to type next.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from postrender.text import harmless, one_line

_HEAD = re.compile(r"\n(?=[ \t]*(?:next|hint|note|report|error|warning|postrender):)", re.IGNORECASE)
"""A line inside a cause that begins as one of our own."""


class PostrenderError(Exception):
    """An error a user is told about.

    ``cause`` is one sentence without a full stop, ``where`` the object or place it is about (may be ``""``), ``next``
    the commands or flags that get the user on, each a line of its own.
    """

    exit_code = 1

    def __init__(self, cause: str, *, where: str = "", next: str | Sequence[str] = ()) -> None:
        self.cause = cause
        self.where = where
        self.next: tuple[str, ...] = (next,) if isinstance(next, str) else tuple(next)
        super().__init__(str(self))

    def __str__(self) -> str:
        """The message as printed, without the program's name in front."""
        cause = _HEAD.sub("\n  | ", self.cause)
        head = f"{one_line(self.where)}: {cause}" if self.where else cause
        return "\n".join([head, *(f"  next: {one_line(line)}" for line in self.next)])


class UsageError(PostrenderError):
    """A flag, variable or combination of them makes no sense, or a needed one is missing."""

    exit_code = 2


class ManifestError(PostrenderError):
    """The stream on stdin cannot be read, or a document in it cannot be edited with proof.

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
    """Going on would fail, destroy, take from a living owner, or silently lie."""

    exit_code = 4


class ClusterError(PostrenderError):
    """The cluster could not be asked, or gave no clear answer: unknown is not absent."""

    exit_code = 5


def message(error: Exception, command: str = "") -> str:
    """What stderr shows of an error; of a fault of our own only where it happened: its text could hold a secret.

    It always ends in something to type: where the error itself names nothing, how to look at the cluster, or the help
    of the ``command`` that was run (``""`` for the filter).
    """
    if isinstance(error, PostrenderError):
        shown = f"postrender: {error}\n"
        if not error.next:
            help = " ".join(["postrender", *([command] if command else []), "--help"])
            shown += f"  next: {'postrender doctor' if isinstance(error, ClusterError) else help}\n"
        return harmless(shown)
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}" if last else "nowhere"
    return (
        f"postrender: a fault of its own: {type(error).__name__} in {place}; nothing was written\n"
        "  next: set POSTRENDER_DEBUG=1 to see the whole traceback, and report it\n"
    )


def code(error: Exception) -> int:
    """The exit code that an error ends with."""
    return error.exit_code if isinstance(error, PostrenderError) else 1
