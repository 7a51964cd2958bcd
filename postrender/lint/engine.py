"""Runs the rules and gives each finding its place, unless a comment there says to ignore it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from postrender.errors import ManifestError
from postrender.identity import SECRET
from postrender.lint.facts import Facts
from postrender.lint.findings import Finding, Trouble
from postrender.lint.places import Place, Places
from postrender.lint.rules import Rule

_PLAIN = re.compile(r"\s*(?:- )?(?:\"[^\"]*\"|'[^']*'|[\w./-]+):(?:\s+(?:[\w./:-]|\{\{[^{}]*\}\})*)?\s*")
"""A line with one key and at most one plain value, or actions of a template."""

_SHOWN = frozenset({"apiVersion", "kind", "metadata"})
"""Fields of a Secret whose lines are shown."""

_IGNORE = re.compile(r"postrender:\s*ignore=([A-Z0-9, ]*[A-Z0-9])")


def check(facts: Facts, rules: Iterable[Rule], file: str) -> list[Finding]:
    """The findings in the order of their places; ``file`` is what the stream is called."""
    places = Places(facts, file)
    secrets = _secrets(facts)
    found = [
        _finding(rule.code, trouble, places.of(trouble), secrets.get(trouble.subject.ref.document))
        for rule in rules
        for trouble in rule.check(facts)
        if not _ignored(rule.code, trouble, places)
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.column, finding.code, finding.object))


def _secrets(facts: Facts) -> dict[int, frozenset[str]]:
    """For each document with a Secret in it, by its number, the values that its lines may hold."""
    from postrender import redact

    found: dict[int, frozenset[str]] = {}
    made = redact.Digests(b"lint")
    for subject in facts.subjects:
        try:
            body = facts.stream.value(subject)
        except ManifestError:
            continue
        kind = subject.key.group_kind
        if kind == SECRET or redact.redacted(body, kind, "", made) != body:
            known = found.get(subject.ref.document, frozenset())
            found[subject.ref.document] = known | redact.values(body, kind)
    return found


def _finding(code: str, trouble: Trouble, place: Place, secret: frozenset[str] | None) -> Finding:
    shown = place.text
    if secret is not None:
        from postrender.redact import scrubbed

        plain = _PLAIN.fullmatch(shown) and trouble.path[:1] and trouble.path[0] in _SHOWN
        shown = scrubbed(shown, secret) if plain else _without_value(shown)
    if trouble.hide:
        shown = _without_value(shown)
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
    if line.lstrip().startswith(("{", "[", "- {", "- [")):
        return "…"
    key, colon, value = line.partition(":")
    return f"{key}: …" if colon and value.strip() else line if colon else "…" if line.strip() else ""


def _ignored(code: str, trouble: Trouble, places: Places) -> bool:
    """Whether the line says so, or a comment on a line of its own in the same document."""
    lines = [places.rendered(trouble).text, places.of(trouble).text, *places.comments(trouble)]
    return any(code in _listed(found[1]) for line in lines for found in _IGNORE.finditer(line))


def _listed(text: str) -> list[str]:
    return [code.strip() for code in text.split(",")]
