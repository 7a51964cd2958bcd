"""Reads: one object by its exact path, and lists of metadata in pages."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from urllib.parse import urlencode

from postrender._record import Record, replace
from postrender.cluster.diagnose import Kubectl, RequestContext, describe_failure, unexpected_response
from postrender.cluster.http import RequestFailed, Response, Transport, segment
from postrender.cluster.interface import Listing, NotAnObject, ObjectLookup, Page, live_object
from postrender.models import (
    SECRET,
    Absent,
    Found,
    GroupVersionKind,
    Json,
    LiveObject,
    ObjectKey,
    Observation,
    Resource,
)

METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Asks for the metadata alone; a server that cannot do that sends the whole objects."""

PAGE = 500
"""Objects in one answer, as kubectl asks for them (``--chunk-size``)."""

MAX_PAGES = 100_000
"""A list that goes on for longer does not end."""

_ONE = threading.Lock()
"""Held while an answer is taken apart: an interpreter does one at a time anyway, and so only one is in memory whole."""


class PageCursor(Record):
    """Where a list goes on: the ``continue`` token, pages and objects so far, and whether the list was restarted."""

    token: str = ""
    pages: int = 0
    seen: int = 0
    restarted: bool = False


def page(transport: Transport, listing: Listing, place: PageCursor, kubectl: Kubectl) -> tuple[Page, PageCursor | None]:
    """One page reduced by ``listing.reduce``, and where the next one begins; ``None`` after the last.

    A place that the server forgot (410) is exchanged for the one it offers instead, which goes on behind the same
    object in the list as it is by now (``handleCompactedErrorForPaging``, apiserver's storage/etcd3/errors.go); where
    it offers none, the list is restarted, once.
    """
    asked = RequestContext("list", listing.resource, listing.namespace)
    query = {"limit": str(listing.limit or PAGE)}
    if listing.selector:
        query["labelSelector"] = listing.selector
    if place.token:
        query["continue"] = place.token
    outcome = transport.request(
        "GET",
        listing.resource.path(segment(listing.namespace), ""),
        query=urlencode(query, errors="surrogatepass"),
        accept="application/json" if listing.whole else METADATA_LIST,
        persist=True,
    )
    if isinstance(outcome, Response) and outcome.status == 410 and place.token:
        onward = _resume_after_410(outcome.json(), place)
        if onward is not None:
            return Page(seen=onward.seen, last=False), onward
    if isinstance(outcome, RequestFailed) or outcome.status != 200:
        forbidden = isinstance(outcome, Response) and outcome.status == 403
        return Page(seen=place.seen, failure=describe_failure(outcome, kubectl, asked), forbidden=forbidden), None
    try:
        with _ONE:
            return _parse_page(outcome.json(), listing, place)
    except NotAnObject as error:
        return Page(seen=place.seen, failure=unexpected_response(str(error), kubectl, asked)), None


def _resume_after_410(body: Json, place: PageCursor) -> PageCursor | None:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    offered = metadata.get("continue") if isinstance(metadata, dict) else None
    if isinstance(offered, str) and offered and offered != place.token and place.pages < MAX_PAGES:
        return replace(place, token=offered, pages=place.pages + 1)
    return None if place.restarted else PageCursor(restarted=True)


def _parse_page(body: Json, listing: Listing, place: PageCursor) -> tuple[Page, PageCursor | None]:
    items, onward = _items(body, listing)
    kept = tuple(each for each in (listing.reduce(listing.resource, item) for item in items) if each is not None)
    seen = place.seen + len(items)
    if not onward:
        return Page(kept, seen), None
    if onward == place.token or place.pages >= MAX_PAGES:
        raise NotAnObject("its list does not end")
    return Page(kept, seen, last=False), replace(place, token=onward, pages=place.pages + 1, seen=seen)


