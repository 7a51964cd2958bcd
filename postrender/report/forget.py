"""A release that is forgotten or brought back, for a reader, as plain values, and the record of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.models import Json, ReleaseName
from postrender.operations.forget import ForgetRecord
from postrender.operations.handover import Change, LiveMetadata
from postrender.report.adopt import NoReport, object_data, text
from postrender.report.formats import Formats, names_of, structured
from postrender.report.move import (
    object_from,
    record_body,
    release_data,
    release_from,
    stored_from,
    value_lines,
)
from postrender.text import Paint, counted, hint_data, hint_lines, joined, wrapped

VERSION = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

KIND = "Forget"


class ForgetReport(Record):
    """What is to be written, or was if ``record`` names the file that brings the release back.

    ``revisions`` are the names of the Secrets or ConfigMaps that are deleted, or created again if ``undoing``.
    """

    release: ReleaseName
    changes: tuple[Change, ...]
    revisions: tuple[str, ...]
    cluster: CommandHints
    paint: Paint
    record: str = ""
    undoing: bool = False
    dry_run: bool = False
    hints: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing is to be written."""
        return not self.revisions and not any(each.changes for each in self.changes)

    def text(self) -> str:
        """What is written to each object, the revisions, and a count."""
        return joined(self._lines())

    def _lines(self) -> Iterator[str]:
        width = self.paint.width
        heading = f"{'restore' if self.undoing else 'forget'} release {self.release}, {self.cluster.description}"
        for line in wrapped(heading, width=width):
            yield self.paint("bold", line)
        for each in self.changes:
            if each.changes:
                yield from wrapped(each.name, first="  ", rest="      ", width=width)
                yield from value_lines(each, self.paint)
        for name in self.revisions:
            yield from wrapped(f"{name}: {'created' if self.undoing else 'deleted'}", first="  ", width=width)
        yield from wrapped(self._summary(), width=width)
        yield from hint_lines(self.hints, self.paint)

    def _summary(self) -> str:
        if self.nothing:
            return "nothing to be written"
        changed = sum(each.changes for each in self.changes)
        objects = f"metadata of {counted(changed, 'object')} {'restored' if self.undoing else 'removed'}"
        stored = f"{counted(len(self.revisions), 'revision')} {'created' if self.undoing else 'deleted'}"
        if self.record:
            return f"{stored}, {objects}"
        return f"to do: {stored}, {objects}" + ("; nothing was written (--dry-run)" if self.dry_run else "")

    def data(self) -> Json:
        """For programs; no payload is in it."""
        return {
            "schemaVersion": VERSION,
            "kind": KIND,
            "cluster": self.cluster.description,
            "release": release_data(self.release),
            "undo": self.undoing,
            "written": bool(self.record),
            "record": self.record,
            "revisions": list(self.revisions),
            "objects": [
                {
                    "object": each.name,
                    "before": (LiveMetadata.of(each.live) if each.live else LiveMetadata()).values,
                    "after": each.after.values,
                }
                for each in self.changes
                if each.changes
            ],
            "hints": hint_data(self.hints),
        }


def record_bytes(record: ForgetRecord) -> bytes:
    """The record as a file holds it: with the payloads, so that only the user may read it."""
    data = {
        "schemaVersion": VERSION,
        "kind": KIND,
        "cluster": record.cluster,
        "release": release_data(record.release),
        "driver": record.driver,
        "objects": [object_data(each) for each in record.objects],
        "revisions": list(record.revisions),
    }
    return json.dumps(data, indent=1).encode() + b"\n"


def record_from(data: bytes) -> ForgetRecord:
    """The record in a file; raises NoReport."""
    body = record_body(data, KIND)
    try:
        return ForgetRecord(
            text(body["cluster"]),
            release_from(body["release"]),
            text(body["driver"]),
            tuple(map(object_from, body["objects"])),
            tuple(map(stored_from, body["revisions"])),
        )
    except (KeyError, TypeError) as error:
        raise NoReport("it is incomplete") from error


FORMATS: Formats[ForgetReport] = {
    "text": ForgetReport.text,
    "name": names_of(lambda report: [each.name for each in report.changes if each.changes]),
    **structured(ForgetReport.data),
}
