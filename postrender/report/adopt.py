"""Adoptions for a reader, and as the report that undoes them (``adoption.schema.json`` describes it)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from postrender._record import Record
from postrender.helm.ownership import Ownership, OwnershipMetadata
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    GroupVersionKind,
    Json,
    ObjectKey,
    ReleaseName,
    Resource,
    object_name,
)
from postrender.operations.adopt import Adoption, AdoptionRecord, TakenFields
from postrender.operations.move import RecordedObject
from postrender.report.formats import Formats, structured
from postrender.text import Paint, joined, shorten, wrapped

VERSION = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

KIND = "Adoption"


class NoReport(Exception):
    """Something is no report of adoptions; the message is one sentence without a full stop."""


class Report(Record):
    """What was written, for which release, and how many other releases were read for who else holds it."""

    cluster: str
    release: ReleaseName
    written: tuple[AdoptionRecord, ...]
    read: int = 0


def preview(adoptions: Sequence[Adoption], heading: str, paint: Paint, note: str = "", *, verbose: bool = True) -> str:
    """What will be written to each object, value by value; ``note`` is a sentence without a full stop.

    Without ``verbose``, objects that need no change are only counted.
    """
    lines = [paint("bold", line) for line in wrapped(heading, width=paint.width)]
    for each in adoptions:
        if not each.changes and not verbose:
            continue
        lines += wrapped(f"{each.name}: {_owner_text(each)}", first="  ", rest="      ", width=paint.width)
        lines += _values(each, paint)
    if note:
        lines += wrapped(f"note: {note}", first="  ", rest="      ", width=paint.width)
    count = sum(each.changes for each in adoptions)
    same = len(adoptions) - count
    already = f"; {same} in this release already" if same and not verbose else ""
    what = "ownership metadata and field managers" if any(each.fields for each in adoptions) else "ownership metadata"
    lines.append(f"{count} object{'s' * (count != 1)} to be written ({what} only){already}")
    return joined(lines)


def adoption_data(report: Report) -> dict[str, Json]:
    """The report as JSON values."""
    return {
        "schemaVersion": VERSION,
        "kind": KIND,
        "cluster": report.cluster,
        "release": {"namespace": report.release.namespace, "name": report.release.name},
        "otherReleasesRead": report.read,
        "objects": [{**object_data(each), **_fields_data(each.fields)} for each in report.written],
    }


def object_data(each: AdoptionRecord | RecordedObject) -> dict[str, Json]:
    """One object as a report or a record has it: which it was, and its metadata before and after."""
    return {
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


def identity_from(data: dict[str, Json]) -> tuple[Resource, ObjectKey, str]:
    """Which object ``object_data`` described, and its uid; raises KeyError and TypeError."""
    gvk = GroupVersionKind.parse(text(data["apiVersion"]), text(data["kind"]))
    resource = Resource(gvk, text(data["resource"]), data["namespaced"] is True)
    return resource, ObjectKey(gvk.group_kind, text(data["namespace"]), text(data["name"])), text(data["uid"])


def _fields_data(fields: TakenFields | None) -> dict[str, Json]:
    if fields is None:
        return {}
    return {"managedFields": {"before": list(fields.before), "after": list(fields.after)}}


def report_of(adoptions: Sequence[Adoption], cluster: str, release: ReleaseName, read: int = 0) -> Report:
    """What is about to be written; ``read`` as in ``Report``."""
    written = [
        AdoptionRecord(each.resource, each.live.key, each.live.uid, each.before, each.after, each.fields)
        for each in adoptions
        if each.changes
    ]
    return Report(cluster, release, tuple(written), read)


def report_from(data: bytes) -> Report:
    """The report in a file; raises NoReport."""
    try:
        data = json.loads(data)
    except ValueError as error:
        raise NoReport("it is not JSON") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise NoReport("it is not a report of postrender adopt")
    if data.get("schemaVersion") != VERSION:
        raise NoReport(f"it has schemaVersion {data.get('schemaVersion')!r}, and this postrender reads {VERSION}")
    try:
        release = ReleaseName(text(data["release"]["namespace"]), text(data["release"]["name"]))
        return Report(text(data["cluster"]), release, tuple(map(_written, data["objects"])))
    except (KeyError, TypeError) as error:
        raise NoReport("it is incomplete") from error


def _owner_text(each: Adoption) -> str:
    ownership = each.owner.ownership
    if not each.changes:
        return "in this release already"
    if ownership is Ownership.OURS:
        return "in this release"
    if ownership is Ownership.OURS_KEPT:
        return "to be as it was before"
    if ownership is Ownership.ORPHAN:
        return f"kept by release {each.owner.release}, which is gone"
    return "without a Helm owner"


def _values(each: Adoption, paint: Paint) -> Iterator[str]:
    after = each.after.values
    for key, value in each.before.values.items():
        if value == after[key]:
            continue
        if value is not None:
            yield paint("red", f"      - {key}: {value}")
        if after[key] is not None:
            yield paint("green", f"      + {key}: {after[key]}")
    for manager, paths in each.fields.paths.items() if each.fields else ():
        text = f"from {manager} to Helm: {shorten(paths)}"
        yield from wrapped(text, first="      ", rest="        ", width=paint.width)


def _written(data: dict[str, Json]) -> AdoptionRecord:
    before, after = (_metadata_from(data[name]) for name in ("before", "after"))
    return AdoptionRecord(*identity_from(data), before, after, _fields_from(data.get("managedFields")))


def _fields_from(data: Json) -> TakenFields | None:
    if data is None:
        return None
    before, after = data["before"], data["after"]
    if not all(isinstance(entry, dict) for entry in (*before, *after)):
        raise TypeError("no entries")
    return TakenFields(before, after)


def _metadata_from(data: dict[str, Json]) -> OwnershipMetadata:
    values = [None if data[key] is None else text(data[key]) for key in (MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE)]
    return OwnershipMetadata(*values)


def text(value: Json) -> str:
    """The value, if it is a text; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


class AdoptReport(Record):
    """Adoptions before they are written: the report, and the text of them."""

    report: Report
    text: str


FORMATS: Formats[AdoptReport] = {
    "text": lambda given: given.text,
    **structured(lambda given: adoption_data(given.report)),
}
