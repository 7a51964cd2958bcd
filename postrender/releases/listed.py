"""All releases that are stored in a namespace or anywhere, told by the labels of their revisions."""

from __future__ import annotations

from postrender.identity import Resource
from postrender.live import Json, ReleaseName, StoredRelease, Unknown
from postrender.releases.payload import Undecodable
from postrender.releases.revisions import NotARecord, Storage, from_labels
from postrender.source import Misshapen, live_object
from postrender.survey import Listing, Survey

ANY = "owner=helm"
"""The label selector for all revisions of all releases, as ``helm list`` has it (``List``, driver/secrets.go)."""


def newest(survey: Survey, namespace: str, kept: Storage) -> dict[ReleaseName, StoredRelease] | Unknown:
    """The newest revision of every release of a namespace (``""``: of all) as its labels tell it, without its manifest.

    A release of which there are only objects that are none of Helm's own counts as uninstalled in revision 0.
    """
    found: dict[ReleaseName, StoredRelease] = {}
    for _, page in survey.pages([Listing(kept.resource, namespace, ANY, _revision)]):
        for revision in page.kept:
            before = found.get(revision.release)
            if before is None or revision.revision > before.revision:
                found[revision.release] = revision
        if page.failure is not None:
            where = f"{kept.resource.qualified} in {namespace}" if namespace else kept.resource.qualified
            return Unknown(f"{where}: {page.failure.reason}", page.failure.next)
    return found


def _revision(resource: Resource, item: Json) -> StoredRelease:
    live = live_object(item, resource.gvk, whole=False)
    release = ReleaseName(live.key.namespace, live.labels.get("name", ""))
    try:
        return from_labels(live, release)
    except NotARecord:
        return StoredRelease(release, 0, "uninstalled")
    except Undecodable as error:
        raise Misshapen(str(error)) from error
