"""A move for a reader, as plain values (``move.schema.json``), and the record that undoes it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.helm.ownership import OwnershipMetadata
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    RESOURCE_POLICY,
    Json,
    ReleaseName,
)
from postrender.operations.handover import MOVING, Change, LiveMetadata
from postrender.operations.move import MovePlan, MoveRecord, RecordedObject, RecordedRevision
from postrender.operations.stored_revisions import copy_of
from postrender.report.adopt import NoReport, identity_from, object_data, text
from postrender.report.formats import Formats, names_of, structured
from postrender.text import Paint, counted, hint_data, hint_lines, joined, shorten, wrapped

VERSION = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

KIND = "Move"


class MoveReport(Record):
    """A plan before it is carried out, or afterwards: ``record`` is the file that undoes it then.

    ``undoing`` is set if the plan undoes a move, ``dry_run`` if nothing is going to be written.
    """

    plan: MovePlan
    cluster: CommandHints
    paint: Paint
    record: str = ""
    undoing: bool = False
    dry_run: bool = False
    hints: tuple[str, ...] = ()

    def text(self) -> str:
        """What is written to each object and revision, notes, and a count."""
        return joined(self._lines())

    def _lines(self) -> Iterator[str]:
        plan, width = self.plan, self.paint.width
        heading = f"move from release {plan.source} to release {plan.goal}, {self.cluster.description}"
        for line in wrapped(heading, width=width):
            yield self.paint("bold", line)
        for each in plan.changes:
            yield from wrapped(f"{each.name}: {self._where(each)}", first="  ", rest="      ", width=width)
            yield from value_lines(each, self.paint)
        for each_note in self.notes():
            yield from wrapped(each_note, first="  note: ", rest="        ", width=width)
        yield from wrapped(self._summary(), width=width)
        yield from hint_lines(self.hints, self.paint)

    def _where(self, each: Change) -> str:
        held = self.plan.held.get(each.key, ())
        stored = f"{_revisions(held)} of release {self.plan.source}" if held else "only its metadata changes"
        return stored if each.live is not None else f"{stored}; not in the cluster"

    def notes(self) -> Iterator[str]:
        """What is to be known of the two releases, each a sentence without a full stop."""
        plan = self.plan
        if self.undoing:
            return
        if plan.resumed:
            yield f"resuming an interrupted move of {counted(plan.resumed, 'object')}"
        if plan.left:
            yield (
                f"{_revisions(plan.left)} of release {plan.source} still {'has' if len(plan.left) == 1 else 'have'} "
                "objects that are moved: a rollback to such a revision takes them back, and the next uninstall deletes "
                "them (--newest)"
            )
        newest = plan.revisions[-1].revision
        if any(newest in held for held in plan.held.values()) or plan.nothing:
            yield (
                f"remove the objects from the chart of release {plan.source} before its next upgrade: with them, helm "
                "upgrade fails (invalid ownership metadata)"
            )
        if plan.goal_exists:
            yield f"the next upgrade of release {plan.goal} adopts the objects that its chart has"
        else:
            yield f"release {plan.goal} is not installed: its installation adopts the objects that its chart has"
        if plan.unqualified:
            yield (
                f"the chart of release {plan.goal} has to set metadata.namespace to {plan.source.namespace} in "
                f"{shorten(plan.unqualified)}"
            )

    def _summary(self) -> str:
        plan = self.plan
        if plan.nothing:
            return f"{counted(len(plan.changes), 'object')}; nothing to be written"
        objects = sum(each.changes for each in plan.changes)
        metadata = f"metadata of {counted(objects, 'object')}"
        stored = f"{counted(len(plan.payloads), 'revision')} of release {plan.goal if self.undoing else plan.source}"
        text = f"{stored}, {metadata}"
        if self.record:
            return f"written: {text}"
        return f"would be written: {text} (--dry-run)" if self.dry_run else f"to be written: {text}"

    def data(self) -> Json:
        """For programs; no payload is in it."""
        plan = self.plan
        return {
            "schemaVersion": VERSION,
            "kind": KIND,
            "cluster": self.cluster.description,
            "from": release_data(plan.source),
            "to": release_data(plan.goal),
            "undo": self.undoing,
            "written": bool(self.record),
            "record": self.record,
            "revisions": [each.stored.revision.revision for each in plan.payloads],
            "objects": [
                {
                    "object": each.name,
                    "exists": each.live is not None,
                    "revisions": list(plan.held.get(each.key, ())),
                    "before": (LiveMetadata.of(each.live) if each.live else LiveMetadata()).values,
                    "after": each.after.values,
                }
                for each in plan.changes
            ],
            "notes": list(self.notes()),
            "hints": hint_data(self.hints),
        }


def value_lines(each: Change, paint: Paint) -> Iterator[str]:
    """The values that change on a live object, as a diff."""
    if each.live is None:
        return
    after = each.after.values
    for key, value in LiveMetadata.of(each.live).values.items():
        if value == after[key]:
            continue
        if value is not None:
            yield paint("red", f"      - {key}: {value}")
        if after[key] is not None:
            yield paint("green", f"      + {key}: {after[key]}")


def _revisions(numbers: tuple[int, ...]) -> str:
    return f"revision{'s' * (len(numbers) != 1)} {', '.join(map(str, numbers))}"


def release_data(release: ReleaseName) -> Json:
    """A release as a record has it."""
    return {"namespace": release.namespace, "name": release.name}


def record_bytes(record: MoveRecord) -> bytes:
    """The record as a file holds it: with the old payloads, so that only the user may read it."""
    data = {
        "schemaVersion": VERSION,
        "kind": KIND,
        "cluster": record.cluster,
        "from": release_data(record.source),
        "to": release_data(record.goal),
        "driver": record.driver,
        "newest": record.newest,
        "objects": [object_data(each) for each in record.objects],
        "revisions": [
            {"revision": each.revision, "written": each.digest, "stored": copy_of(each.stored)}
            for each in record.revisions
        ],
    }
    return json.dumps(data, indent=1).encode() + b"\n"


def record_from(data: bytes) -> MoveRecord:
    """The record in a file; raises NoReport."""
    body = record_body(data, KIND)
    try:
        return MoveRecord(
            text(body["cluster"]),
            release_from(body["from"]),
            release_from(body["to"]),
            text(body["driver"]),
            int(body["newest"]),
            tuple(map(object_from, body["objects"])),
            tuple(
                RecordedRevision(int(each["revision"]), text(each["written"]), stored_from(each["stored"]))
                for each in body["revisions"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoReport("it is incomplete") from error


def record_body(data: bytes, kind: str) -> dict[str, Json]:
    """The JSON of a record of ``postrender move``, or of the command that ``kind`` names; raises NoReport."""
    try:
        body = json.loads(data)
    except ValueError as error:
        raise NoReport("it is not JSON") from error
    if not isinstance(body, dict) or body.get("kind") != kind:
        raise NoReport(f"it is not a record of postrender {kind.lower()}")
    if body.get("schemaVersion") != VERSION:
        raise NoReport(f"it has schemaVersion {body.get('schemaVersion')!r}, and this postrender reads {VERSION}")
    return body


def release_from(data: dict[str, Json]) -> ReleaseName:
    """A release of a record; raises KeyError and TypeError."""
    return ReleaseName(text(data["namespace"]), text(data["name"]))


def stored_from(body: Json) -> Json:
    """The copy of a Secret or ConfigMap with a payload; raises KeyError and TypeError."""
    text(body["data"]["release"])
    return body


def object_from(data: dict[str, Json]) -> RecordedObject:
    """An object of a record; raises KeyError and TypeError."""
    return RecordedObject(*identity_from(data), _metadata(data["before"]), _metadata(data["after"]))


def _metadata(data: dict[str, Json]) -> LiveMetadata:
    keys = (MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, RESOURCE_POLICY, MOVING)
    *ownership, policy, moving = (None if data[key] is None else text(data[key]) for key in keys)
    return LiveMetadata(OwnershipMetadata(*ownership), policy, moving)


FORMATS: Formats[MoveReport] = {
    "text": MoveReport.text,
    "name": names_of(lambda report: [each.name for each in report.plan.changes]),
    **structured(MoveReport.data),
}
