"""Which living releases hold an object in their stored manifests, whatever the object's own annotations say."""

from __future__ import annotations

from collections.abc import Iterable

from postrender import manifest as manifests
from postrender.errors import ClusterError, ManifestError
from postrender.identity import ObjectKey
from postrender.live import RELEASE_NAMESPACE, LiveObject, ReleaseName, Unknown
from postrender.ownership import lives
from postrender.source import Source, unreadable

MOST = 500
"""How many releases are read before it counts as unknown who holds an object."""


def holders(
    source: Source, lives_of: Iterable[LiveObject], release: ReleaseName, driver: str
) -> dict[ObjectKey, ReleaseName]:
    """For each live object that another living release's stored manifest holds, that release.

    Read are the releases of the object's namespace, of the namespace of ``release`` (which wants the objects, and is
    stored through ``driver``), and of those that the object's metadata names. Raises ClusterError if any of them
    cannot be read.
    """
    wanted: dict[str, list[ObjectKey]] = {}
    for live in lives_of:
        named = (place.namespace for place in live.stored_as)
        places = (live.key.namespace, release.namespace, live.annotations.get(RELEASE_NAMESPACE), *named)
        for namespace in dict.fromkeys(place for place in places if place):
            wanted.setdefault(namespace, []).append(live.key)
    found: dict[ObjectKey, ReleaseName] = {}
    read = 0
    for namespace, keys in wanted.items():
        stored = source.stored_in(namespace)
        if isinstance(stored, Unknown):
            raise ClusterError(
                f"whether a living release of it holds what is to be adopted is not known: {stored.reason}",
                where=f"namespace {namespace}",
                next=stored.next or "postrender doctor",
            )
        for name, kept in stored:
            if (name, kept) == (release, driver):
                continue
            read += 1
            if read > MOST:
                raise ClusterError(
                    f"more than {MOST} releases may hold what is to be adopted",
                    where=f"namespace {namespace}",
                    next=source.typed("helm list --all", namespace),
                )
            for key in _held(source, name, kept, keys):
                found.setdefault(key, name)
    return found


def _held(source: Source, release: ReleaseName, driver: str, keys: Iterable[ObjectKey]) -> list[ObjectKey]:
    revisions = source.releases(release, manifest=True, driver=driver)
    if isinstance(revisions, Unknown):
        raise unreadable(release, source.description, revisions)
    if lives(revisions, source.typed) is False:
        return []
    try:
        refs = [ref for each in revisions if each.manifest for ref in manifests.read(each.manifest.encode()).objects]
    except ManifestError as error:
        raise ClusterError(
            f"its stored manifest cannot be read: {error.cause}",
            where=f"release {release}",
            next=source.typed(f"helm get manifest {release.name}", release.namespace),
        ) from error
    named = {(ref.gvk.group_kind, ref.namespace or release.namespace, ref.name) for ref in refs}
    anywhere = {(ref.gvk.group_kind, ref.name) for ref in refs}
    return [
        key
        for key in keys
        if (
            (key.group_kind, key.namespace, key.name) in named
            if key.namespace
            else (key.group_kind, key.name) in anywhere
        )
    ]
