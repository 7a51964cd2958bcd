"""Findings as workflow commands, which GitHub shows beside the lines of a change."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.lint.findings import Finding, Severity
from postrender.text import one_line

_COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}


def report(findings: Sequence[Finding], objects: int) -> str:
    """``::error file=...,line=...,col=...,title=PL101::message``, a line each."""
    del objects
    return "".join(_command(finding) for finding in findings)


def _command(finding: Finding) -> str:
    properties = {"file": finding.file}
    if finding.line:
        properties.update(line=str(finding.line), col=str(finding.column))
    properties["title"] = finding.code
    told = ",".join(f"{name}={_escaped(one_line(value), ':,')}" for name, value in properties.items())
    message = "\n".join(
        map(one_line, [f"{finding.object}: {finding.text}", *(f"next: {advice}" for advice in finding.next)])
    )
    return f"::{_COMMANDS[finding.severity]} {told}::{_escaped(message)}\n"


def _escaped(text: str, also: str = "") -> str:
    """As ``escapeData`` and ``escapeProperty`` of actions/toolkit do (packages/core/src/command.ts)."""
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
