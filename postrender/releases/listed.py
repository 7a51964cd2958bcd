"""All releases that are stored in a namespace or anywhere, told by the labels of their revisions."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.identity import Resource
from postrender.live import Json, ReleaseName, StoredRelease, Unknown
from postrender.releases.payload import Undecodable
from postrender.releases.revisions import Storage, from_labels
from postrender.source import Misshapen, live_object
from postrender.survey import Listing, Survey

ANY = "owner=helm"
"""The label selector for all revisions of all releases, as ``helm list`` has it (``List``, driver/secrets.go)."""


def newest(survey: Survey, namespace: str, storages: Sequence[Storage]) -> dict[ReleaseName, StoredRelease] | Unknown:
    """The newest revision of every release of a namespace (``""``: of all), without its manifest."""
    found: dict[ReleaseName, StoredRelease] = {}
    failures: dict[str, Unknown] = {}
    listings = [Listing(storage.resource, namespace, ANY, _revision) for storage in storages]
    for listing, page in survey.pages(listings):
        for revision in page.kept:
            before = found.get(revision.release)
            if before is None or revision.revision > before.revision:
                found[revision.release] = revision
        if page.failure is not None:
            where = f"{listing.resource.qualified} in {namespace}" if namespace else listing.resource.qualified
            failures[listing.resource.plural] = Unknown(f"{where}: {page.failure.reason}", page.failure.next)
    return _first(failures, storages) if failures else found


def _first(failures: dict[str, Unknown], storages: Sequence[Storage]) -> Unknown:
    """One failure; where another storage could be read, with the flag that tells us to be content with that."""
    first = next(iter(failures.values()))
    others = [storage.resource for storage in storages if storage.resource.plural not in failures]
    flags = [f"--driver {each.gvk.kind.lower()}   (if no release is kept elsewhere)" for each in others]
    return Unknown(first.reason, (*first.next, *flags))


def _revision(resource: Resource, item: Json) -> StoredRelease:
    live = live_object(item, resource.gvk, whole=False)
    try:
        return from_labels(live, ReleaseName(live.key.namespace, live.labels.get("name", "")))
    except Undecodable as error:
        raise Misshapen(str(error)) from error