def _items(body: Json, listing: Listing) -> tuple[list[Json], str]:
    """The items of a well-formed list, and its ``metadata.continue`` (``""`` on the last page); raises NotAnObject.

    An empty list of metadata has ``items: null`` (``asPartialObjectMetadataList``, apiserver's
    pkg/endpoints/handlers/response.go of 0.34.3), any other has ``[]``. A list that is cut off has a ``continue``
    (``ListMeta``, apimachinery's pkg/apis/meta/v1/types.go), so one that has only a ``remainingItemCount`` lost it.
    """
    gvk = listing.resource.gvk
    named = (body.get("apiVersion"), body.get("kind")) if isinstance(body, dict) else None
    partial = named == ("meta.k8s.io/v1", "PartialObjectMetadataList")
    if not partial and named != (gvk.api_version, f"{gvk.kind}List"):
        raise NotAnObject(f"it is not a list of {listing.resource.qualified}")
    items, metadata = body.get("items", False), body.get("metadata")
    if not isinstance(items, list) and not (partial and items is None):
        raise NotAnObject(f"its list of {listing.resource.qualified} has no items")
    onward = metadata.get("continue", "") if isinstance(metadata, dict) else None
    if not isinstance(onward, str):
        raise NotAnObject(f"its list of {listing.resource.qualified} has no metadata that says whether it is complete")
    if not onward and metadata.get("remainingItemCount"):
        raise NotAnObject(f"its list of {listing.resource.qualified} is not complete, and does not say how it goes on")
    return items or [], onward


def timed_out_page(transport: Transport, kubectl: Kubectl) -> Page:
    """The page for a request that timed out."""
    return Page(failure=describe_failure(RequestFailed.late(transport.total_timeout), kubectl))


METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
"""Asks for the metadata alone; a server that cannot do that sends the whole object."""

_PARTIAL = GroupVersionKind("meta.k8s.io", "v1", "PartialObjectMetadata")


def exact_path(wanted: ObjectLookup) -> str:
    """The path of an object. Raises ValueError if the lookup does not name exactly one."""
    if not wanted.name or bool(wanted.namespace) != wanted.resource.namespaced:
        raise ValueError(f"{wanted.key} does not name one object of {wanted.resource.qualified}")
    return wanted.resource.path(segment(wanted.namespace), segment(wanted.name))


def collection_path(wanted: ObjectLookup) -> str:
    """The path at which an object is created. Raises ValueError as ``exact_path`` does."""
    exact_path(wanted)
    return wanted.resource.path(segment(wanted.namespace), "")


def read(transport: Transport, wanted: ObjectLookup, kubectl: Kubectl) -> Observation:
    """The live object. Raises ValueError as ``exact_path`` does, nothing else."""
    asked = RequestContext("get", wanted.resource, wanted.namespace, wanted.name)
    path = exact_path(wanted)
    outcome = transport.request("GET", path, accept="application/json" if wanted.body else METADATA)
    if isinstance(outcome, Response) and outcome.status == 404 and _about(outcome, wanted):
        return Absent()
    if isinstance(outcome, RequestFailed) or outcome.status != 200:
        return describe_failure(outcome, kubectl, asked)
    try:
        return Found(verified(outcome, wanted))
    except NotAnObject as error:
        return unexpected_response(str(error), kubectl, asked)


LISTED_FROM = 8
"""So many objects of one kind in one namespace are listed first: one request instead of eight, mostly on as many
connections. If the list is cut off, that request and its round trip were for nothing.
"""

_MOST_LISTED, _WHOLE_OBJECTS = 1000, 250
"""Objects in such a list at most (with their metadata, a page of some MB), and whole objects in a page of theirs."""

LIST_REQUESTS = 1 + _MOST_LISTED // _WHOLE_OBJECTS
"""As many requests one after the other look objects up in a list: a page of metadata, and those of whole objects."""


def can_be_listed(wanted: ObjectLookup) -> bool:
    """True if an object may be read from a list: it is in a namespace, and not a Secret.

    The right to list Secrets is that to read all of them, and auditors look for its use.
    """
    return bool(wanted.namespace and wanted.name) and wanted.resource.namespaced and wanted.key.group_kind != SECRET


