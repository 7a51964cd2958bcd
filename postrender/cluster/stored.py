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
from postrender.source import Misshapen, Wanted, live_object
from postrender.survey import Listing


class _Unclear(Exception):
    """The list could not be read; carries why."""

    def __init__(self, why: Unknown) -> None:
        self.why = why


def stored(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl, *, manifest: bool
) -> tuple[StoredRelease, ...] | Unknown:
    """Every revision, ascending; those of ``releases.needed`` with their manifest where it is asked for."""
    found = _stored(transport, name, driver, kubectl, releases.needed if manifest else lambda _: ())
    return found if isinstance(found, Unknown) else tuple(whole.revision if whole else told for told, whole in found)


def payloads(
    transport: Transport, name: ReleaseName, driver: str, kubectl: Kubectl
) -> tuple[StoredObject, ...] | Unknown:
    """Every revision with its manifest, and the object that holds it, ascending."""
    found = _stored(transport, name, driver, kubectl, tuple)
    return found if isinstance(found, Unknown) else tuple(whole for _, whole in found if whole)


def _stored(
    transport: Transport,
    name: ReleaseName,
    driver: str,
    kubectl: Kubectl,
    choose: Callable[[tuple[StoredRelease, ...]], Sequence[StoredRelease]],
) -> list[tuple[StoredRelease, StoredObject | None]] | Unknown:
    """Every revision as its labels tell it, ascending, and read whole where it is chosen."""
    kept = releases.storage(driver)
    if isinstance(kept, Unknown):
        return kept
    asked = Asked("list", kept.resource, name.namespace)
    late: StoredObject | Unknown = Unknown(f"no answer within {transport.patience:g} s")
    try:
        told = [(releases.from_labels(live, name), live) for live in _listed(transport, name, kept, kubectl)]
        revisions = releases.ascending([revision for revision, _ in told])
        named = dict(told)
        chosen = list(choose(revisions))
        answers = each(
            lambda revision: _whole(transport, revision, named[revision], kept, kubectl),
            chosen,
            patience=transport.patience,
            given_up=late,
        )
    except _Unclear as error:
        return error.why
    except (Misshapen, releases.Undecodable) as error:
        return misunderstood(str(error), kubectl, asked)
    whole: dict[StoredRelease, StoredObject] = {}
    for revision, answer in zip(chosen, answers, strict=True):
        if isinstance(answer, Unknown):
            return answer
        whole[revision] = answer
    return [(revision, whole.get(revision)) for revision in revisions]


def _listed(transport: Transport, name: ReleaseName, kept: Storage, kubectl: Kubectl) -> list[LiveObject]:
    """The objects of all revisions; raises _Unclear."""
    listing = Listing(kept.resource, name.namespace, releases.selector(name.name), _revision)
    found: list[LiveObject] = []
    place: Place | None = Place()
    while place is not None:
        told, place = page(transport, listing, place, kubectl)
        if told.failure is not None:
            raise _Unclear(told.failure)
        if not told.seen:
            # The list was begun anew.
            found.clear()
        found.extend(told.kept)
    return found


def _revision(resource: Resource, item: Json) -> LiveObject:
    return live_object(item, resource.gvk, whole=False)


def _whole(
    transport: Transport, revision: StoredRelease, live: LiveObject, kept: Storage, kubectl: Kubectl
) -> StoredObject:
    wanted = Wanted(kept.resource, live.key.namespace, live.key.name, body=True)
    answer = read(transport, wanted, kubectl)
    if isinstance(answer, Found):
        if releases.from_labels(answer.live, revision.release) != revision:
            raise releases.Undecodable(f"revision {revision.revision} changed while it was read")
        completed = releases.completed(revision, answer.live.body.get("data"), wrapped=kept.wrapped)
        return StoredObject(completed, answer.live, kept)
    if isinstance(answer, Unknown):
        raise _Unclear(answer)
    raise releases.Undecodable(f"revision {revision.revision} went away while it was read")
