"""Colours for a terminal, or none: what is written is the same either way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from postrender.record import Record

CHOICES = ("auto", "always", "never")


class Stream(Protocol):
    """What is written to, a terminal perhaps."""

    def isatty(self) -> bool:
        """Whether it is one."""


class Colours(Record):
    """Paints text in colours that read well on light and dark, where ``on``."""

    on: bool = False

    def bold(self, text: str) -> str:
        """A heading."""
        return self._in("1", text)

    def dim(self, text: str) -> str:
        """What is there beside the point."""
        return self._in("2", text)

    def good(self, text: str) -> str:
        """All is as it should be."""
        return self._in("32", text)

    def bad(self, text: str) -> str:
        """Something is not."""
        return self._in("31", text)

    def odd(self, text: str) -> str:
        """Something wants a look."""
        return self._in("33", text)

    def _in(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.on and text else text


def colours(choice: str, stream: Stream, environ: Mapping[str, str]) -> Colours:
    """By the user's choice, else for a terminal that has them and where ``NO_COLOR`` is not set (no-color.org)."""
    if choice != "auto":
        return Colours(choice == "always")
    return Colours(stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")
