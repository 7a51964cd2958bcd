"""A verified release for a reader at a terminal, and as plain values (``verify.schema.json`` describes those)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.helm.drift import without_volatile_metadata
from postrender.manifest.json_diff import Change, changes
from postrender.models import Json, ReleaseName
from postrender.operations.verify import ObjectStatus, ReleaseStatus, State, repairable
from postrender.redact import Digests, redacted
from postrender.report.formats import Formats, names_of, structured
from postrender.text import Paint, hint_data, hint_lines, joined, wrapped

VERSION = 2
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

_WORDS = {
    State.IN_SYNC: "inSync",
    State.DRIFTED: "drifted",
    State.MISSING: "missing",
    State.FOREIGN: "someoneElses",
    State.DELETING: "deleting",
    State.UNKNOWN: "unknown",
}


class Failed(Record):
    """A release that could not be verified at all, and why."""

    release: ReleaseName
    reason: str
    next: tuple[str, ...]


def difference(each: ObjectStatus, digests: Digests) -> tuple[Change, ...]:
    """What differs: ``before`` is live, ``after`` what is stored and would be there; Secret values are digests."""
    if each.state is not State.DRIFTED or each.found is None:
        return ()
    place = f"{each.key.namespace}/{each.key.name}"
    bodies = without_volatile_metadata(each.found.body), without_volatile_metadata(each.after)
    live, after = (redacted(body, each.key.group_kind, place, digests) for body in bodies)
    # A name that holds one of the two values is a digest on one side alone, and has not changed.
    real = [change.path for change in changes(*bodies)]
    return tuple(
        change
        for change in changes(live, after)
        if any(path[: len(change.path)] == change.path[: len(path)] for path in real)
    )


def verified_text(
    verified: ReleaseStatus, digests: Digests, paint: Paint, cluster: CommandHints, *, verbose: bool = False
) -> str:
    """One release: a line for each object that is not in sync, and the fields that differ; ``verbose`` names all."""
    shown = [each for each in verified.objects if verbose or each.state is not State.IN_SYNC or each.pinned]
    shown.sort(key=lambda each: each.state is State.IN_SYNC)
    revision = verified.revision
    lines = [paint("bold", f"release {revision.release}, revision {revision.revision} ({revision.status})")]
    for note in verified.notes:
        lines += wrapped(note, first="  note: ", rest="        ", width=paint.width)
    width = max((len(each.name) for each in shown), default=0)
    if paint.width:
        width = min(width, paint.width - 20)
    for each in shown:
        lines += _object(each, width, digests, paint)
    lines += wrapped(_summary(verified), width=paint.width)
    name, namespace = revision.release.name, revision.release.namespace
    if repairable(verified.objects):
        lines += hint_lines([f"{cluster.typed(f'postrender verify {name}', namespace)} --fix"], paint)
    if any(each.pinned for each in verified.objects):
        lines += hint_lines([cluster.typed(f"postrender unpin {name}", namespace)], paint)
    return joined(lines)


def table(rows: Sequence[ReleaseStatus | Failed], paint: Paint) -> str:
    """All releases, a line each."""
    names = [str(_release_of(row)) for row in rows]
    width = max(7, *map(len, names)) if names else 7
    lines = [paint("bold", f"{'RELEASE':{width}}  REVISION  OBJECTS  STATE")]
    for name, row in zip(names, rows, strict=True):
        if isinstance(row, Failed):
            head, state = f"{name:{width}}  {'':8}  {'':7}  ", f"unknown: {row.reason}"
            lines += _hanging(head, state, "red", paint)
            continue
        head = f"{name:{width}}  {row.revision.revision:8}  {len(row.objects):7}  "
        lines += _hanging(head, _states(row), "green" if row.in_sync else "magenta", paint)
    good = sum(isinstance(row, ReleaseStatus) and row.in_sync for row in rows)
    lines.append(f"{len(rows)} release{'s' * (len(rows) != 1)}, {good} in sync")
    return joined(lines)


def verified_data(verified: ReleaseStatus, digests: Digests, cluster: str) -> dict[str, Json]:
    """One release for programs."""
    return {"schemaVersion": VERSION, "kind": "Verification", "cluster": cluster, **_data(verified, digests)}


def table_data(rows: Sequence[ReleaseStatus | Failed], digests: Digests, cluster: str) -> dict[str, Json]:
    """All releases for programs."""
    return {
        "schemaVersion": VERSION,
        "kind": "Verifications",
        "cluster": cluster,
        "releases": [_data(row, digests) for row in rows if isinstance(row, ReleaseStatus)],
        "failed": [
            {"release": _release(row.release), "reason": row.reason, "hints": hint_data(row.next)}
            for row in rows
            if isinstance(row, Failed)
        ],
    }


def _object(each: ObjectStatus, width: int, digests: Digests, paint: Paint) -> Iterator[str]:
    pin = ", pinned" if each.pinned else ""
    style = {State.IN_SYNC: "green", State.DRIFTED: "magenta"}.get(each.state, "red")
    state = paint(style, each.state.value) + pin
    if len(each.name) > width:
        yield f"  {each.name}"
        yield f"      {state}"
    else:
        yield f"  {each.name:{width}}  {state}"
    if each.why:
        yield from wrapped(each.why, first="      ", rest="      ", width=paint.width)
    yield from hint_lines(each.next, paint, first="    ")
    for change in difference(each, digests):
        if change.op != "add":
            yield paint("red", _line("-", change.path, change.before, paint.width))
        if change.op != "remove":
            yield paint("green", _line("+", change.path, change.after, paint.width))


def _line(sign: str, path: tuple[str | int, ...], value: Json, width: int) -> str:
    """``- spec.replicas: 5``, cut if it is longer than a terminal's line."""
    line = f"      {sign} {_path(path)}: {json.dumps(value, ensure_ascii=False)}"
    return f"{line[: width - 4]} ..." if width and len(line) > width else line


