"""A plan for a person at a terminal, in colours that can be read on light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from postrender._record import Record
from postrender.planner.view import ObjectView, View
from postrender.report import wording
from postrender.report.diff import live_diff, stored_diff
from postrender.text import wrapped

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "magenta": "35", "cyan": "36"}


class Paint(Record):
    """Writes texts in a style: bold, dim, red, green, magenta, cyan, or several with a blank between."""

    on: bool

    def __call__(self, style: str, text: str) -> str:
        """The text; plain where colours are off or the style is ``""``."""
        if not self.on or not style:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in style.split())}m{text}\x1b[0m"


def paint(wanted: str, environ: Mapping[str, str], *, terminal: bool) -> Paint:
    """By ``--color`` (auto, always, never); auto colours a terminal that takes it, unless ``$NO_COLOR`` says no."""
    if wanted != "auto":
        return Paint(wanted == "always")
    return Paint(terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")


_STYLES = {
    "refused": "bold red",
    "deleted": "bold red",
    "created": "bold green",
    "changed": "bold magenta",
    "edited": "bold magenta",
    "adopted": "bold cyan",
    "stored": "bold cyan",
    "kept": "bold cyan",
}
_SEVERITIES = {"error": "red", "warning": "magenta", "info": ""}
_LINES = {"+": "green", "-": "red", "@": "cyan"}

QUIET, NORMAL, VERBOSE = 0, 1, 2
"""Only a line for each object; what changes, with its diff; everything."""


def plan_text(view: View, paint: Paint, detail: int = NORMAL, commands: Sequence[str] = ()) -> str:
    """The whole plan, ending in a newline; ``commands`` are what to type where it goes on."""
    return "".join(f"{_line(line)}\n" for line in _plan(view, paint, detail, commands))


def _line(line: str) -> str:
    """A line with no line break in it: names come from a chart, or a server."""
    return line.replace("\n", "\\x0a")


def _plan(view: View, paint: Paint, detail: int, commands: Sequence[str]) -> Iterator[str]:
    yield from (paint("bold", line) for line in wrapped(f"postrender plan: {wording.heading(view.about)}"))
    if view.about.setting_origins and detail > QUIET:
        yield from wrapped(f"told by {', '.join(view.about.setting_origins)}", first="  ", rest="    ")
    shown = [each for each in view.objects if detail == VERBOSE or each.changing or each.refused or _warns(each)]
    for each in shown:
        if detail == QUIET:
            yield from _headline(each, paint)
        else:
            yield ""
            yield from _object(each, paint)
    if detail > QUIET:
        yield ""
    for note in view.about.notes:
        yield from wrapped(note, first="note: ", rest="      ")
    hidden = len(view.objects) - len(shown)
    if hidden:
        yield from (paint("dim", line) for line in wrapped(f"{hidden} more stay as they are (--verbose shows them)"))
    yield from (paint("bold", line) for line in wrapped(wording.summary(view)))
    # Whole, however long: they are there to be copied.
    for step in {"refused": wording.steps(view), "something": commands}.get(view.outcome, ()):
        yield f"  next: {step}"


def _warns(each: ObjectView) -> bool:
    return any(finding.severity.value != "info" for finding in each.findings)


def _headline(each: ObjectView, paint: Paint) -> Iterator[str]:
    word = wording.verdict(each)
    yield f"{paint(_STYLES.get(word, ''), f'{word:<9}')} {each.name}"


def _object(each: ObjectView, paint: Paint) -> Iterator[str]:
    yield from _headline(each, paint)
    for title, text in (
        ("owner", wording.owner(each)),
        ("filter", wording.filter(each)),
        ("Helm", wording.helm(each)),
        ("stored", wording.stored(each)),
    ):
        yield from wrapped(text, first=f"  {title:<7} ", rest=" " * 10)
    for finding in each.findings:
        style = _SEVERITIES[finding.severity.value]
        for line in wrapped(f"{finding.text} ({finding.code})", first="  - ", rest="    "):
            yield paint(style, line)
        if finding.severity.value == "warning":
            yield from (f"    next: {step}" for step in finding.next)
    if not each.refused:
        yield from _diff(live_diff(each), paint)
    yield from _diff(stored_diff(each), paint)


def _diff(lines: Sequence[str], paint: Paint) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"  {paint('bold' if place < 2 else _LINES.get(line[:1], ''), line)}"
