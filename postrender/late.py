"""Patterns compiled when they are first used, for a package that compiles at its import what it never uses here.

PyYAML compiles patterns for its readers in Python, one of them over all of Unicode. libyaml reads without them, and
they take a third of the time in which ten documents are filtered.
"""

from __future__ import annotations

import re
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def import_quickly(name: str) -> None:
    """Import a module in whose patterns' place there is what compiles them when it has to.

    Only for a program that has one thread yet: meanwhile ``re.compile`` is another function for all of it.
    """
    compiles = re.compile
    re.compile = LatePattern  # type: ignore[assignment]
    try:
        import_module(name)
    finally:
        re.compile = compiles


class LatePattern:
    """Stands for ``re.compile(pattern, flags)``."""

    __slots__ = ("_arguments", "_compiled")

    def __init__(self, pattern: Any, flags: Any = 0) -> None:
        self._arguments = pattern, flags
        self._compiled: re.Pattern[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        """The compiled pattern's attribute; raises re.error here for a pattern that is none."""
        if self._compiled is None:
            self._compiled = re.compile(*self._arguments)
        return getattr(self._compiled, name)
