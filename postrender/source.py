"""What answers questions about live objects: a cluster, a file that stands for one, or nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from postrender.errors import ClusterError, UsageError
from postrender.identity import GroupVersionKind, ObjectKey, Resource
from postrender.live import (
    Json,
    LiveObject,
    NotServed,
    Observation,
    ReleaseName,
    StoredRelease,
    Unknown,
    unflagged,
)
from postrender.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from postrender.trial import Trial, TrialAnswer
else:
    Protocol = object


LIST = "helm list --deployed --failed --pending"
"""Helm 4 has no ``--all``, and Helm 3 lists no pending release without a flag (cmd/helm/list.go, pkg/cmd/list.go)."""


class Wanted(Record):
    """One object to be looked up; ``body`` asks for all of it, not only its metadata.

    ``namespace`` is resolved and ``""`` for a cluster-scoped kind; ``name`` is never empty.
    """

    resource: Resource
    namespace: str
    name: str
    body: bool

    @property
    def key(self) -> ObjectKey:
        """The identity of what is asked for."""
        return ObjectKey(self.resource.gvk.group_kind, self.namespace, self.name)


class Source(Protocol):
    """Where live objects are looked up. What it could not tell for certain is ``Unknown``, never an exception."""

    @property
    def description(self) -> str:
        """For a reader: ``context kind-dev (https://127.0.0.1:6443)`` or ``file live.yaml``; never a secret."""

    @property
    def note(self) -> str:
        """What a reader of a plan must know of it, as a sentence without a full stop; ``""`` for nothing."""

    def comparable(self, key: ObjectKey, body: Json) -> Json:
        """What a chart wants, as what is live here can be compared with it: with digests where this holds digests."""

    def resources(self, gvks: Iterable[GroupVersionKind]) -> Mapping[GroupVersionKind, Resource | NotServed | Unknown]:
        """How each kind is served, or that it is not."""

    def observe(self, wanted: Sequence[Wanted]) -> list[Observation]:
        """What is live, in the order of ``wanted``."""

    def attempt(self, trials: Sequence[Trial]) -> list[TrialAnswer]:
        """What the server would say to each request, in the order of ``trials``; nothing is changed by it."""

    def releases(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """Every stored revision, ascending; ``()`` means that the release is gone.

        ``driver`` is ``$HELM_DRIVER``. With ``manifest``, the newest revision and the newest deployed one come with
        their manifest.
        """

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """As ``releases`` with their manifests, for several releases at once, each with its driver, in order."""

    def stored_in(self, namespace: str) -> tuple[tuple[ReleaseName, str], ...] | Unknown:
        """Every release of which a namespace holds revisions, whatever their status, each with its driver."""

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with the flags that reach the same cluster."""

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours, with the flags that do."""


class Reached(Protocol):
    """A cluster that tells how the next command reaches it."""

    @property
    def description(self) -> str:
        """For a reader, as a source's."""

    def kubectl(self, command: str, namespace: str = "") -> str:
        """As ``Source.kubectl``."""

    def typed(self, command: str, namespace: str) -> str:
        """As ``Source.typed``."""


class Unreached:
    """What a source without a cluster of its own says of commands: they go wherever they go."""

    __slots__ = ()

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE``."""
        return unflagged(f"kubectl {command}", namespace)

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE``."""
        return unflagged(command, namespace)


def none_stored(release: ReleaseName, reached: Reached, driver: str) -> UsageError:
    """The error that says that nothing is stored there of a release."""
    return UsageError(
        f"no revision of it is stored in {reached.description} (driver {driver})",
        where=f"release {release}",
        next=(
            reached.typed(LIST, release.namespace),
            "--driver configmap   (or HELM_DRIVER, as Helm has it)",
        ),
    )


def unreadable(release: ReleaseName, description: str, why: Unknown) -> ClusterError:
    """The error that says that a release's stored revisions could not be read from the place of that description."""
    return ClusterError(
        f"its stored revisions could not be read from {description}: {why.reason}",
        where=f"release {release}",
        next=why.next,
    )


class Misshapen(Exception):
    """Something is no Kubernetes object; the message is one sentence without a full stop."""


def live_object(body: Json, gvk: GroupVersionKind, *, whole: bool) -> LiveObject:
    """The facts of an object's JSON; ``whole`` keeps the JSON with them. Raises Misshapen."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        raise Misshapen("it has no metadata")
    managed = metadata.get("managedFields")
    if managed is not None and not isinstance(managed, list):
        raise Misshapen("its metadata.managedFields are no list")
    return LiveObject(
        key=ObjectKey(gvk.group_kind, _text(metadata, "namespace"), _text(metadata, "name")),
        api_version=gvk.api_version,
        uid=_text(metadata, "uid"),
        resource_version=_text(metadata, "resourceVersion"),
        labels=_texts(metadata, "labels"),
        annotations=_texts(metadata, "annotations"),
        deleting=bool(_text(metadata, "deletionTimestamp")),
        managed_fields=tuple(managed or ()),
        body=body if whole else None,
    )


def _text(metadata: dict[str, Json], field: str) -> str:
    found = metadata.get(field)
    if found is not None and not isinstance(found, str):
        raise Misshapen(f"its metadata.{field} is no text")
    return found or ""


def _texts(metadata: dict[str, Json], field: str) -> Mapping[str, str]:
    found = metadata.get(field)
    if found is not None and not (isinstance(found, dict) and all(isinstance(each, str) for each in found.values())):
        raise Misshapen(f"its metadata.{field} do not map text to text")
    return found or {}
