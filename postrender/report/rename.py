"""A rename for a reader, and as plain values (``rename.schema.json``)."""

from __future__ import annotations

from collections.abc import Iterator

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.models import Json
from postrender.operations.rename import RenamePlan
from postrender.report.formats import Formats, names_of, structured
from postrender.report.move import release_data, value_lines
from postrender.text import Paint, counted, hint_data, hint_lines, joined, wrapped

VERSION = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""


class RenameReport(Record):
    """What is to be written, or was if ``written``; ``backup`` names the file with the old revisions."""

    plan: RenamePlan
    cluster: CommandHints
    paint: Paint
    backup: str = ""
    written: bool = False
    dry_run: bool = False
    hints: tuple[str, ...] = ()

    @property
    def revisions(self) -> tuple[int, ...]:
        """The revisions that get another name, ascending."""
        plan = self.plan
        return tuple(sorted({each.revision.revision for each in (*plan.stored, *plan.hidden)}))

    def text(self) -> str:
        """What is written to each object, the revisions, and a count."""
        return joined(self._lines())

    def _lines(self) -> Iterator[str]:
        plan, width = self.plan, self.paint.width
        heading = f"rename release {plan.old} to {plan.new}, {self.cluster.description}"
        for line in wrapped(heading, width=width):
            yield self.paint("bold", line)
        for each in plan.changes:
            yield from wrapped(each.name, first="  ", rest="      ", width=width)
            yield from value_lines(each, self.paint)
        for difference in plan.differences:
            text = f"the next upgrade changes {difference}"
            yield from wrapped(text, first="  note: ", rest="        ", width=width)
        changed = sum(each.changes for each in plan.changes)
        text = f"{counted(len(self.revisions), 'revision')} renamed, metadata of {counted(changed, 'object')} changed"
        dry_run = "; nothing was written (--dry-run)" if self.dry_run else ""
        yield from wrapped(text if self.written else f"to do: {text}{dry_run}", width=width)
        yield from hint_lines(self.hints, self.paint)

    def data(self) -> Json:
        """For programs; no payload is in it."""
        plan = self.plan
        return {
            "schemaVersion": VERSION,
            "kind": "Rename",
            "cluster": self.cluster.description,
            "from": release_data(plan.old),
            "to": release_data(plan.new),
            "written": self.written,
            "backup": self.backup,
            "revisions": list(self.revisions),
            "objects": [each.name for each in plan.changes if each.changes],
            "differences": list(plan.differences),
            "hints": hint_data(self.hints),
        }


FORMATS: Formats[RenameReport] = {
    "text": RenameReport.text,
    "name": names_of(lambda report: [each.name for each in report.plan.changes if each.changes]),
    **structured(RenameReport.data),
}
