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
    GroupVersionKind,
    Json,
    ObjectKey,
    ReleaseName,
    Resource,
    object_name,
)
from postrender.operations.handover import MOVING, Change, LiveMetadata
from postrender.operations.move import MovePlan, MoveRecord, RecordedObject, RecordedRevision
from postrender.operations.stored_revisions import copy_of
from postrender.report.adopt import NoReport
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
            yield from self._values(each)
        for text in self.notes():
            yield from wrapped(text, first="  note: ", rest="        ", width=width)
        yield from wrapped(self._summary(), width=width)
        yield from hint_lines(self.hints, self.paint)

    def _where(self, each: Change) -> str:
        held = self.plan.held.get(each.key, ())
        stored = f"{_revisions(held)} of release {self.plan.source}" if held else "only its metadata changes"
        return stored if each.live is not None else f"{stored}; not in the cluster"

    def _values(self, each: Change) -> Iterator[str]:
        if each.live is None:
            return
        after = each.after.values
        for key, value in LiveMetadata.of(each.live).values.items():
            if value == after[key]:
                continue
            if value is not None:
                yield self.paint("red", f"      - {key}: {value}")
            if after[key] is not None:
                yield self.paint("green", f"      + {key}: {after[key]}")

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
            "from": _release(plan.source),
            "to": _release(plan.goal),
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


def _revisions(numbers: tuple[int, ...]) -> str:
    return f"revision{'s' * (len(numbers) != 1)} {', '.join(map(str, numbers))}"


def _release(release: ReleaseName) -> Json:
    return {"namespace": release.namespace, "name": release.name}


def record_bytes(record: MoveRecord) -> bytes:
    """The record as a file holds it: with the old payloads, so that only the user may read it."""
    data = {
        "schemaVersion": VERSION,
        "kind": KIND,
        "cluster": record.cluster,
        "from": _release(record.source),
        "to": _release(record.goal),
        "driver": record.driver,
        "newest": record.newest,
        "objects": [
            {
                "object": object_name(each.resource, each.key),
                "apiVersion": each.resource.gvk.api_version,
                "kind": each.resource.gvk.kind,
                "resource": each.resource.plural,
                "namespaced": each.resource.namespaced,
                "namespace": each.key.namespace,
                "name": each.key.name,
                "uid": each.uid,
                "before": each.before.values,
                "after": each.after.values,
            }
            for each in record.objects
        ],
        "revisions": [
            {"revision": each.revision, "written": each.digest, "stored": copy_of(each.stored)}
            for each in record.revisions
        ],
    }
    return json.dumps(data, indent=1).encode() + b"\n"


def record_from(data: bytes) -> MoveRecord:
    """The record in a file; raises NoReport."""
    try:
        data = json.loads(data)
    except ValueError as error:
        raise NoReport("it is not JSON") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise NoReport("it is not a record of postrender move")
    if data.get("schemaVersion") != VERSION:
        raise NoReport(f"it has schemaVersion {data.get('schemaVersion')!r}, and this postrender reads {VERSION}")
    try:
        return MoveRecord(
            _text(data["cluster"]),
            *(ReleaseName(_text(data[end]["namespace"]), _text(data[end]["name"])) for end in ("from", "to")),
            _text(data["driver"]),
            int(data["newest"]),
            tuple(map(_object, data["objects"])),
            tuple(
                RecordedRevision(int(each["revision"]), _text(each["written"]), _stored(each["stored"]))
                for each in data["revisions"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoReport("it is not whole") from error


def _stored(body: Json) -> Json:
    _text(body["data"]["release"])
    return body


def _object(data: dict[str, Json]) -> RecordedObject:
    gvk = GroupVersionKind.parse(_text(data["apiVersion"]), _text(data["kind"]))
    resource = Resource(gvk, _text(data["resource"]), data["namespaced"] is True)
    key = ObjectKey(gvk.group_kind, _text(data["namespace"]), _text(data["name"]))
    return RecordedObject(resource, key, _text(data["uid"]), _metadata(data["before"]), _metadata(data["after"]))


def _metadata(data: dict[str, Json]) -> LiveMetadata:
    keys = (MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, RESOURCE_POLICY, MOVING)
    *ownership, policy, moving = (None if data[key] is None else _text(data[key]) for key in keys)
    return LiveMetadata(OwnershipMetadata(*ownership), policy, moving)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


FORMATS: Formats[MoveReport] = {
    "text": MoveReport.text,
    "name": names_of(lambda report: [each.name for each in report.plan.changes]),
    **structured(MoveReport.data),
}
