"""Findings for a person at a terminal: the place, the line there, what it means, what to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postrender.lint.findings import Finding
from postrender.report.lines import wrapped
from postrender.text import one_line


def report(findings: Sequence[Finding], objects: int) -> str:
    """A paragraph a finding, and one line that counts."""
    lines = [line for finding in findings for line in _about(finding)]
    seen = f"{objects} object{'s' * (objects != 1)}"
    count = len(findings)
    lines.append(f"{seen}, {count or 'no'} finding{'s' * (count != 1)}")
    return "\n".join(map(one_line, lines)) + "\n"


def _about(finding: Finding) -> Iterator[str]:
    place = f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file
    yield f"{place}: {finding.severity.value} {finding.code}"
    if finding.shown:
        yield f"  {finding.line or '':>5} | {finding.shown}".rstrip()
    yield from wrapped(f"{finding.object}: {finding.text}", first="  ", rest="    ")
    for advice in finding.next:
        yield f"  next: {advice}"
    yield ""
