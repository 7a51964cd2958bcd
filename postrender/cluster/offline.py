"""The source that knows of no live object: Kubernetes' own kinds, the CRDs at hand, and a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from postrender._record import replace
from postrender.cluster import builtin_kinds
from postrender.cluster.interface import CONTEXTS, ObjectLookup, Unreached
from postrender.models import (
    GroupVersionKind,
    Json,
    NotServed,
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

    from postrender.cluster.interface import Catalog, DryRunRequest, DryRunResult, Listing

_NO_CLUSTER = Unknown("no cluster was asked", (CONTEXTS,))


class Offline(Unreached):
    """A ClusterReader without a cluster: it knows built-in kinds and the given CRDs, and no live objects."""

    def __init__(self, crds: Iterable[Json] = ()) -> None:
        """``crds`` are the bodies of CustomResourceDefinitions."""
        self._served = {resource.gvk: resource for crd in crds for resource in builtin_kinds.resources_of_crd(crd)}
        self._kinds = {gvk.group_kind: resource for gvk, resource in self._served.items()}

    @property
    def description(self) -> str:
        """``no cluster``."""
        return "no cluster"

    @property
    def warning(self) -> str:
        """Nothing."""
        return ""

    def normalize(self, key: ObjectKey, body: Json) -> Json:
        """The body as it is."""
        del key
        return body

    def serves(self, gvk: GroupVersionKind) -> bool:
        """False if the CRDs define the kind but not in this version."""
        return gvk in self._served or gvk.group_kind not in self._kinds

    def knows(self, gvk: GroupVersionKind) -> bool:
        """True if plural and scope are known, not guessed."""
        return gvk.group_kind in self._kinds or builtin_kinds.builtin_resource(gvk) is not None

    def resource(self, gvk: GroupVersionKind) -> Resource:
        """By the CRDs (in any version), Kubernetes' own kinds, and a guess."""
        near = self._served.get(gvk) or self._kinds.get(gvk.group_kind)
        return (
            replace(near, gvk=gvk) if near else builtin_kinds.builtin_resource(gvk) or builtin_kinds.guess_resource(gvk)
        )

    def resolve_kinds(self, gvks: Iterable[GroupVersionKind]) -> dict[GroupVersionKind, Resource | NotServed | Unknown]:
        """``resource`` of each."""
        return {gvk: self.resource(gvk) for gvk in gvks}

    def get_objects(self, wanted: Sequence[ObjectLookup]) -> list[Observation]:
        """Unknown, for each."""
        return [_NO_CLUSTER for _ in wanted]

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """Not asked, for each."""
        from postrender.cluster.interface import Skipped  # Nobody offline sends anything to a live object.

        return [Skipped()] * len(requests)

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> Unknown:
        """Unknown."""
        del name, manifest, driver
        return _NO_CLUSTER

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """Unknown, for each."""
        return [_NO_CLUSTER for _ in listings]

    def catalog(self) -> Catalog:
        """No kind, since nobody was asked."""
        from postrender.cluster.interface import Catalog

        return Catalog((), {"": _NO_CLUSTER})

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """Unknown, for each."""
        return [_NO_CLUSTER for _ in names]

    def stored_in(self, namespace: str) -> Unknown:
        """Unknown."""
        del namespace
        return _NO_CLUSTER
