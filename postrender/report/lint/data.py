"""Findings for a program. ``lint.schema.json`` beside this file describes it (JSON Schema, draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from postrender.lint.findings import Finding


def report(findings: Sequence[Finding], objects: int) -> str:
    """One JSON object; ``line`` and ``column`` are 0 where only the file is known."""
    body = {
        "schemaVersion": 1,
        "kind": "Lint",
        "objects": objects,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "object": finding.object,
                "text": finding.text,
                "next": list(finding.next),
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "shown": finding.shown,
            }
            for finding in findings
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
