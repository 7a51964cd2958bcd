"""The stored revisions of a release: their labels from a list, and the payloads that matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from postrender import releases
from postrender.cluster.explain import Asked, Kubectl, misunderstood
from postrender.cluster.listing import Place, page
from postrender.cluster.parallel import each
from postrender.cluster.reading import read
from postrender.cluster.transport import Transport
from postrender.identity import Resource
from postrender.live import Found, Json, LiveObject, ReleaseName, StoredRelease, Unknown
from postrender.releases import Storage, StoredObject
from postrender.releases.records import Choose
from postrender.source import Misshapen, Wanted, live_object
from postrender.survey import Listing

Skip = Callable[[str], None]
"""Told of every object that has a release's labels and is no revision of it."""


def stored(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip, *, manifest: bool
) -> tuple[StoredRelease, ...] | Unknown:
    """Every revision, ascending; those of ``releases.needed`` with their manifest where it is asked for."""
    found = _stored(transport, name, driver, kubectl, skip, releases.needed if manifest else lambda _: ())
    return found if isinstance(found, Unknown) else tuple(whole.revision if whole else told for told, whole in found)


def payloads(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip
) -> tuple[StoredObject, ...] | Unknown:
    """Every revision with its manifest, and the object that holds it, ascending."""
    found = _stored(transport, name, driver, kubectl, skip, tuple)
    return found if isinstance(found, Unknown) else tuple(whole for _, whole in found if whole)


def _stored(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, skip: Skip, choose: Choose
) -> list[tuple[StoredRelease, StoredObject | None]] | Unknown:
    """Every revision as its labels tell it, ascending, and read whole where it is chosen."""
    kept = releases.storage(driver)
    if isinstance(kept, Unknown):
        return kept
    asked = Asked("list", kept.resource, name.namespace)
    late: LiveObject | Unknown = Unknown(f"no answer within {transport.patience:g} s")

    def read_whole(lives: Sequence[LiveObject]) -> list[LiveObject | Unknown]:
        return each(
            lambda live: _whole(transport, live, kept, kubectl), lives, patience=transport.patience, given_up=late
        )

    try:
        return releases.history(_listed(transport, name, kept, kubectl), name, kept, read_whole, choose, skip, kubectl)
    except releases.Unclear as error:
        return error.why
    except (Misshapen, releases.Undecodable) as error:
        return misunderstood(str(error), kubectl, asked)


def _listed(transport: Transport, name: ReleaseName, kept: Storage, kubectl: Kubectl) -> list[LiveObject]:
    """The objects of all revisions; raises releases.Unclear."""
    listing = Listing(kept.resource, name.namespace, releases.selector(name.name), _revision)
    found: list[LiveObject] = []
    place: Place | None = Place()
    while place is not None:
        told, place = page(transport, listing, place, kubectl)
        if told.failure is not None:
            raise releases.Unclear(told.failure)
        if not told.seen:
            # The list was begun anew.
            found.clear()
        found.extend(told.kept)
    return found


def _revision(resource: Resource, item: Json) -> LiveObject:
    return live_object(item, resource.gvk, whole=False)


def _whole(transport: Transport, live: LiveObject, kept: Storage, kubectl: Kubectl) -> LiveObject | Unknown:
    """The object with its payload, if it is still as it was listed."""
    wanted = Wanted(kept.resource, live.key.namespace, live.key.name, body=True)
    answer = read(transport, wanted, kubectl)
    if isinstance(answer, Unknown):
        return answer
    asked = Asked("list", kept.resource, live.key.namespace)
    if not isinstance(answer, Found):
        return misunderstood(f"{live.key.name} went away while it was read", kubectl, asked)
    if answer.live.labels != live.labels:
        return misunderstood(f"{live.key.name} changed while it was read", kubectl, asked)
    return answer.live
