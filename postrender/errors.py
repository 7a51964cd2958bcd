"""What can go wrong for a user, each class with the exit code the program ends with.

Every message names the object or place, the cause, and what to type next.
"""

from __future__ import annotations

from collections.abc import Sequence


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
        head = f"{self.where}: {self.cause}" if self.where else self.cause
        return "\n".join([head, *(f"  next: {line}" for line in self.next)])


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
