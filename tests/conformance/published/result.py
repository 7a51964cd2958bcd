"""How many cases of a published table give the same result here, which were not compared, and which differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.tools.gotables import Calls

_VARYING = ("Conversions", "Error", "Made", "Result")
"""What of a call differs from run to run: Go walks maps in any order, and some tests ask for the time."""


class NotCompared(Exception):
    """A case that nothing here can run; the message is the reason."""


@dataclass
class Result:
    """``wrong`` has a line for each case that differs, ``excluded`` the number of cases by reason."""

    same: int = 0
    wrong: list[str] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def cases(self) -> int:
        """All of them."""
        return self.same + len(self.wrong) + self.excluded.total()


@dataclass(frozen=True)
class Table:
    """``source`` are the tests, ``model`` is what they are compared with, ``run`` compares them."""

    source: str
    version: str
    model: str
    run: Callable[[], Result]


def compare(calls: Calls, differs: Callable[[Any], str]) -> Result:
    """Each call by ``differs``, which answers ``""`` for the same result, or raises NotCompared.

    What tests call again with the same is one case.
    """
    cases: dict[str, tuple[str, Any]] = {}
    for test, made in calls.items():
        for index, call in enumerate(made):
            given = {name: value for name, value in call.items() if name not in _VARYING}
            cases.setdefault(json.dumps(given, sort_keys=True), (f"{test} [{index}]", call))
    return compared(cases.values(), differs)


def compared(cases: Iterable[tuple[str, Any]], differs: Callable[[Any], str]) -> Result:
    """The same for cases of any kind, each with its name."""
    result = Result()
    for name, case in cases:
        try:
            difference = differs(case)
        except NotCompared as reason:
            result.excluded[str(reason)] += 1
            continue
        if difference:
            result.wrong.append(f"{name}: {difference}")
        else:
            result.same += 1
    return result