def read_list(transport: Transport, wanted: Sequence[ObjectLookup], kubectl: Kubectl) -> list[Found | Absent | None]:
    """Many objects of one kind in one namespace, by lists; ``None`` if an exact read has to decide.

    The first list is of metadata, as recent as an exact read (no ``resourceVersion``), and of no more objects than are
    wanted. An object is absent only if the list is whole: if it is cut off, forbidden or fails, exact reads decide.
    Live objects that are wanted whole are listed once more if they are at least half of what is in the namespace, so
    that not much is read for nothing; exact reads decide where that list lacks one.
    """
    first = wanted[0]
    limit = min(len(wanted), _MOST_LISTED)
    found, _ = page(
        transport, Listing(first.resource, first.namespace, "", _with_metadata, limit), PageCursor(), kubectl
    )
    live: dict[ObjectKey, LiveObject] = {each.key: each for each in found.kept}
    rest = Absent() if found.last and found.failure is None else None
    bodies = sum(single.body and single.key in live for single in wanted)
    whole: dict[ObjectKey, LiveObject] = {}
    if rest and bodies >= LISTED_FROM and 2 * bodies >= len(live):
        whole = _whole_objects(transport, first, kubectl)

    def observed(single: ObjectLookup) -> Found | Absent | None:
        if single.key not in live:
            return rest
        known = whole.get(single.key) if single.body else live[single.key]
        return None if known is None else Found(known)

    return [observed(single) for single in wanted]


def _whole_objects(transport: Transport, wanted: ObjectLookup, kubectl: Kubectl) -> dict[ObjectKey, LiveObject]:
    """All objects of that kind in that namespace, as far as they can be listed."""
    listing = Listing(wanted.resource, wanted.namespace, "", _with_body, _WHOLE_OBJECTS, whole=True)
    found: dict[ObjectKey, LiveObject] = {}
    place: PageCursor | None = PageCursor()
    while place is not None and place.pages < LIST_REQUESTS:
        some, place = page(transport, listing, place, kubectl)
        found |= {each.key: each for each in some.kept}
    return found


def _with_metadata(resource: Resource, item: Json) -> LiveObject:
    """The object of an item; raises NotAnObject where it is not a stored object."""
    return _stored(live_object(item, resource.gvk, whole=False))


def _with_body(resource: Resource, item: Json) -> LiveObject:
    """As ``_with_metadata``, with the JSON of an exact read.

    A server names the kind once for a list of a built-in kind, and in each item of custom resources.
    """
    gvk = resource.gvk
    named = {"apiVersion": gvk.api_version, "kind": gvk.kind}
    if isinstance(item, dict):
        item = {**named, **item}
        if {name: item[name] for name in named} != named:
            raise NotAnObject(f"an item is not a {gvk}")
    return _stored(live_object(item, gvk, whole=True))


def _stored(live: LiveObject) -> LiveObject:
    if not (live.uid and live.resource_version and live.key.name):
        raise NotAnObject("it has no uid, no resourceVersion or no name")
    return live


def verified(answer: Response, wanted: ObjectLookup, *, exists: bool = True) -> LiveObject:
    """The object of a response with status 200; raises NotAnObject if it is not the one that was asked for.

    One that does not exist, since it was made in a dry run, has no resourceVersion.
    """
    body = answer.json()
    if not isinstance(body, dict):
        raise NotAnObject(f"it is not a JSON object, but {answer.content_type.partition(';')[0] or 'something else'}")
    gvk = wanted.resource.gvk
    kind = GroupVersionKind.parse(str(body.get("apiVersion")), str(body.get("kind")))
    if kind != gvk and (wanted.body or kind != _PARTIAL):
        raise NotAnObject(f"it is about a {kind}, not about a {gvk}")
    live = live_object(body, gvk, whole=wanted.body)
    if live.key != wanted.key:
        raise NotAnObject(f"it is about {live.key}, not about {wanted.key}")
    if exists and not (live.uid and live.resource_version):
        raise NotAnObject("it has no uid or no resourceVersion")
    return live


def _about(answer: Response, wanted: ObjectLookup) -> bool:
    """Whether a 404 is the API server's own about this object (``NewNotFound``, apimachinery's errors.go).

    A proxy's 404, and that of a path that is not served, have no Status with the object's name.
    """
    body = answer.json()
    if not isinstance(body, dict) or body.get("kind") != "Status" or body.get("reason") != "NotFound":
        return False
    details: Json = body.get("details")
    return (
        isinstance(details, dict)
        and details.get("name") == wanted.name
        and details.get("group", "") == wanted.resource.gvk.group
    )
