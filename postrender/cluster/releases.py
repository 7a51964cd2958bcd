"""The stored revisions of releases, read from the cluster: labels from a list, payloads only if they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from postrender.cluster.diagnose import Kubectl, RequestContext, describe_failure, unexpected_response
from postrender.cluster.http import RequestFailed, Transport
from postrender.cluster.interface import Lister, Listing, NotAnObject, ObjectLookup, live_object
from postrender.cluster.parallel import map_concurrently
from postrender.cluster.reads import PageCursor, page, read
from postrender.helm import storage
from postrender.helm.storage import Storage, StoredObject
from postrender.helm.storage.records import Choose
from postrender.helm.storage.revisions import NotARecord, Undecodable, from_labels
from postrender.models import Found, Json, LiveObject, ReleaseName, Resource, StoredRelease, Unknown

Skip = Callable[[str], None]
"""Told of every object that has a release's labels and is not a revision of it."""


def stored(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip, *, manifest: bool
) -> tuple[StoredRelease, ...] | Unknown:
    """All revisions, oldest first; with ``manifest``, those that Helm would read have their manifests."""
    found = _stored(transport, name, driver, kubectl, skip, storage.revisions_to_read if manifest else lambda _: ())
    return found if isinstance(found, Unknown) else tuple(whole.revision if whole else part for part, whole in found)


def payloads(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip
) -> tuple[StoredObject, ...] | Unknown:
    """All revisions with their manifests and objects, oldest first."""
    found = _stored(transport, name, driver, kubectl, skip, tuple)
    return found if isinstance(found, Unknown) else tuple(whole for _, whole in found if whole)


def _stored(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip, choose: Choose
) -> list[tuple[StoredRelease, StoredObject | None]] | Unknown:
    """Every revision as its labels tell it, ascending, and read whole where it is chosen."""
    kept = storage.storage(driver)
    if isinstance(kept, Unknown):
        return Unknown(kept.reason, kubectl.completed(("postrender doctor",)))
    asked = RequestContext("list", kept.resource, name.namespace)
    late: LiveObject | Unknown = describe_failure(RequestFailed.late(transport.total_timeout), kubectl, asked)

    def read_whole(live_objects: Sequence[LiveObject]) -> list[LiveObject | Unknown]:
        return map_concurrently(
            lambda live: _whole(transport, live, kept, kubectl),
            live_objects,
            total_timeout=transport.total_timeout,
            default=late,
        )

    try:
        return storage.history(_listed(transport, name, kept, kubectl), name, kept, read_whole, choose, skip, kubectl)
    except storage.HistoryUnclear as error:
        return error.why
    except (NotAnObject, storage.Undecodable) as error:
        return unexpected_response(str(error), kubectl, asked)


def _listed(transport: Transport, name: ReleaseName, kept: Storage, kubectl: Kubectl) -> list[LiveObject]:
    """The objects of all revisions; raises releases.HistoryUnclear."""
    listing = Listing(kept.resource, name.namespace, storage.selector(name.name), _revision)
    found: list[LiveObject] = []
    place: PageCursor | None = PageCursor()
    while place is not None:
        part, place = page(transport, listing, place, kubectl)
        if part.failure is not None:
            raise storage.HistoryUnclear(part.failure)
        if not part.seen:
            # The list was restarted.
            found.clear()
        found.extend(part.kept)
    return found


def _revision(resource: Resource, item: Json) -> LiveObject:
    return live_object(item, resource.gvk, whole=False)


def _whole(transport: Transport, live: LiveObject, kept: Storage, kubectl: Kubectl) -> LiveObject | Unknown:
    """The object with its payload, if it is still as it was listed."""
    wanted = ObjectLookup(kept.resource, live.key.namespace, live.key.name, body=True)
    answer = read(transport, wanted, kubectl)
    if isinstance(answer, Unknown):
        return answer
    asked = RequestContext("list", kept.resource, live.key.namespace)
    if not isinstance(answer, Found):
        return unexpected_response(f"{live.key.name} went away while it was read", kubectl, asked)
    if answer.live.labels != live.labels:
        return unexpected_response(f"{live.key.name} changed while it was read", kubectl, asked)
    return answer.live


ANY = "owner=helm"
"""The label selector for all revisions of all releases, as ``helm list`` has it (``List``, driver/secrets.go)."""


def newest(survey: Lister, namespace: str, kept: Storage) -> dict[ReleaseName, StoredRelease] | Unknown:
    """The newest revision of each release of a namespace (``""``: all), from its labels, without its manifest.

    A release of which there are only objects that are none of Helm's own counts as uninstalled in revision 0.
    """
    found: dict[ReleaseName, StoredRelease] = {}
    for _, found_page in survey.pages([Listing(kept.resource, namespace, ANY, _stored_release)]):
        for revision in found_page.kept:
            before = found.get(revision.release)
            if before is None or revision.revision > before.revision:
                found[revision.release] = revision
        if found_page.failure is not None:
            where = f"{kept.resource.qualified} in {namespace}" if namespace else kept.resource.qualified
            return Unknown(f"{where}: {found_page.failure.reason}", found_page.failure.next)
    return found


def _stored_release(resource: Resource, item: Json) -> StoredRelease:
    live = live_object(item, resource.gvk, whole=False)
    release = ReleaseName(live.key.namespace, live.labels.get("name", ""))
    try:
        return from_labels(live, release)
    except NotARecord:
        return StoredRelease(release, 0, "uninstalled")
    except Undecodable as error:
        raise NotAnObject(str(error)) from error
