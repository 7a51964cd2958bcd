"""What a rule says, and what a user is told: the same with its code and its place."""

from __future__ import annotations

from postrender._record import Record
from postrender.lint.facts import Subject
from postrender.models import Severity

__all__ = ["Finding", "Severity", "Trouble"]


class Trouble(Record):
    """What a rule found wrong with one object: one sentence without a full stop, and what to type.

    ``path`` leads to the field it is about, as far as that is there; ``hide`` keeps the field's value out of what is
    shown.
    """

    subject: Subject
    severity: Severity
    text: str
    next: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    hide: bool = False


class Finding(Record):
    """A trouble as told. ``line`` and ``column`` count from 1, 0 where only the file is known.

    ``shown`` is the line of that file, "" where no line is known.
    """

    code: str
    severity: Severity
    object: str
    text: str
    next: tuple[str, ...]
    file: str
    line: int
    column: int
    shown: str
