"""Kept objects whose release is gone: searched for in whole kinds, and held against the releases that are stored.

If it is unknown whether a release is installed, its objects are counted but not reported as orphans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from postrender._record import Record, replace
from postrender.cluster.interface import Lister, Listing, NotAnObject, live_object
from postrender.cluster.release_lookup import ReleaseLookup
from postrender.cluster.releases import newest
from postrender.errors import ClusterError
from postrender.helm.ownership import Ownership, classify, release_exists
from postrender.helm.storage import CONFIGMAPS, SECRETS, storage
from postrender.models import (
    ARGOCD_TRACKING,
    FLUX_NAMESPACE,
    MANAGED_BY,
    RELEASE_NAME,
    Found,
    Json,
    LiveObject,
    ReleaseName,
    Resource,
    Unknown,
    object_name,
)
from postrender.text import Hint

LABELLED = f"{MANAGED_BY}=Helm"
"""Chooses every object that Helm takes for a release's: without the label its annotations count for nothing
(``checkOwnership``, pkg/action/validate.go), as in ``ownership.classify``."""

_GITOPS = (
    ("annotations", ARGOCD_TRACKING, "Argo CD"),
    ("labels", "argocd.argoproj.io/instance", "Argo CD"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("labels", FLUX_NAMESPACE, "Flux"),
)
"""Labels and annotations of GitOps controllers: an object with one has an owner without a stored release."""


class OwnedObject(Record):
    """A live object that names a release as its owner; ``live`` is without managed fields.

    ``created`` and ``written`` are times as the server gives them (RFC 3339): when it was made, and when a Helm last
    wrote to it (``""``: unknown). ``gitops_controller`` names one that applies it, or is ``""``.
    """

    live: LiveObject
    resource: Resource
    owner: ReleaseName
    created: str
    written: str
    gitops_controller: str

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.live.key)

    @property
    def since(self) -> str:
        """The last that is known of its release: when Helm wrote to the object, else when it was made."""
        return self.written or self.created


class Undecided(Record):
    """A release that may or may not be installed, and the number of objects that name it."""

    release: ReleaseName
    objects: int
    why: Unknown


class Search(Record):
    """The result: ``orphans`` by release and name, and what could not be determined or read.

    ``undecided`` are releases; ``forbidden`` are kinds that the caller may not list, ``failed`` those (and API groups)
    that could not be listed for another reason. ``objects`` counts all that were looked at, of ``kinds`` kinds.
    """

    orphans: tuple[OwnedObject, ...]
    undecided: tuple[Undecided, ...]
    forbidden: tuple[str, ...]
    failed: tuple[tuple[str, Unknown], ...]
    objects: int
    kinds: int


class Scope(Record):
    """Where to search: one namespace or all (``""``), and the label selector; ``driver`` is ``$HELM_DRIVER``."""

    namespace: str
    selector: str
    driver: str = "secret"


Progress = Callable[[int, int], None]
"""Told how many objects were looked at, and how many kinds are still to be listed."""


def search(survey: Lister, scope: Scope, progress: Progress) -> Search:
    """All orphans in scope. Of cluster-scoped kinds those are meant whose release is in the namespace.

    A release that is installed meanwhile has its objects after its revision: releases are listed once before the
    objects and once behind them, so that none of these is called an orphan. Only orphans are kept in memory. Raises
    ClusterError where the cluster does not answer at all.
    """
    catalog = survey.catalog()
    if not catalog.kinds and catalog.unknown:
        why = next(iter(catalog.unknown.values()))
        raise ClusterError(f"cannot read its API discovery: {why.reason}", where=survey.description, next=why.next)
    search = _Search(survey, scope)
    search.through([each.resource for each in catalog.kinds], progress)
    orphans = search.confirmed()
    failed = {**catalog.unknown, **search.failed}
    return Search(
        orphans=tuple(sorted(orphans, key=lambda each: (each.owner.namespace, each.owner.name, each.name))),
        undecided=tuple(search.undecided[release] for release in sorted(search.undecided, key=str)),
        forbidden=tuple(sorted(search.forbidden)),
        failed=tuple((name, failed[name]) for name in sorted(failed)),
        objects=sum(search.seen.values()),
        kinds=len(catalog.kinds) - len(search.forbidden) - len(search.failed),
    )


class _Search:
    """One way through all kinds, and what it brought up so far."""

    def __init__(self, survey: Lister, scope: Scope) -> None:
        self._survey = survey
        self._scope = scope
        self._releases = _Releases(survey, scope)
        self.found: dict[str, OwnedObject] = {}
        self.undecided: dict[ReleaseName, Undecided] = {}
        self.forbidden: list[str] = []
        self.failed: dict[str, Unknown] = {}
        self.seen: dict[str, int] = {}

    def through(self, resources: Sequence[Resource], progress: Progress) -> None:
        scope = self._scope
        listings = [
            Listing(resource, scope.namespace if resource.namespaced else "", scope.selector, owned_object)
            for resource in resources
        ]
        left = len(listings)
        for listing, page in self._survey.pages(listings):
            name = listing.resource.qualified
            self.seen[name] = page.seen
            for each in page.kept:
                self._judge(each)
            if page.forbidden:
                self.forbidden.append(name)
            elif page.failure is not None:
                self.failed[name] = page.failure
            left -= page.last
            progress(sum(self.seen.values()), left)

    def confirmed(self) -> list[OwnedObject]:
        """The orphans whose release is still not installed when it is looked up again."""
        found, self.found = list(self.found.values()), {}
        if found:
            self._releases = _Releases(self._survey, self._scope)
        for each in found:
            self._judge(each)
        return list(self.found.values())

    def _judge(self, left: OwnedObject) -> None:
        if self._scope.namespace and not left.live.key.namespace and left.owner.namespace != self._scope.namespace:
            return
        exists = self._releases.owner_exists(left.live)
        if isinstance(exists, Unknown):
            listed = self._survey.typed("helm list --all-namespaces", "")  # Helm alone can see them.
            exists = exists if exists.next else Unknown(exists.reason, (Hint(listed, "with the same HELM_DRIVER"),))
            before = self.undecided.get(left.owner, Undecided(left.owner, 0, exists))
            self.undecided[left.owner] = replace(before, objects=before.objects + 1)
            return
        owner = classify(Found(left.live), None, stored=False, live_releases={left.owner: exists})
        if owner.ownership is not Ownership.FOREIGN and not exists:
            # One object may be served by two groups, and a restarted list shows it twice.
            self.found.setdefault(left.live.uid, left)


def owned_object(resource: Resource, item: Json) -> OwnedObject | None:
    """The facts of one item of a list; ``None`` where it names no release or belongs to another object.

    What a controller makes often carries the labels and annotations of what it was made from (a ReplicaSet its
    Deployment's), and goes with that.
    """
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        raise NotAnObject("an item has no metadata")
    annotations, owners = metadata.get("annotations"), metadata.get("ownerReferences")
    if not (annotations is None or isinstance(annotations, dict)) or not (owners is None or isinstance(owners, list)):
        raise NotAnObject("the metadata of an item cannot be read")
    if RELEASE_NAME not in (annotations or ()):
        return None
    if any(isinstance(each, dict) and each.get("controller") for each in owners or ()):
        return None
    live = live_object(item, resource.gvk, whole=False)
    if live.owner is None:
        return None
    gitops_controller = next((who for where, key, who in _GITOPS if key in getattr(live, where)), "")
    written = max(
        (str(each.get("time") or "") for each in live.managed_fields if each.get("manager") == "helm"), default=""
    )
    created = str(metadata.get("creationTimestamp") or "")
    return OwnedObject(replace(live, managed_fields=()), resource, live.owner, created, written, gitops_controller)


class _Releases:
    """The installed releases, from the stored revisions of all namespaces at once, or of one after the other."""

    def __init__(self, survey: Lister, scope: Scope) -> None:
        self._survey = survey
        self._owners = ReleaseLookup(survey, scope.driver)
        kept = storage(scope.driver)
        self._elsewhere: bool | Unknown = kept if isinstance(kept, Unknown) else False
        self._by_namespace: dict[str, dict[ReleaseName, bool] | Unknown] = {}
        everywhere = {} if scope.namespace else self._live_releases("")
        self._everywhere = None if scope.namespace or isinstance(everywhere, Unknown) else everywhere
        self._names = frozenset(name.name for name, exists in (self._everywhere or {}).items() if exists)

    def owner_exists(self, live: LiveObject) -> bool | Unknown:
        """Whether the owner is stored and not a mere record of an uninstall, wherever it may be stored."""
        if FLUX_NAMESPACE in live.labels and live.stored_as[0].name in self._names:
            # Its HelmRelease may name any namespace for the revisions (spec.storageNamespace).
            return True
        answers = [self._one(place) for place in live.stored_as]
        return True if True in answers else next((answer for answer in answers if isinstance(answer, Unknown)), False)

    def _one(self, place: ReleaseName) -> bool | Unknown:
        answers = self._of(place.namespace) if self._everywhere is None else self._everywhere
        if isinstance(answers, Unknown):
            return answers
        if answers.get(place):
            return True
        # Labels alone do not prove that it was uninstalled.
        return self._owners.exists(place) if place in answers else self._elsewhere

    def _of(self, namespace: str) -> dict[ReleaseName, bool] | Unknown:
        if namespace not in self._by_namespace:
            self._by_namespace[namespace] = self._live_releases(namespace)
        return self._by_namespace[namespace]

    def _live_releases(self, namespace: str) -> dict[ReleaseName, bool] | Unknown:
        live_releases: dict[ReleaseName, bool] = {}
        for kept in (SECRETS, CONFIGMAPS):
            answers = newest(self._survey, namespace, kept)
            if isinstance(answers, Unknown):
                return answers
            for name, revision in answers.items():
                live_releases[name] = live_releases.get(name, False) or release_exists([revision]) is True
        return live_releases
