"""What was found in a cluster (or in a file that stands for one): facts, before anybody decides anything."""

from __future__ import annotations

from collections.abc import Mapping

from postrender.identity import ObjectKey
from postrender.record import Record
from postrender.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

Json: TypeAlias = "Any"
"""A JSON value as Python's ``json`` gives it. Objects are dicts with string keys, never changed in place."""

MANAGED_BY = "app.kubernetes.io/managed-by"
RELEASE_NAME = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
RESOURCE_POLICY = "helm.sh/resource-policy"
FLUX_NAMESPACE = "helm.toolkit.fluxcd.io/namespace"
"""Flux labels every object with its HelmRelease's namespace (``originLabels``, internal/postrender of helm-controller),
where it stores the release unless told otherwise, whatever the target namespace is (``GetStorageNamespace``,
api/v2/helmrelease_types.go)."""


class ReleaseName(Record):
    """A release: Helm knows it by name and namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """``shop/old``: namespace, then name."""
        return one_line(f"{self.namespace}/{self.name}")


class LiveObject(Record, hidden=("annotations",)):
    """One live object. ``body`` is the whole object where it was asked for, else ``None``.

    ``managed_fields`` is ``metadata.managedFields`` as the server gave it (a list of JSON objects), ``api_version``
    the version it was read through.
    """

    key: ObjectKey
    api_version: str
    uid: str
    resource_version: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    deleting: bool = False
    managed_fields: tuple[Json, ...] = ()
    body: Json = None

    @property
    def managed_by_helm(self) -> bool:
        """Whether the label that Helm's check reads is there (``checkOwnership``, pkg/action/validate.go)."""
        return self.labels.get(MANAGED_BY) == "Helm"

    @property
    def owner(self) -> ReleaseName | None:
        """The release its two annotations name; ``None`` where either is missing."""
        name = self.annotations.get(RELEASE_NAME)
        namespace = self.annotations.get(RELEASE_NAMESPACE)
        return ReleaseName(namespace, name) if name and namespace else None

    @property
    def stored_as(self) -> tuple[ReleaseName, ...]:
        """Where the owner's revisions may be: in its namespace, where Helm puts them, or with Flux's HelmRelease."""
        owner = self.owner
        if owner is None:
            return ()
        of_flux = self.labels.get(FLUX_NAMESPACE)
        return (owner, ReleaseName(of_flux, owner.name)) if of_flux and of_flux != owner.namespace else (owner,)


class Found(Record):
    """The object is live."""

    live: LiveObject


class Absent(Record):
    """The server serves the kind and says that no such object exists."""


class NotServed(Record):
    """The server is sure that it does not serve this kind: its CRD may come with this very release."""


class Unknown(Record):
    """No clear answer: no right to read, too many requests, server error, time-out, stale discovery.

    ``reason`` is one sentence without a full stop; ``next`` what a user can type.
    """

    reason: str
    next: tuple[str, ...] = ()


Typed: TypeAlias = "Callable[[str, str], str]"
"""A command and its namespace as they are typed, with the flags that reach the same cluster."""


def unflagged(command: str, namespace: str) -> str:
    """``COMMAND -n NAMESPACE``, for wherever that leads."""
    import shlex

    return f"{command} -n {shlex.quote(namespace)}" if namespace else command


Observation: TypeAlias = Found | Absent | NotServed | Unknown


class StoredRelease(Record, hidden=("manifest",)):
    """One revision of a release, as Helm stored it. ``manifest`` is ``None`` where only metadata was read.

    ``status`` is one of Helm's (deployed, superseded, failed, uninstalled, uninstalling, pending-install,
    pending-upgrade, pending-rollback, unknown); ``apply_method`` is ``ssa``, ``csa`` or ``""`` (Helm 3).
    """

    release: ReleaseName
    revision: int
    status: str
    manifest: str | None = None
    apply_method: str = ""
