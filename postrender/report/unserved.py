"""Stored objects of removed APIs for a reader at a terminal, and as plain values (``unserved.schema.json``)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.models import Json
from postrender.operations.unserved import UnservedObject, UnservedRelease, UnservedRevision
from postrender.report.formats import Formats, names_of, structured
from postrender.report.orphans import columns
from postrender.text import Hint, Paint, counted, hint_data, hint_lines, joined, wrapped

VERSION = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""


class UnservedReport(Record):
    """What was found, or done if ``backup`` names the file with the old payloads.

    ``dry_run`` is set if changes were asked for and none are to be made; ``verbose`` shows every revision.
    """

    found: UnservedRelease
    cluster: CommandHints
    paint: Paint
    backup: str = ""
    dry_run: bool = False
    verbose: bool = False

    def text(self, *, wide: bool = False) -> str:
        """A line for each object, what fails because of it, and a count."""
        return joined(self._lines(wide=wide))

    def _lines(self, *, wide: bool) -> Iterator[str]:
        found, width = self.found, self.paint.width
        yield from wrapped(f"release {found.release}, {self.cluster.description}", width=width)
        rows = [row for each in found.revisions for row in self._rows(each)]
        if rows:
            titles = ["REVISION", "STATUS", "OBJECT", "APIVERSION", "SERVED AS", *(["TEMPLATE"] if wide else [])]
            yield from columns(titles, rows, self.paint)
        for text in dict.fromkeys(_note(each) for revision in found.affected for each in revision.objects):
            yield from wrapped(text, first="note: ", rest="      ", width=width) if text else ()
        for each in found.affected:
            for one in each.objects:
                if one.rejected:
                    text = (
                        f"helm rollback to revision {each.stored.revision.revision} will be rejected, because the "
                        f"fields of {one.name} do not fit {one.replacement.api_version}: {one.rejected}"
                    )
                    yield from wrapped(text, first="note: ", rest="      ", width=width)
            if each.edited and each.edited.reserialized:
                text = f"revision {each.stored.revision.revision}: a document is serialized again; its values stay"
                yield from wrapped(text, first="note: ", rest="      ", width=width)
            if each.stored.revision.status.startswith("pending-"):
                text = (
                    f"revision {each.stored.revision.revision} is {each.stored.revision.status}: a running Helm may "
                    "write it again; if so, run this again"
                )
                yield from wrapped(text, first="note: ", rest="      ", width=width)
        if not self.backup:
            yield from self._failing()
        yield from wrapped(self._summary(), width=width)
        yield from hint_lines(self._hints(), self.paint)

    def _rows(self, revision: UnservedRevision) -> Iterator[tuple[str, ...]]:
        number, status = str(revision.stored.revision.revision), revision.stored.revision.status
        for each in revision.objects:
            now = each.replacement.api_version or ("blocked" if each.replacement.blocked else "removed")
            yield number, status, each.name, each.ref.gvk.api_version, now, each.template
        if self.verbose and not revision.objects:
            yield number, status, "-", "-", "-", ""

    def _failing(self) -> Iterator[str]:
        commands = [f"helm {command}" for command in self.found.fails]
        if commands:
            text = (
                f"{', '.join(commands)} {'fails' if len(commands) == 1 else 'fail'}: unable to build kubernetes objects"
            )
            yield from wrapped(text, first="note: ", rest="      ", width=self.paint.width)
        elif self.found.affected:
            numbers = ", ".join(str(each.stored.revision.revision) for each in self.found.affected)
            text = f"helm rollback to revision {numbers} fails: unable to build kubernetes objects"
            yield from wrapped(text, first="note: ", rest="      ", width=self.paint.width)

    def _summary(self) -> str:
        total, count = counted(len(self.found.revisions), "revision"), len(self.found.affected)
        if not count:
            return f"{total}, all of their APIs are served. Nothing was written."
        if self.backup:
            return f"{total}, {count} changed."
        if self.dry_run:
            return f"{total}, {count} would be changed; nothing was written (--dry-run)."
        return f"{total}, {count} with removed APIs."

    def _hints(self) -> Iterator[str]:
        release = self.found.release
        if self.backup:
            restore = self.cluster.kubectl(f"replace -f {shlex.quote(self.backup)}")
            yield Hint(restore, "to restore the old revisions")
            return
        blocked = [one.replacement for each in self.found.affected for one in each.objects if one.replacement.blocked]
        if blocked:
            yield from dict.fromkeys(step for each in blocked for step in each.next)
        elif self.found.affected:
            yield self.cluster.typed(f"postrender unserved {release.name}", release.namespace) + " --fix"

    def data(self) -> Json:
        """For programs."""
        release = self.found.release
        return {
            "schemaVersion": VERSION,
            "kind": "Unserved",
            "cluster": self.cluster.description,
            "release": {"namespace": release.namespace, "name": release.name},
            "upgradesFrom": self.found.base,
            "fails": list(self.found.fails),
            "written": bool(self.backup),
            "backup": self.backup,
            "revisions": [
                {
                    "revision": each.stored.revision.revision,
                    "status": each.stored.revision.status,
                    "reserialized": bool(each.edited and each.edited.reserialized),
                    "objects": [_object(one) for one in each.objects],
                }
                for each in self.found.revisions
            ],
            "hints": hint_data(self._hints()),
        }


def _note(each: UnservedObject) -> str:
    """What is to be known of a kind that is removed, or that cannot be."""
    if not each.replacement.reason:
        return ""
    return f"{each.ref.gvk}: {each.replacement.reason}"


def _object(each: UnservedObject) -> Json:
    return {
        "object": each.name,
        "kind": each.ref.gvk.kind,
        "apiVersion": each.ref.gvk.api_version,
        "namespace": each.ref.namespace,
        "name": each.ref.name,
        "template": each.template,
        "servedAs": each.replacement.api_version,
        "action": "block" if each.replacement.blocked else "rewrite" if each.replacement.served else "remove",
        "reason": each.replacement.reason,
        "rejected": each.rejected,
    }


FORMATS: Formats[UnservedReport] = {
    "table": UnservedReport.text,
    "wide": lambda report: report.text(wide=True),
    "name": names_of(
        lambda report: list(dict.fromkeys(one.name for each in report.found.affected for one in each.objects))
    ),
    **structured(UnservedReport.data),
}
