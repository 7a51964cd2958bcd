"""Lint's findings in each format; ``FORMATS`` has one function for each, all with the same parameters.

Text shows the place, the line there, what it means and what to type. JSON is described by
``report/schemas/lint.schema.json`` (JSON Schema, draft 2020-12). SARIF 2.1.0 is for code scanning services, workflow
commands are for GitHub, which shows them beside the lines of a change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from urllib.parse import quote

from postrender.lint.model import Finding, Severity
from postrender.lint.rules import RULES, Rule
from postrender.models import Json
from postrender.text import PLAIN, Paint, hint_data, hint_lines, joined, one_line, wrapped


def to_json(findings: Sequence[Finding], objects: int) -> str:
    """One JSON object; ``line`` and ``column`` are 0 where only the file is known."""
    body = {
        "schemaVersion": 2,
        "kind": "Lint",
        "objects": objects,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "object": finding.object,
                "text": finding.text,
                "hints": hint_data(finding.next),
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "shown": finding.shown,
            }
            for finding in findings
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


_COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}


def to_github(findings: Sequence[Finding], objects: int) -> str:
    """``::error file=...,line=...,col=...,title=PL101::message``, a line each."""
    del objects
    return "".join(_command(finding) for finding in findings)


def _command(finding: Finding) -> str:
    properties = {"file": finding.file}
    if finding.line:
        properties.update(line=str(finding.line), col=str(finding.column))
    properties["title"] = finding.code
    parameters = ",".join(f"{name}={_escaped(one_line(value), ':,')}" for name, value in properties.items())
    message = "\n".join([one_line(f"{finding.object}: {finding.text}"), *hint_lines(finding.next)])
    return f"::{_COMMANDS[finding.severity]} {parameters}::{_escaped(message)}\n"


def _escaped(text: str, also: str = "") -> str:
    """As ``escapeData`` and ``escapeProperty`` of actions/toolkit do (packages/core/src/command.ts)."""
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}
_CODES = tuple(RULES)


def to_sarif(findings: Sequence[Finding], objects: int) -> str:
    """One run with every rule and the findings as results."""
    del objects
    driver = {
        "name": "postrender",
        "semanticVersion": version("postrender"),
        "rules": [_rule(rule) for rule in RULES.values()],
    }
    body = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in findings],
            }
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> Json:
    text = " ".join(rule.text.split())
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": rule.text},
    }


def _result(finding: Finding) -> Json:
    physical: dict[str, Json] = {"artifactLocation": {"uri": quote(finding.file.replace("\\", "/"))}}
    if finding.line:
        physical["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "snippet": {"text": finding.shown},
        }
    advice = "".join(f"\n{line}" for line in hint_lines(finding.next))
    return {
        "ruleId": finding.code,
        "ruleIndex": _CODES.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.object}: {finding.text}{advice}"},
        "locations": [
            {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": finding.object}]},
        ],
        "partialFingerprints": {"postrender/v1": f"{finding.code}:{finding.object}"},
    }


def to_text(findings: Sequence[Finding], objects: int, paint: Paint = PLAIN) -> str:
    """A paragraph a finding, and one line that counts."""
    lines = [line for finding in findings for line in _about(finding, paint)]
    seen = f"{objects} object{'s' * (objects != 1)}"
    count = len(findings)
    lines.append(f"{seen}, {count or 'no'} finding{'s' * (count != 1)}")
    return joined(lines)


_STYLES = {Severity.INFO: "", Severity.WARNING: "magenta", Severity.ERROR: "bold red"}


def _about(finding: Finding, paint: Paint) -> Iterator[str]:
    place = f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file
    yield f"{one_line(place)}: {paint(_STYLES[finding.severity], finding.severity.value)} {finding.code}"
    if finding.shown:
        yield one_line(f"  {finding.line or '':>5} | {finding.shown}".rstrip())
    yield from wrapped(f"{finding.object}: {finding.text}", first="  ", rest="    ", width=paint.width)
    yield from hint_lines(finding.next, paint)
    yield ""


Format = Callable[[Sequence[Finding], int], str]
"""From the findings and the number of objects looked at to the whole output, ending in a newline unless empty."""

FORMATS: Mapping[str, Format] = {
    "text": to_text,
    "json": to_json,
    "sarif": to_sarif,
    "github": to_github,
}
