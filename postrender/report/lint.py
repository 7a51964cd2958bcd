"""Lint's findings in each format; ``FORMATS`` is the table of them.

Text shows the place, the line there, what it means and what to type. JSON is described by
``report/schemas/lint.schema.json`` (JSON Schema, draft 2020-12). SARIF 2.1.0 is for code scanning services, workflow
commands are for GitHub, which shows them beside the lines of a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from urllib.parse import quote

from postrender._record import Record
from postrender.lint.model import Finding, Severity
from postrender.lint.rules import RULES, Rule
from postrender.models import Json
from postrender.report import ci, html, markdown
from postrender.report.formats import Formats, as_json, for_ci, structured
from postrender.text import PLAIN, Paint, hint_data, hint_lines, joined, one_line, wrapped


class LintReport(Record):
    """What lint found, how many objects it looked at, and how a terminal shows it.

    ``old`` is the name of the older version, "" if none was compared.
    """

    findings: Sequence[Finding]
    objects: int
    paint: Paint = PLAIN
    old: str = ""

    @property
    def summary(self) -> str:
        """``4 objects, 2 findings``; ``4 objects compared with old.yaml, 2 findings``."""
        count = len(self.findings)
        compared = f" compared with {self.old}" if self.old else ""
        objects = f"{self.objects} object{'s' * (self.objects != 1)}{compared}"
        return f"{objects}, {count or 'no'} finding{'s' * (count != 1)}"


def lint_data(report: LintReport) -> Json:
    """For programs; ``line`` and ``column`` are 0 if only the file is known."""
    return {
        "schemaVersion": 2,
        "kind": "Lint",
        "objects": report.objects,
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
            for finding in report.findings
        ],
    }


_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}
_CODES = tuple(RULES)


def to_sarif(report: LintReport) -> str:
    """SARIF 2.1.0: one run with every rule and the findings as results."""
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
                "results": [_result(finding) for finding in report.findings],
            }
        ],
    }
    return as_json(body)


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
        "locations": [{"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": finding.object}]}],
        "partialFingerprints": {"postrender/v1": f"{finding.code}:{finding.object}"},
    }


def to_text(report: LintReport) -> str:
    """A paragraph a finding, and one line that counts."""
    lines = [line for finding in report.findings for line in _about(finding, report.paint)]
    return joined([*lines, report.summary])


_STYLES = {Severity.INFO: "", Severity.WARNING: "magenta", Severity.ERROR: "bold red"}


def place_of(finding: Finding) -> str:
    """``templates/a.yaml:3:5``, or only the file."""
    return f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file


def _about(finding: Finding, paint: Paint) -> Iterator[str]:
    yield f"{one_line(place_of(finding))}: {paint(_STYLES[finding.severity], finding.severity.value)} {finding.code}"
    if finding.shown:
        yield one_line(f"  {finding.line or '':>5} | {finding.shown}".rstrip())
    yield from wrapped(f"{finding.object}: {finding.text}", first="  ", rest="    ", width=paint.width)
    yield from hint_lines(finding.next, paint)
    yield ""


_MARKS = {Severity.INFO: "🔵", Severity.WARNING: "🟡", Severity.ERROR: "🛑"}
_MOST = 200
"""Rows of the table in Markdown, so that a comment stays below the 65,536 characters that GitHub takes."""


def to_markdown(report: LintReport) -> str:
    """A heading, and a table of the findings with their hints."""
    return "".join(f"{line}\n" for line in _markdown(report))


def _markdown(report: LintReport) -> Iterator[str]:
    yield "### postrender lint"
    yield ""
    yield f"**{markdown.escaped(report.summary)}**"
    if not report.findings:
        return
    yield ""
    yield "| | code | object | finding | place |"
    yield "|---|---|---|---|---|"
    for finding in report.findings[:_MOST]:
        hints = "".join(f"<br>{line}" for line in markdown.hints(finding.next))
        cells = (
            f"{_MARKS[finding.severity]} {finding.severity.value}",
            finding.code,
            markdown.code(finding.object),
            markdown.escaped(finding.text) + hints,
            markdown.code(place_of(finding)),
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    if len(report.findings) > _MOST:
        yield f"| | | | and {len(report.findings) - _MOST} more | |"


def to_html(report: LintReport) -> str:
    """One page for a browser."""
    return html.page("postrender lint", _header(report), _cards(report))


def _header(report: LintReport) -> Iterator[str]:
    severe = any(finding.severity is Severity.ERROR for finding in report.findings)
    yield f'<header class="{"blocked" if severe else "unchanged"}"><h1>postrender lint</h1>'
    yield f'<p class="summary">{html.shown(report.summary)}</p></header>'


def _cards(report: LintReport) -> Iterator[str]:
    for finding in report.findings:
        word = {Severity.ERROR: "blocked", Severity.WARNING: "change"}.get(finding.severity, "keep")
        yield (
            f'<details class="card {word}" open><summary><span class="badge {word}">{finding.severity.value}</span> '
            f'<span class="name">{html.shown(finding.object)}</span> '
            f'<span class="does">{html.shown(place_of(finding))}</span></summary>'
        )
        yield f'<ul class="findings"><li class="{finding.severity.value}">{html.shown(finding.text)} '
        yield f"<code>{finding.code}</code>{html.steps(finding.next)}</li></ul>"
        if finding.shown:
            yield f"<pre>{html.shown(finding.shown)}</pre>"
        yield "</details>"


def _problem(finding: Finding) -> ci.Problem:
    return ci.Problem(
        finding.code,
        finding.severity,
        finding.object,
        finding.text,
        finding.next,
        finding.file,
        finding.line,
        finding.column,
    )


def _cases(report: LintReport) -> list[ci.Case]:
    """A failed test for each finding; one that passes if there is none."""
    if not report.findings:
        return [ci.Case(report.summary, "postrender.lint")]
    return [
        ci.Case(f"{finding.code} {finding.object}", place_of(finding), (_problem(finding),))
        for finding in report.findings
    ]


FORMATS: Formats[LintReport] = {
    "text": to_text,
    **structured(lint_data),
    "markdown": to_markdown,
    "html": to_html,
    **for_ci("postrender lint", lambda report: [_problem(finding) for finding in report.findings], _cases),
    "sarif": to_sarif,
}