def _path(path: tuple[str | int, ...]) -> str:
    """``spec.template.spec.containers[0].image``; a key that is no plain word in brackets."""
    text = ""
    for step in path:
        plain = isinstance(step, str) and step.replace("-", "").replace("_", "").isalnum()
        text += (f".{step}" if text else str(step)) if plain else f"[{json.dumps(step)}]"
    return text


def _hanging(head: str, state: str, style: str, paint: Paint) -> list[str]:
    lines = wrapped(state, first=head, rest=" " * len(head), width=paint.width)
    return [line[: len(head)] + paint(style, line[len(head) :]) for line in lines]


def _states(verified: ReleaseStatus) -> str:
    counted = [f"{verified.count(state)} {state.value}" for state in list(State)[1:] if verified.count(state)]
    pinned = sum(each.pinned for each in verified.objects)
    return ", ".join([*(counted or ["in sync"]), *([f"{pinned} pinned"] if pinned else [])])


def _summary(verified: ReleaseStatus) -> str:
    total = len(verified.objects)
    return f"{total} object{'s' * (total != 1)}: {verified.count(State.IN_SYNC)} in sync" + "".join(
        f", {verified.count(state)} {state.value}" for state in list(State)[1:] if verified.count(state)
    )


def _data(verified: ReleaseStatus, digests: Digests) -> dict[str, Json]:
    revision = verified.revision
    return {
        "release": _release(revision.release),
        "revision": revision.revision,
        "status": revision.status,
        "notes": list(verified.notes),
        "summary": {word: verified.count(state) for state, word in _WORDS.items()}
        | {"pinned": sum(each.pinned for each in verified.objects)},
        "objects": [_object_data(each, digests) for each in verified.objects],
    }


def _object_data(each: ObjectStatus, digests: Digests) -> dict[str, Json]:
    owner = each.owner.release if each.owner else None
    return {
        "object": each.name,
        "kind": each.key.group_kind.kind,
        "apiVersion": each.resource.gvk.api_version,
        "namespace": each.key.namespace,
        "name": each.key.name,
        "state": _WORDS[each.state],
        "pinned": each.pinned,
        "confirmed": each.confirmed,
        "owner": _release(owner) if owner else None,
        "reason": each.why,
        "hints": hint_data(each.next),
        "changes": [
            {"op": change.op, "path": list(change.path), "live": change.before, "stored": change.after}
            for change in difference(each, digests)
        ],
    }


def _release_of(row: ReleaseStatus | Failed) -> ReleaseName:
    return row.release if isinstance(row, Failed) else row.revision.release


def _release(release: ReleaseName) -> dict[str, str]:
    return {"namespace": release.namespace, "name": release.name}


class ReleaseReport(Record):
    """One release that was compared with the cluster, and how it is shown."""

    verified: ReleaseStatus
    digests: Digests
    cluster: CommandHints
    paint: Paint
    verbose: bool = False

    def text(self, *, wide: bool = False) -> str:
        """A line for each object that is not in sync, or for all."""
        verbose = self.verbose or wide
        return verified_text(self.verified, self.digests, self.paint, self.cluster, verbose=verbose)


class ReleasesReport(Record):
    """Several releases that were compared with the cluster, and how they are shown."""

    rows: Sequence[ReleaseStatus | Failed]
    digests: Digests
    cluster: CommandHints
    paint: Paint

    @property
    def not_in_sync(self) -> list[str]:
        """The releases that differ from the cluster, or could not be compared."""
        return [str(_release_of(row)) for row in self.rows if isinstance(row, Failed) or not row.in_sync]


RELEASE_FORMATS: Formats[ReleaseReport] = {
    "table": ReleaseReport.text,
    "wide": lambda report: report.text(wide=True),
    "name": names_of(lambda report: [each.name for each in report.verified.objects if each.state is not State.IN_SYNC]),
    **structured(lambda report: verified_data(report.verified, report.digests, report.cluster.description)),
}
RELEASES_FORMATS: Formats[ReleasesReport] = {
    "table": lambda report: table(report.rows, report.paint),
    "wide": lambda report: table(report.rows, report.paint),
    "name": names_of(lambda report: report.not_in_sync),
    **structured(lambda report: table_data(report.rows, report.digests, report.cluster.description)),
}
