"""A plan as Markdown, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from postrender.planner.view import ObjectView, View
from postrender.report import wording
from postrender.report.diff import live_diff, stored_diff
from postrender.text import one_line, parts

MAX_LENGTH = 60_000
"""Characters, so that a comment stays below the 65,536 that GitHub takes; further diffs are counted instead."""

_MARKS = {
    "blocked": "🛑",
    "delete": "🔴",
    "create": "🟢",
    "change": "🟣",
    "edit": "🟣",
    "adopt": "🔵",
    "store": "🔵",
    "keep": "🔵",
}
_SPECIAL = re.compile(r"([\\`*_\[\]#|~<>&])")


def plan_markdown(view: View, commands: Sequence[str] = ()) -> str:
    """A heading, a table of what changes, each object's diff to unfold, and what to type."""
    head = "\n".join(_head(view))
    end = "\n".join(_end(view, commands))
    body, left = "", 0
    for each in sorted(view.objects, key=wording.rank):
        if not (each.changing or each.refused or each.findings):
            continue
        section = "\n".join(_section(each)) + "\n"
        if len(head) + len(body) + len(section) + len(end) > MAX_LENGTH:
            left += 1
        else:
            body += section
    if left:
        body += f"\n{left} more would make this too long for a comment: `-o html` shows all.\n"
    return f"{head}\n{body}{end}\n"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, and that calls nobody."""
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("@", "@<!-- -->").replace("\n", " ")


def code(text: str) -> str:
    """A text in a code span, whatever backticks are in it."""
    text = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("\n", " ")


def _head(view: View) -> Iterator[str]:
    yield f"### {escaped('postrender plan: ' + wording.heading(view.about))}"
    yield ""
    yield f"**{escaped(wording.summary(view))}**"
    shown = sorted((each for each in view.objects if each.changing or each.refused), key=wording.rank)
    if shown:
        yield ""
        yield "| | object | owner | filter | Helm |"
        yield "|---|---|---|---|---|"
        # Helm is last, since an objection may be long.
        for each in shown[:200]:
            word = wording.verdict(each)
            cells = (escaped(text) for text in (wording.owner(each), wording.filter(each), wording.helm(each)))
            yield f"| {_MARKS.get(word, '')} {word} | {code(each.name).replace('|', '&#124;')} | {' | '.join(cells)} |"
        if len(shown) > 200:
            yield f"| | and {len(shown) - 200} more | | | |"
    yield ""


def _section(each: ObjectView) -> Iterator[str]:
    diffs = [] if each.refused else [diff for diff in (live_diff(each), stored_diff(each)) if diff]
    yield "<details>"
    yield f"<summary>{wording.verdict(each)}: <code>{_html(each.name)}</code></summary>"
    yield ""
    yield f"- stored: {escaped(wording.stored(each))}"
    for finding in each.findings:
        yield f"- {finding.severity.value}: {escaped(finding.text)} ({finding.code})"
        if finding.severity.value != "info":
            yield from (f"  - {line}" for line in hints(finding.next))
    for diff in diffs:
        fence = "`" * max(3, 1 + max(len(run) for run in ["", *re.findall("`+", "\n".join(diff))]))
        yield ""
        yield f"{fence}diff"
        yield from map(one_line, diff)
        yield fence
    yield ""
    yield "</details>"
    yield ""


def _end(view: View, commands: Sequence[str]) -> Iterator[str]:
    for note in view.about.notes:
        yield f"- note: {escaped(note)}"
    steps = {"blocked": wording.steps(view), "change": commands}.get(view.outcome, ())
    yield from (f"- {line}" for line in hints(steps))


def hints(steps: Sequence[str]) -> Iterator[str]:
    """The hints, each as a phrase with its command in a code span."""
    for command, note in map(parts, steps):
        if note:
            yield f"note: {escaped(note)}"
        if command:
            yield f"hint: {code(command)}"


def _html(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
