"""Tables of output formats: ``-o NAME`` to the function that writes it. What several commands have is made here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from postrender.models import Json
from postrender.report import ci

Given = TypeVar("Given")
Formats = Mapping[str, Callable[[Given], str]]
"""From a format's name to the function that writes what a command found, ending in a newline unless empty.

The first one is the default.
"""

COLOURED = frozenset(("text", "table", "wide"))
"""Formats for a reader at a terminal."""

UNESCAPED = frozenset(("github",))
"""Formats that are commands, and escape texts from outside themselves."""


def as_json(value: Json) -> str:
    """A JSON value, ending in a newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def as_yaml(value: Json) -> str:
    """The same value as YAML."""
    from postrender.manifest.dump import printed

    return printed(value)


def structured(data: Callable[[Given], Json]) -> dict[str, Callable[[Given], str]]:
    """``json`` and ``yaml`` of the same data, whose ``kind`` and ``schemaVersion`` say what it is."""
    return {"json": lambda given: as_json(data(given)), "yaml": lambda given: as_yaml(data(given))}


def for_ci(
    suite: str,
    problems: Callable[[Given], Sequence[ci.Problem]],
    cases: Callable[[Given], Sequence[ci.Case]],
    summary: Callable[[Given], str] = lambda _: "",
) -> dict[str, Callable[[Given], str]]:
    """``github`` and ``junit`` of the same findings; ``summary`` is one more notice for GitHub, ``""`` for none."""
    return {
        "github": lambda given: ci.github(problems(given), summary(given)),
        "junit": lambda given: ci.junit(suite, cases(given)),
    }


def names_of(found: Callable[[Given], Sequence[object]]) -> Callable[[Given], str]:
    """``name``: a line each, nothing else."""
    return lambda given: "".join(f"{name}\n" for name in found(given))
