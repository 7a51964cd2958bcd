"""Whether the release that a live object names as its owner still exists: asked once for each release."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from postrender import manifest as manifests
from postrender._record import Record
from postrender.cluster.interface import LIST, ClusterReader, RevisionReader, unreadable
from postrender.errors import ClusterError, ManifestError, Refused
from postrender.helm.ownership import DRIVERS, release_exists
from postrender.models import RELEASE_NAMESPACE, LiveObject, ObjectKey, ReleaseName, StoredRelease, Unknown


class ReleaseLookup:
    """Looks up whether releases are installed, each once; a failed lookup is Unknown, never False.

    Asks for Secrets and for ConfigMaps. ``driver`` is the caller's; if it keeps releases out of the cluster, an owner
    that the cluster does not hold may be there too, and is unknown.
    """

    def __init__(self, source: RevisionReader, driver: str) -> None:
        self._source = source
        self._driver = driver
        self._known: dict[ReleaseName, bool | Unknown] = {}

    def owner_exists(self, live: LiveObject) -> bool | Unknown:
        """Of an object that names an owner: whether that exists."""
        return _together([self.exists(place) for place in live.stored_as])

    def exists(self, release: ReleaseName) -> bool | Unknown:
        """Whether a release exists."""
        if release not in self._known:
            drivers = dict.fromkeys((*DRIVERS, self._driver))
            self._known[release] = _together([self._stored(release, driver) for driver in drivers])
        return self._known[release]

    def _stored(self, release: ReleaseName, driver: str) -> bool | Unknown:
        answer = self._source.get_revisions(release, manifest=False, driver=driver)
        return answer if isinstance(answer, Unknown) else release_exists(answer, self._source.typed)


def _together(answers: list[bool | Unknown]) -> bool | Unknown:
    if any(answer is True for answer in answers):
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)


MOST = 500
"""How many releases are read before it counts as unknown who holds an object."""


class Holders(Record):
    """The installed releases whose manifests have objects, by object, and the number of releases read."""

    found: Mapping[ObjectKey, ReleaseName]
    read: int

    @property
    def note(self) -> str:
        """A note on how many releases were read; ``""`` for none."""
        releases = f"{self.read} other stored release{'s' * (self.read != 1)}"
        return f"checked the manifests of {releases} for the objects to be adopted" if self.read else ""


def holders(
    source: ClusterReader,
    live_objects: Iterable[LiveObject],
    release: ReleaseName,
    driver: str,
    besides: Collection[tuple[ReleaseName, str]] = (),
) -> Holders:
    """The installed releases whose stored manifests have some of the live objects.

    Read are the releases of the object's namespace, of the namespace of ``release`` (which wants the objects, and is
    stored through ``driver``), and of those that the object's metadata names; none of ``besides``. Raises ClusterError
    if any of them cannot be read, or if ``driver`` keeps releases where none can.
    """
    wanted: dict[str, list[ObjectKey]] = {}
    for live in live_objects:
        named = (place.namespace for place in live.stored_as)
        places = (live.key.namespace, release.namespace, live.annotations.get(RELEASE_NAMESPACE), *named)
        for namespace in dict.fromkeys(place for place in places if place):
            wanted.setdefault(namespace, []).append(live.key)
    ours = {(release, driver), *besides}
    stored = [each for namespace in wanted for each in _stored_in(source, namespace) if each not in ours]
    if len(stored) > MOST:
        raise ClusterError(
            f"{len(stored)} releases may own these objects, and at most {MOST} are read",
            where=f"namespace {' and '.join(wanted)}",
            next=tuple(source.typed(LIST, namespace) for namespace in wanted),
        )
    found: dict[ObjectKey, ReleaseName] = {}
    for (name, _), revisions in zip(stored, source.histories(stored), strict=True):
        if isinstance(revisions, Unknown):
            raise unreadable(name, source.description, revisions)
        for key in _held(source, name, revisions, wanted[name.namespace]):
            found.setdefault(key, name)
    _require_seen(source, release, driver, [each for each, keys in wanted.items() if {*keys} - {*found}])
    return Holders(found, len(stored))


def require_free(source: ClusterReader, taken: Mapping[str, LiveObject], release: ReleaseName, driver: str) -> None:
    """Raise Refused if an installed release owns, or has in its manifest, one of the objects (``taken``, by name).

    To be asked right before the first write: since the look, somebody may have been asked for a permission. Raises
    ClusterError if the answer is not certain.
    """
    owners = ReleaseLookup(source, driver)
    for name, live in taken.items():
        _require_gone(source, owners, name, live, release)
    held = holders(source, taken.values(), release, driver)
    for name, live in taken.items():
        if live.key in held.found:
            raise _still_installed(source, name, held.found[live.key])


def require_gone(source: ClusterReader, name: str, live: LiveObject, release: ReleaseName, driver: str) -> None:
    """As ``require_free``, for the owner of one object, right before the write to it."""
    _require_gone(source, ReleaseLookup(source, driver), name, live, release)


def _require_gone(
    source: ClusterReader, owners: ReleaseLookup, name: str, live: LiveObject, release: ReleaseName
) -> None:
    owner = live.owner
    if owner is None or owner == release:
        return
    answer = owners.owner_exists(live)
    if isinstance(answer, Unknown):
        raise ClusterError(
            f"its owner is release {owner}, and whether it is installed is unknown: {answer.reason}",
            where=name,
            next=answer.next,
        )
    if answer:
        raise _still_installed(source, name, owner)


def _still_installed(source: ClusterReader, name: str, owner: ReleaseName) -> Refused:
    return Refused(
        f"owned by release {owner}, which was installed again meanwhile; not adopted (PR101)",
        where=name,
        next=(source.typed(f"helm get manifest {owner.name}", owner.namespace), "postrender explain PR101"),
    )


def _require_seen(source: ClusterReader, release: ReleaseName, driver: str, namespaces: Iterable[str]) -> None:
    """Raise ClusterError if other releases of these namespaces may be where the cluster does not show them."""
    for namespace in () if driver in DRIVERS else namespaces:
        own = source.get_revisions(release, manifest=False, driver=driver)
        if isinstance(own, Unknown):
            raise ClusterError(
                f"cannot check for installed releases that own these objects: {own.reason}",
                where=f"namespace {namespace}",
                next=source.typed(LIST, namespace),
            )


def _stored_in(source: ClusterReader, namespace: str) -> tuple[tuple[ReleaseName, str], ...]:
    stored = source.stored_in(namespace)
    if isinstance(stored, Unknown):
        raise ClusterError(
            f"cannot check for installed releases that own these objects: {stored.reason}",
            where=f"namespace {namespace}",
            next=stored.next or source.completed(("postrender doctor",)),
        )
    return stored


def _held(
    source: ClusterReader, release: ReleaseName, revisions: Iterable[StoredRelease], keys: Iterable[ObjectKey]
) -> list[ObjectKey]:
    """The keys that a stored manifest of the release holds, if it lives."""
    exists = release_exists(revisions, source.typed)
    if exists is False:
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
    held = [
        key
        for key in keys
        if (
            (key.group_kind, key.namespace, key.name) in named
            if key.namespace
            else (key.group_kind, key.name) in anywhere
        )
    ]
    if held and isinstance(exists, Unknown):
        raise unreadable(release, source.description, exists)
    return held
