"""Runs the rules and gives each finding its place, unless a comment there says to ignore it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from postrender.lint.facts import Facts
from postrender.lint.findings import Finding, Trouble
from postrender.lint.places import Place, Places
from postrender.lint.rules import Rule

_IGNORE = re.compile(r"postrender:\s*ignore=([A-Z0-9, ]*[A-Z0-9])")


def check(facts: Facts, rules: Iterable[Rule], file: str) -> list[Finding]:
    """The findings in the order of their places; ``file`` is what the stream is called."""
    places = Places(facts, file)
    found = [
        _finding(rule.code, trouble, places.of(trouble))
        for rule in rules
        for trouble in rule.check(facts)
        if not _ignored(rule.code, trouble, places)
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.column, finding.code, finding.object))


def _finding(code: str, trouble: Trouble, place: Place) -> Finding:
    shown = _without_value(place.text) if trouble.hide else place.text
    return Finding(
        code,
        trouble.severity,
        trouble.subject.name,
        trouble.text,
        trouble.next,
        place.file,
        place.line,
        place.column,
        shown.rstrip(),
    )


def _without_value(line: str) -> str:
    key, colon, value = line.partition(":")
    return f"{key}: …" if colon and value.strip() else line if colon else "…" if line.strip() else ""


def _ignored(code: str, trouble: Trouble, places: Places) -> bool:
    """Whether the line says so, or a comment on a line of its own in the same document."""
    lines = [places.rendered(trouble).text, places.of(trouble).text, *places.comments(trouble)]
    return any(code in _listed(found[1]) for line in lines for found in _IGNORE.finditer(line))


def _listed(text: str) -> list[str]:
    return [code.strip() for code in text.split(",")]
