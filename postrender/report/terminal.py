"""A plan for a person at a terminal: a line an object, problems first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postrender.models import Severity
from postrender.planner.view import ObjectView, View
from postrender.report import wording
from postrender.report.diff import live_diff, stored_diff
from postrender.text import Paint, hint_lines, shorten, wrapped

_STYLES = {
    "blocked": "bold red",
    "delete": "bold red",
    "create": "bold green",
    "change": "bold magenta",
    "edit": "bold magenta",
    "adopt": "bold cyan",
    "store": "bold cyan",
    "keep": "bold cyan",
}
_LINES = {"+": "green", "-": "red", "@": "cyan"}

QUIET, NORMAL, VERBOSE = 0, 1, 2
"""Only names; a line for each object and the diff of what changes; everything."""

_LONGEST = 60
"""Columns of a name that the others are aligned with."""


def plan_text(view: View, paint: Paint, detail: int = NORMAL, commands: Sequence[str] = ()) -> str:
    """The whole plan, ending in a newline; ``commands`` are what to type where it goes on."""
    return "".join(f"{_line(line)}\n" for line in _plan(view, paint, detail, commands))


def shown(view: View, detail: int = NORMAL) -> list[ObjectView]:
    """The objects that are shown by themselves, problems first; all others are only counted."""
    found = sorted(view.objects, key=wording.rank)
    if detail == VERBOSE:
        return found
    return [
        each
        for each in found
        if each.refused
        or wording.warnings(each)
        or each.kept_live
        or (each.changing and wording.verdict(each) != "store")
    ]


def _line(line: str) -> str:
    """A line with no line break in it: names come from a chart, or a server."""
    return line.replace("\n", "\\x0a")


def _plan(view: View, paint: Paint, detail: int, commands: Sequence[str]) -> Iterator[str]:
    objects = shown(view, detail)
    if detail == QUIET:
        yield from (each.name for each in objects)
        return
    heading = wrapped(f"postrender plan: {wording.heading(view.about)}", width=paint.width)
    yield from (paint("bold", line) for line in heading)
    if view.about.setting_origins and detail == VERBOSE:
        yield from wrapped(
            f"settings from {', '.join(view.about.setting_origins)}", first="  ", rest="    ", width=paint.width
        )
    yield ""
    aligned = min(max((len(each.name) for each in objects), default=0), _LONGEST)
    pairs: set[str] = set()
    for each in objects:
        yield from _headline(each, paint, aligned)
        yield from _details(each, paint, pairs) if detail == VERBOSE else _changes(each, paint)
    if objects and detail == NORMAL:
        yield ""
    for note in view.about.notes:
        yield from wrapped(note, first="note: ", rest="      ", width=paint.width)
    yield from (paint("bold", line) for line in wrapped(wording.summary(view), width=paint.width))
    # Whole, however long: they are there to be copied.
    yield from hint_lines({"blocked": wording.steps(view), "change": commands}.get(view.outcome, ()), paint)


def _headline(each: ObjectView, paint: Paint, aligned: int) -> Iterator[str]:
    word = wording.verdict(each)
    first, rest, effect = f"{word:<9}  {each.name:<{aligned}}  ", " " * 11, wording.effect(each)
    lines = wrapped(effect, first=first, rest=rest, width=paint.width) or [first.rstrip()]
    if paint.width and len(first + effect.partition(" ")[0]) > paint.width:
        # A name so long leaves no room for a word beside it.
        lines = [first.rstrip(), *wrapped(effect, first=rest, rest=rest, width=paint.width)]
    for place, line in enumerate(lines):
        yield line if place else paint(_STYLES.get(word, ""), f"{word:<9}") + line[9:]


def _changes(each: ObjectView, paint: Paint) -> Iterator[str]:
    """What the line of an object leaves open: further errors, warnings, and what changes in the cluster."""
    errors = wording.errors(each)[1:]
    for finding in (*errors, *wording.warnings(each)):
        yield from _finding(finding.severity, f"{finding.text} ({finding.code})", finding.next, paint)
    if each.kept_live:
        yield from wrapped(f"kept as live: {shorten(each.kept_live)}", first="  ", rest="    ", width=paint.width)
    if wording.verdict(each) == "change":
        yield from _diff(live_diff(each)[2:], paint, heads=0)


def _details(each: ObjectView, paint: Paint, pairs: set[str]) -> Iterator[str]:
    for title, text in (
        ("owner", wording.owner(each)),
        ("filter", wording.filter(each)),
        ("Helm", wording.helm(each)),
        ("stored", wording.stored(each)),
    ):
        yield from wrapped(text, first=f"  {title:<7} ", rest=" " * 10, width=paint.width)
    for finding in each.findings:
        if finding.code == "PR201":
            if each.name in pairs:
                continue
            pairs.update(finding.text.replace(",", "").split())
        yield from _finding(finding.severity, f"{finding.text} ({finding.code})", finding.next, paint)
    if not each.refused:
        yield from _diff(live_diff(each), paint)
    yield from _diff(stored_diff(each), paint)
    yield ""


def _finding(severity: Severity, text: str, steps: Sequence[str], paint: Paint) -> Iterator[str]:
    for line in wrapped(f"{severity.value}: {text}", first="  ", rest="    ", width=paint.width):
        yield paint.heads(line)
    if severity is Severity.WARNING:
        yield from hint_lines(steps, paint, first="  ")


def _diff(lines: Sequence[str], paint: Paint, heads: int = 2) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"  {paint('bold' if place < heads else _LINES.get(line[:1], ''), line)}"
