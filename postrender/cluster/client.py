"""A cluster as a source of live objects."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

from postrender.cluster.connect import open_transport
from postrender.cluster.diagnose import Kubectl, describe_failure
from postrender.cluster.discovery import Capabilities, Served, capabilities, catalog, discover
from postrender.cluster.http import RequestFailed, Transport
from postrender.cluster.interface import Catalog, DryRunRequest, DryRunResult, Listing, ObjectLookup, Page, Skipped
from postrender.cluster.parallel import MAX_REQUESTS, call_with_timeout, map_concurrently, paginate_concurrently
from postrender.cluster.reads import (
    LIST_REQUESTS,
    LISTED_FROM,
    PageCursor,
    can_be_listed,
    page,
    read,
    read_list,
    timed_out_page,
)
from postrender.errors import ClusterError
from postrender.helm.invocation import FIELD_MANAGER
from postrender.models import (
    Connection,
    GroupVersionKind,
    Json,
    LiveObject,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from postrender.cluster.discovery import AccessRule
    from postrender.cluster.managed_fields_migration import Schemas
    from postrender.helm.drift import RepairRequest
    from postrender.helm.ownership import OwnershipMetadata
    from postrender.helm.storage import Storage, StoredObject

_REQUESTS = 4
"""As many requests one after the other are given time for a release (a list or two, two payloads), or a migration."""


class Cluster:
    """One API server, as one user. Only the methods that are named for a change write.

    What an installation of new objects does not need is imported where it is needed: that takes longer than to look
    them up.
    """

    def __init__(self, transport: Transport, description: str, kubectl: Kubectl, field_manager: str) -> None:
        self._transport = transport
        self._description = description
        self._kubectl = kubectl
        self.field_manager = field_manager
        self._schemas: Schemas | None = None
        self._turns = threading.BoundedSemaphore(MAX_REQUESTS)
        self._skipped: dict[str, None] = {}

    @property
    def description(self) -> str:
        """``context kind-dev (https://127.0.0.1:6443)``; never a secret."""
        return self._description

    def resolve_kinds(self, gvks: Iterable[GroupVersionKind]) -> dict[GroupVersionKind, Served]:
        """How each kind is served, by exact group, version and kind."""
        return discover(self._transport, gvks, self._kubectl)

    def catalog(self) -> Catalog:
        """Every kind whose objects can be made and listed."""
        return catalog(self._transport, self._kubectl)

    def pages(self, listings: Sequence[Listing]) -> Iterator[tuple[Listing, Page]]:
        """The pages of all listings as they arrive, several requests at once."""

        def turn(at: tuple[Listing, PageCursor]) -> tuple[Page, tuple[Listing, PageCursor] | None]:
            with self._turns:
                found, onward = page(self._transport, *at, self._kubectl)
            return found, None if onward is None else (at[0], onward)

        starts = [(listing, PageCursor()) for listing in listings]
        default = timed_out_page(self._transport, self._kubectl)
        for place, found in paginate_concurrently(
            turn, starts, total_timeout=self._transport.total_timeout, default=default
        ):
            yield listings[place], found

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """The reduced items of each listing, several requests at once; Unknown where it could not be listed whole."""
        kept: dict[int, list[Any]] = {id(each): [] for each in listings}
        failed: dict[int, Unknown] = {}
        for listing, some in self.pages(listings):
            kept[id(listing)] += some.kept
            if some.failure is not None:
                failed[id(listing)] = some.failure
        return [failed.get(id(each)) or tuple(kept[id(each)]) for each in listings]

    def capabilities(self) -> Capabilities:
        """The server's version and API versions, as ``.Capabilities`` in a chart."""
        return call_with_timeout(
            lambda: capabilities(self._transport),
            total_timeout=_REQUESTS * self._transport.total_timeout,
            default=Capabilities(),
        )

    def can_i(self, rights: Sequence[AccessRule]) -> list[bool | Unknown]:
        """True for each right that the user has, in the order of ``rights``."""
        from postrender.cluster.discovery import allowed  # No filter needs it, and each would pay for what it imports.

        late: bool | Unknown = self._late()
        return map_concurrently(
            lambda right: allowed(self._transport, right, self._kubectl),
            rights,
            total_timeout=self._transport.total_timeout,
            default=late,
        )

    def get_objects(self, wanted: Sequence[ObjectLookup]) -> list[Observation]:
        """The live objects, several requests at once, in the order of ``wanted``.

        One exact path for each object; many of one kind and namespace are looked up in lists before.
        """
        found = self._observe(wanted, self._tasks(wanted))
        left = [place for place, observed in enumerate(found) if observed is None]
        exact = self._observe([wanted[place] for place in left], [(at,) for at in range(len(left))])
        for place, observed in zip(left, exact, strict=True):
            found[place] = observed
        return [self._late() if observed is None else observed for observed in found]

    def _tasks(self, wanted: Sequence[ObjectLookup]) -> list[tuple[int, ...]]:
        """The places of what is asked for together."""
        together: dict[tuple[Resource, str], list[int]] = {}
        for place, single in enumerate(wanted):
            if can_be_listed(single):
                together.setdefault((single.resource, single.namespace), []).append(place)
        lists = [tuple(places) for places in together.values() if len(places) >= LISTED_FROM]
        listed = {place for places in lists for place in places}
        return [*lists, *((place,) for place in range(len(wanted)) if place not in listed)]

    def _observe(self, wanted: Sequence[ObjectLookup], tasks: Sequence[tuple[int, ...]]) -> list[Observation | None]:
        """What each task finds, at the places in ``wanted`` that it names."""

        def ask(task: tuple[int, ...]) -> Sequence[Observation | None]:
            if len(task) > 1:
                return read_list(self._transport, [wanted[place] for place in task], self._kubectl)
            return [read(self._transport, wanted[task[0]], self._kubectl)]

        none: Sequence[Observation | None] = ()
        found: list[Observation | None] = [None] * len(wanted)
        requests = LIST_REQUESTS if any(len(task) > 1 for task in tasks) else 1
        answers = map_concurrently(ask, tasks, total_timeout=requests * self._transport.total_timeout, default=none)
        for task, answer in zip(tasks, answers, strict=True):
            for place, observed in zip(task, answer or [self._late()] * len(task), strict=True):
                found[place] = observed
        return found

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """The result of each request as a dry run, several at once, in the order of ``requests``."""
        if not requests:
            return []
        from postrender.cluster.writes import dry_run

        migrates = any(request.has_client_side_fields for request in requests)
        if migrates and self._schemas is None:
            # Only Helm 4 migrates, and only once for each object.
            from postrender.cluster.managed_fields_migration import Schemas

            self._schemas = Schemas(self._transport, self._kubectl)
        steps = _REQUESTS if migrates else 1
        late: DryRunResult = Skipped(self._late(steps).reason)
        return map_concurrently(
            lambda request: dry_run(self._transport, request, self._kubectl, self._schemas),
            requests,
            total_timeout=steps * self._transport.total_timeout,
            default=late,
        )

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """All stored revisions, oldest first; ``()`` if the release does not exist."""
        from postrender.cluster.releases import stored

        late: tuple[StoredRelease, ...] | Unknown = self._late(_REQUESTS)
        return call_with_timeout(
            lambda: stored(self._transport, name, driver, self._kubectl, self._skip, manifest=manifest),
            total_timeout=_REQUESTS * self._transport.total_timeout,
            default=late,
        )

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """All stored revisions of each release, oldest first, several releases at once."""
        from postrender.cluster.releases import stored

        late: tuple[StoredRelease, ...] | Unknown = self._late(_REQUESTS)
        return map_concurrently(
            lambda single: stored(self._transport, *single, self._kubectl, self._skip, manifest=True),
            names,
            total_timeout=_REQUESTS * self._transport.total_timeout,
            default=late,
            # Each reads its newest revision and its deployed one at once.
            at_once=MAX_REQUESTS // 2,
        )

    def stored_in(self, namespace: str) -> tuple[tuple[ReleaseName, str], ...] | Unknown:
        """All releases with revisions in a namespace, whatever their status, each with its driver."""
        from postrender.cluster.releases import newest
        from postrender.helm.storage import CONFIGMAPS, SECRETS

        found: list[tuple[ReleaseName, str]] = []
        for driver, kept in (("secret", SECRETS), ("configmap", CONFIGMAPS)):
            names = newest(self, namespace, kept)
            if isinstance(names, Unknown):
                return names
            found.extend((name, driver) for name in names)
        return tuple(found)

    def payloads(self, name: ReleaseName, driver: str) -> tuple[StoredObject, ...] | Unknown:
        """All stored revisions with their manifests and Secrets or ConfigMaps, oldest first."""
        from postrender.cluster.releases import payloads

        late: tuple[StoredObject, ...] | Unknown = self._late(_REQUESTS)
        return call_with_timeout(
            lambda: payloads(self._transport, name, driver, self._kubectl, self._skip),
            total_timeout=_REQUESTS * self._transport.total_timeout,
            default=late,
        )

    def set_ownership(
        self, live: LiveObject, resource: Resource, release: ReleaseName, metadata: OwnershipMetadata | None = None
    ) -> LiveObject:
        """Write a release's ownership metadata, or the ``metadata``, to a live object that is still as it was read.

        Raises ClusterError.
        """
        from postrender.cluster.writes import set_ownership

        return set_ownership(self._transport, live, resource, release, metadata, self._kubectl)

    def set_managed_fields(
        self, live: LiveObject, resource: Resource, managed_fields: Sequence[Json], *, dry_run: bool
    ) -> LiveObject:
        """Write the field managers of a live object that is still as it was read; raises ClusterError."""
        from postrender.cluster.writes import set_managed_fields

        return set_managed_fields(self._transport, live, resource, managed_fields, self._kubectl, dry_run=dry_run)

    def set_metadata(
        self,
        live: LiveObject,
        resource: Resource,
        labels: Mapping[str, str | None],
        annotations: Mapping[str, str | None],
        done: str,
    ) -> LiveObject:
        """Write labels and annotations to a live object that is still as it was read; raises ClusterError."""
        from postrender.cluster.writes import set_metadata

        return set_metadata(self._transport, live, resource, labels, annotations, done, self._kubectl)

    def apply(self, live: LiveObject, resource: Resource, patch: Json, *, dry_run: bool) -> LiveObject:
        """Send a merge patch to a live object that is still as it was read; raises ClusterError."""
        from postrender.cluster.writes import apply

        return apply(self._transport, live, resource, patch, self._kubectl, self.field_manager, dry_run=dry_run)

    def repair_object(
        self, resource: Resource, key: ObjectKey, live: LiveObject | None, request: RepairRequest, *, dry_run: bool
    ) -> LiveObject:
        """Restore an object to its stored manifest, or create it (with its resourceVersion); raises ClusterError."""
        from postrender.cluster.writes import repair_object

        return repair_object(
            self._transport, resource, key, live, request, self._kubectl, self.field_manager, dry_run=dry_run
        )

    def replace_payload(self, stored: StoredObject, packed: str) -> LiveObject:
        """Replace the payload of a stored revision that is still as it was read; raises ClusterError."""
        from postrender.cluster.writes import replace_payload

        return replace_payload(self._transport, stored, packed, self._kubectl)

    def create_stored(self, kept: Storage, body: Json, done: str) -> LiveObject:
        """Create the Secret or ConfigMap of a revision; raises ClusterError, also where there is one of that name."""
        from postrender.cluster.writes import create_stored

        return create_stored(self._transport, kept, body, done, self._kubectl)

    def delete(self, stored: StoredObject) -> None:
        """Delete the object of a stored revision that is still as it was read; raises ClusterError."""
        from postrender.cluster.writes import delete

        delete(self._transport, stored, self._kubectl)

    @property
    def warning(self) -> str:
        """The objects that have a release's labels and were skipped."""
        return "; ".join(self._skipped)

    def normalize(self, key: ObjectKey, body: Json) -> Json:
        """The body as it is."""
        del key
        return body

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with the flags that reach this cluster."""
        return self._kubectl.call(command, namespace)

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours, with the flags that were given to reach this cluster."""
        return self._kubectl.typed(command, namespace)

    def completed(self, steps: Sequence[str]) -> tuple[str, ...]:
        """Hints with this cluster's flags added to each command that has none."""
        return self._kubectl.completed(steps)

    def _skip(self, note: str) -> None:
        self._skipped[note] = None

    def _late(self, requests: int = 1) -> Unknown:
        return describe_failure(RequestFailed.late(requests * self._transport.total_timeout), self._kubectl)


def connect(connection: Connection, typed: str = "", field_manager: str = FIELD_MANAGER) -> Cluster:
    """The cluster that Helm would talk to with the same flags, kubeconfig and environment.

    ``field_manager`` is Helm's. ``typed`` are the flags that lead what is typed next there too, each with a blank
    before it. Nothing is asked yet, but a kubeconfig's exec plugin runs. Raises ClusterError.
    """
    kubectl = Kubectl.of(connection, typed)
    try:
        transport, description = open_transport(connection)
    except ClusterError as error:
        steps = kubectl.completed(error.next or ("postrender doctor",))
        raise ClusterError(error.cause, where=error.where, next=steps) from None
    return Cluster(transport, description, kubectl, field_manager)
