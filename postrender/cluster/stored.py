"""The stored revisions of a release: their labels from a list, and the payloads that matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from postrender import releases
from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.explain import Asked, Kubectl, misunderstood, unclear
from postrender.cluster.parallel import each
from postrender.cluster.reading import read
from postrender.cluster.transport import Transport, segment
from postrender.live import Found, Json, LiveObject, ReleaseName, StoredRelease, Unknown
from postrender.releases import Storage, StoredObject
from postrender.source import Misshapen, Wanted, live_object

METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

PAGE = 250
"""Revisions in one answer; Helm keeps 10 of each release unless told otherwise (``--history-max``)."""

MAX_PAGES = 100
"""A list that goes on for longer does not end."""


class _Unclear(Exception):
    """The list could not be read; carries why."""

    def __init__(self, why: Unknown, *, expired: bool = False) -> None:
        self.why = why
        self.expired = expired


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
        told = [(releases.from_labels(live, name), live) for live in _listed(transport, name, kept, kubectl, asked)]
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


def _listed(transport: Transport, name: ReleaseName, kept: Storage, kubectl: Kubectl, asked: Asked) -> list[LiveObject]:
    """All pages; from the start once more where the server forgot where we were (410)."""
    try:
        return _pages(transport, name, kept, kubectl, asked)
    except _Unclear as error:
        if not error.expired:
            raise
    return _pages(transport, name, kept, kubectl, asked)


def _pages(transport: Transport, name: ReleaseName, kept: Storage, kubectl: Kubectl, asked: Asked) -> list[LiveObject]:
    path = kept.resource.path(segment(name.namespace), "")
    query = {"labelSelector": releases.selector(name.name), "limit": str(PAGE)}
    found: list[LiveObject] = []
    for _ in range(MAX_PAGES):
        outcome = transport.request("GET", path, query=urlencode(query), accept=METADATA_LIST)
        if isinstance(outcome, NoAnswer) or outcome.status != 200:
            expired = isinstance(outcome, Answer) and outcome.status == 410 and "continue" in query
            raise _Unclear(unclear(outcome, kubectl, asked), expired=expired)
        body = outcome.json()
        found.extend(live_object(item, kept.resource.gvk, whole=False) for item in _items(body, kept))
        onward = (body.get("metadata") or {}).get("continue")
        if not onward:
            return found
        query["continue"] = onward
    raise _Unclear(misunderstood("its list does not end", kubectl, asked))


def _items(body: Json, kept: Storage) -> list[Json]:
    """The items of one page; raises Misshapen where it is none."""
    kinds = ("PartialObjectMetadataList", f"{kept.resource.gvk.kind}List")
    items = (body.get("items") or []) if isinstance(body, dict) and body.get("kind") in kinds else None
    if not isinstance(items, list):
        raise Misshapen(f"it is no list of {kept.resource.qualified}")
    return items


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
