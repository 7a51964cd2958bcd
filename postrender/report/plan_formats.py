"""A plan in every format of ``postrender plan -o``."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import Record
from postrender.models import Severity
from postrender.planner.view import ObjectView, View
from postrender.planner.view_json import plan_json
from postrender.report import ci, wording
from postrender.report.formats import Formats, for_ci, structured
from postrender.report.html import plan_html
from postrender.report.markdown import plan_markdown
from postrender.report.terminal import NORMAL, plan_text
from postrender.text import PLAIN, Paint


class PlanReport(Record):
    """A plan, the commands that carry it out, and how a terminal shows it.

    ``file`` holds the rendered manifests, ``""`` for a chart and for stdin.
    """

    view: View
    commands: Sequence[str] = ()
    paint: Paint = PLAIN
    detail: int = NORMAL
    file: str = ""


def _problems(report: PlanReport) -> list[ci.Problem]:
    """Errors and warnings: GitHub shows only some of all messages."""
    return [
        problem
        for each in report.view.objects
        for problem in _of_object(each, report)
        if problem.severity is not Severity.INFO
    ]


def _cases(report: PlanReport) -> list[ci.Case]:
    """A test for each object, which fails if the object is blocked."""
    return [
        ci.Case(
            each.name,
            f"{each.object.plural}.{each.object.group}".rstrip("."),
            tuple(problem for problem in _of_object(each, report) if problem.severity is Severity.ERROR),
            tuple(
                f"{problem.severity.value}: {problem.message} ({problem.code})"
                for problem in _of_object(each, report)
                if problem.severity is Severity.WARNING
            ),
        )
        for each in report.view.objects
    ]


def _of_object(each: ObjectView, report: PlanReport) -> list[ci.Problem]:
    file, line = (report.file, each.line) if report.file and not each.leaving else ("", 0)
    return [
        ci.Problem(finding.code, finding.severity, each.name, finding.text, finding.next, file, line)
        for finding in each.findings
    ]


FORMATS: Formats[PlanReport] = {
    "text": lambda report: plan_text(report.view, report.paint, report.detail, report.commands),
    **structured(lambda report: plan_json(report.view)),
    "markdown": lambda report: plan_markdown(report.view, report.commands),
    "html": lambda report: plan_html(report.view, report.commands),
    **for_ci("postrender plan", _problems, _cases, lambda report: wording.summary(report.view)),
}
