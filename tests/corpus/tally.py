"""What rewriting does to whole streams, counted: every second object is stamped, and the rest is left alone."""

from __future__ import annotations

import copy

from postrender import manifest
from postrender._record import Record, replace
from postrender.errors import ManifestError
from postrender.manifest.edit import splice
from tests.fuzz.oracle import apply, equal, stamps
from tests.tools.goreader import GoReader


class Tally(Record):
    """Numbers of streams, their documents and objects, of objects stamped, and of what must not be: three times 0.

    ``differences`` are documents that Go's reader reads otherwise than the edits meant, ``changed`` documents that no
    edit was for and whose bytes changed, ``refused`` streams that Go accepts and postrender does not.
    """

    streams: int = 0
    documents: int = 0
    objects: int = 0
    stamped: int = 0
    differences: int = 0
    changed: int = 0
    refused: int = 0

    @property
    def lines(self) -> list[str]:
        """One line a number, for a person."""
        said = {
            "streams": self.streams,
            "documents": self.documents,
            "objects": self.objects,
            "objects stamped": self.stamped,
            "semantic differences as Go reads them": self.differences,
            "untouched documents changed": self.changed,
            "streams refused that Go accepts": self.refused,
        }
        return [f"{number:6}  {what}" for what, number in said.items()]


def tally(data: bytes, go: GoReader, before: Tally | None = None) -> Tally:
    """The numbers of one stream, added to those of others."""
    found = before or Tally()
    found = replace(found, streams=found.streams + 1)
    try:
        stream = manifest.read(data)
        edits = stamps(stream.objects[::2])
        output = splice(stream, edits).data
    except ManifestError:
        return replace(found, refused=found.refused + (not go.read(data).error))
    meant = [copy.deepcopy(document.value) for document in go.read(data).documents]
    now = [document.value for document in go.read(output).documents]
    seen = [document for document in stream.documents if document.skip_reason != "empty"]
    filled = [value for value in meant if value is not None]
    for edit in edits:
        value = filled[seen.index(stream.documents[edit.ref.document])]
        for index in edit.ref.path:
            value = value["items"][index]
        apply(value, edit)
    wrong = sum(not equal(*pair) for pair in zip(meant, now, strict=False)) + abs(len(meant) - len(now))
    touched = {edit.ref.document for edit in edits}
    again = manifest.read(output)
    same = [
        data[one.start : one.end] == output[other.start : other.end]
        for one, other in zip(stream.documents, again.documents, strict=True)
        if one.index not in touched
    ]
    return Tally(
        found.streams,
        found.documents + len(stream.documents),
        found.objects + len(stream.objects),
        found.stamped + len({(edit.ref.document, edit.ref.path) for edit in edits}),
        found.differences + wrong,
        found.changed + same.count(False),
        found.refused,
    )
