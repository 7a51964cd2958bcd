"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from urllib.parse import quote

from postrender.lint.findings import Finding, Severity
from postrender.lint.rules import RULES, Rule
from postrender.live import Json

_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}
_CODES = tuple(RULES)


def report(findings: Sequence[Finding], objects: int) -> str:
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
    advice = "".join(f"\nnext: {each}" for each in finding.next)
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
