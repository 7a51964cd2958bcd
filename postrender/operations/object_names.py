"""Names, patterns and labels that a user gives for objects, and the objects of a release that they mean."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

from postrender.cluster.discovery import called, named_object
from postrender.cluster.interface import Catalog, ClusterReader, Listing
from postrender.errors import ClusterError, UsageError
from postrender.models import GroupKind, ObjectKey, ReleaseName, Resource, Unknown
from postrender.text import Advice

Places = Mapping[ObjectKey, Resource]
"""Objects, and how each is served."""

_PATTERN = frozenset("*?[")


def named(
    target: ClusterReader, release: ReleaseName, texts: Sequence[str], places: Places
) -> dict[ObjectKey, Resource]:
    """The objects that names and patterns mean, of those in the release's manifests, ``places``.

    An exact name may also be that of an object which is in no manifest. Raises UsageError for what fits nothing, or
    several kinds without a pattern; ClusterError if the kinds cannot be listed.
    """
    chosen: dict[ObjectKey, Resource] = {}
    catalog = target.catalog() if texts else None
    for text in texts:
        assert catalog is not None
        words = _words(catalog)
        found = {
            key: resource for key, resource in places.items() if any(_fits(form, text) for form in _forms(key, words))
        }
        if not found and "/" in text and not _PATTERN & set(text):
            resource, key = named_object(text, release.namespace, catalog, kubectl=target.kubectl)
            found = {key: places.get(key, resource)}
        if not found:
            raise UsageError(
                "no object in the stored manifests of the release fits",
                where=text,
                next=target.typed(f"helm get manifest {release.name}", release.namespace),
            )
        _require_one_kind(text, found)
        chosen |= found
    return chosen


def labelled(target: ClusterReader, release: ReleaseName, selector: str, places: Places) -> dict[ObjectKey, Resource]:
    """The objects of ``places`` whose live labels fit a label selector.

    Raises UsageError if none does, ClusterError if they cannot be listed.
    """
    kinds = {(resource, key.namespace) for key, resource in places.items()}
    listings = [
        Listing(resource, namespace, selector, lambda _, item: item["metadata"]["name"])
        for resource, namespace in kinds
    ]
    names = set()
    for listing, found in zip(listings, target.list_objects(listings), strict=True):
        if isinstance(found, Unknown):
            raise ClusterError(
                f"could not be listed: {found.reason}", where=listing.resource.qualified, next=found.next
            )
        names |= {ObjectKey(listing.resource.gvk.group_kind, listing.namespace, name) for name in found}
    chosen = {key: resource for key, resource in places.items() if key in names}
    if not chosen:
        raise UsageError(
            "no object of the release has such labels",
            where=f"--selector {selector}",
            next=target.typed(f"helm get manifest {release.name}", release.namespace),
        )
    return chosen


def _require_one_kind(text: str, found: Places) -> None:
    """Raise UsageError if a name without a pattern fits objects of several kinds."""
    groups = {resource.qualified for resource in found.values()}
    if len(groups) > 1 and not _PATTERN & set(text):
        word, _, rest = text.partition("/")
        raise UsageError(
            f"{word} are several kinds: {', '.join(sorted(groups))}",
            where=text,
            next=[Advice(f"write it as {each}/{rest}" if rest else f"write it as {each}") for each in sorted(groups)],
        )


def _words(catalog: Catalog) -> dict[GroupKind, tuple[str, ...]]:
    found: dict[GroupKind, tuple[str, ...]] = {}
    for each in catalog.kinds:
        kind = each.resource.gvk.group_kind
        found[kind] = tuple(dict.fromkeys((*found.get(kind, ()), each.resource.qualified, *called(each))))
    return found


def _fits(form: str, pattern: str) -> bool:
    """Whether a name fits a pattern, part by part."""
    parts, patterns = form.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _forms(key: ObjectKey, words: Mapping[GroupKind, tuple[str, ...]]) -> Iterator[str]:
    """What an object, or all of its kind, may be called."""
    for word in words.get(key.group_kind, ()):
        yield word
        yield f"{word}/{key.name}"
        if key.namespace:
            yield f"{word}/{key.namespace}/{key.name}"
