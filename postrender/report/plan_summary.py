"""The filter's summary on a terminal: the caller, the changes of each object, and the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postrender._record import Record
from postrender.models import Severity
from postrender.planner.verdict import Action, Plan, Verdict
from postrender.text import Paint, finished, hint_lines, shorten, wrapped

DONE = {
    Action.ADOPT: "adopted",
    Action.APPLY: "chart applied to the live object",
    Action.STAMP: "ownership metadata added",
    Action.LABEL: "label added",
    Action.PIN: "resourceVersion added",
    Action.STORE: "live spec stored in the release",
    Action.STRIP: "server-set fields removed",
    Action.OPTION: "pruning disabled",
    Action.KEEP: "live values kept",
    Action.PASS: "unchanged",
    Action.LEAVE: "removed from the release",
    Action.REFUSE: "refused",
}


class SummaryHeading(Record):
    """What a run was about, each as a phrase: ``helm 3.12.3 install``, ``release default/shirts``, a source.

    ``found`` tells where each setting came from (``release: --release``), ``notes`` are sentences.
    """

    helm: str
    release: str
    source: str
    found: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan_summary(
    plan: Plan,
    heading: SummaryHeading,
    extra: Sequence[str] = (),
    closing: str = "",
    *,
    verbose: bool = False,
    width: int = 0,
) -> str:
    """What a run did, ending in a newline: one line, and one for each warning; ``verbose`` names every object.

    ``extra`` are further sentences, such as documents that were re-serialised as a whole; ``closing`` stands for the
    count if the manifests are not passed on. Lines are wrapped at ``width`` columns, 0 for not at all.
    """
    about = ", ".join(part for part in (heading.helm, heading.release, heading.source) if part)
    end = closing or _summary(plan)
    lines = wrapped(f"postrender: {about}" if verbose else f"postrender: {about}: {end}", width=width)
    if verbose and heading.found:
        lines += wrapped(f"settings from {', '.join(heading.found)}", first="  ", rest="    ", width=width)
    for verdict in (*plan.verdicts, *plan.removed):
        lines += _about(verdict, width) if verbose else _warnings(verdict, width)
    kept = [f"{verdict.name} ({shorten(verdict.kept_live)})" for verdict in plan.verdicts if verdict.kept_live]
    if kept and not verbose:
        lines += wrapped(f"kept as live: {shorten(kept)}", first="  ", rest="    ", width=width)
    for note in (*extra, *plan.notes, *heading.notes):
        lines += wrapped(note, first="  note: ", rest="        ", width=width)
    if verbose:
        lines += wrapped(end, first="  ", rest="  ", width=width)
    return "\n".join(lines) + "\n"


def done(verdict: Verdict) -> str:
    """What was done to an object: ``ownership metadata added, label added``."""
    return ", ".join(DONE[action] for action in verdict.actions)


def _warnings(verdict: Verdict, width: int) -> Iterator[str]:
    for finding in verdict.findings:
        if finding.severity is Severity.WARNING:
            text = f"warning: {verdict.name}: {finding.text} ({finding.code})"
            yield from wrapped(text, first="  ", rest="    ", width=width)


def _about(verdict: Verdict, width: int) -> Iterator[str]:
    if not verdict.findings and verdict.actions == (Action.PASS,):
        return
    yield from wrapped(f"{verdict.name}: {done(verdict)}", first="  ", rest="      ", width=width)
    for finding in verdict.findings:
        head = "warning: " if finding.severity is Severity.WARNING else "- "
        yield from wrapped(f"{head}{finding.text} ({finding.code})", first="    ", rest="      ", width=width)
        if finding.severity is Severity.WARNING:
            yield from hint_lines(map(finished, finding.next), Paint(width=width), first="    ")


def _summary(plan: Plan) -> str:
    total = len(plan.verdicts)
    changed = sum(1 for verdict in plan.verdicts if verdict.edits or verdict.kept_live)
    objects = f"{total} object{'s' * (total != 1)}"
    return f"{changed} of {objects} modified" if changed else f"{objects}, no changes needed"
