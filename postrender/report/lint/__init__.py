"""Lint's findings, for a reader: each format is one function, and all of them take the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from postrender.lint.findings import Finding
from postrender.report.lint import data, github, sarif, text

Format = Callable[[Sequence[Finding], int], str]
"""From the findings and the number of objects looked at to the whole output, ending in a newline unless empty."""

FORMATS: Mapping[str, Format] = {
    "text": text.report,
    "json": data.report,
    "sarif": sarif.report,
    "github": github.report,
}
