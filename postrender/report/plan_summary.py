"""The account for a person at a terminal: who called, what was done to which object and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from postrender._record import Record
from postrender.models import Severity
from postrender.planner.verdict import Action, Plan, Verdict
from postrender.text import wrapped

DONE = {
    Action.ADOPT: "taken over",
    Action.APPLY: "brought to what the chart says",
    Action.STAMP: "stamped",
    Action.LABEL: "labelled",
    Action.PIN: "pinned",
    Action.STORE: "stored as it is live",
    Action.STRIP: "stripped",
    Action.OPTION: "kept from pruning",
    Action.PASS: "as it was",
    Action.LEAVE: "leaves the release",
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


def plan_summary(plan: Plan, heading: SummaryHeading, extra: Sequence[str] = (), closing: str = "") -> str:
    """The whole account, lines of at most 80 columns where names allow it, ending in a newline.

    ``extra`` are further sentences, such as documents that were re-serialised as a whole; ``closing`` is the last line
    where the manifests are not passed on.
    """
    lines = wrapped(
        f"postrender: {', '.join(part for part in (heading.helm, heading.release, heading.source) if part)}"
    )
    if heading.found:
        lines.extend(wrapped(f"told by {', '.join(heading.found)}", first="  ", rest="    "))
    verdicts = [
        verdict for verdict in (*plan.verdicts, *plan.removed) if verdict.findings or verdict.actions != (Action.PASS,)
    ]
    for verdict in verdicts:
        lines.extend(_about(verdict))
    for note in (*extra, *plan.notes, *heading.notes):
        lines.extend(wrapped(note, first="  note: ", rest="        "))
    lines.extend(wrapped(closing or _summary(plan), first="  ", rest="  "))
    return "\n".join(lines) + "\n"


def done(verdict: Verdict) -> str:
    """What was done to an object: ``stamped, labelled``."""
    return ", ".join(DONE[action] for action in verdict.actions)


def _about(verdict: Verdict) -> Iterable[str]:
    yield from wrapped(f"{verdict.name}: {done(verdict)}", first="  ", rest="      ")
    for finding in verdict.findings:
        yield from wrapped(f"{finding.text} ({finding.code})", first="    - ", rest="      ")
        if finding.severity is Severity.WARNING:
            yield from (f"      next: {step}" for step in finding.next)


def _summary(plan: Plan) -> str:
    total = len(plan.verdicts)
    changed = sum(1 for verdict in plan.verdicts if verdict.edits)
    objects = f"{total} object{'s' * (total != 1)}"
    if not changed:
        return f"{objects}, none changed: the manifests are passed on as they came."
    return f"{objects}, {changed} changed; every other byte is as it came."
