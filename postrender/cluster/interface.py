"""The interface of a cluster for the rest of postrender: lookups, lists and dry runs, and their results.

``ClusterReader`` is implemented by the API server (``client``), a file (``snapshot_file``) and nothing (``offline``). A
dry run goes through everything a write goes through, admission included, except the last step: nothing is stored
(``dryRun=All``, k8s.io/apiserver 0.34, pkg/registry/generic/registry/dryrun.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum

from postrender._record import Record
from postrender.errors import ClusterError, UsageError
from postrender.helm.invocation import FIELD_MANAGER
from postrender.models import (
    GroupVersionKind,
    Json,
    LiveObject,
    NotServed,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
    object_name,
    unflagged,
)
from postrender.text import Advice, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeAlias
else:
    Protocol = object


LIST = "helm list --deployed --failed --pending"
"""Helm 4 has no ``--all``, and Helm 3 lists no pending release without a flag (cmd/helm/list.go, pkg/cmd/list.go)."""


class ObjectLookup(Record):
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


CONTEXTS = Hint("kubectl config get-contexts", "to look live objects up, add --kube-context with one of these")
LIVE = Advice("or add --live with a file that kubectl get -o yaml wrote")
"""How to plan without a cluster."""


class CommandHints(Protocol):
    """A cluster or a file, its name in messages, and the flags with which other commands reach it."""

    @property
    def description(self) -> str:
        """For a reader: ``context kind-dev (https://127.0.0.1:6443)`` or ``file live.yaml``; never a secret."""

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with the flags that reach the same cluster."""

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours, with the flags that reach the same cluster."""


class RevisionReader(CommandHints, Protocol):
    """A source of the stored revisions of releases."""

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """Every stored revision, ascending; ``()`` means that the release does not exist.

        ``driver`` is ``$HELM_DRIVER``. With ``manifest``, the newest revision and the newest deployed one come with
        their manifest.
        """


class ClusterReader(RevisionReader, Protocol):
    """A source of live objects. Anything that is not known for certain is ``Unknown``, never an exception."""

    @property
    def warning(self) -> str:
        """A warning about this source for readers of a plan, without a full stop; ``""`` for none."""

    def normalize(self, key: ObjectKey, body: Json) -> Json:
        """The chart's object in a form to compare with live objects: with digests if those have digests."""

    def resolve_kinds(
        self, gvks: Iterable[GroupVersionKind]
    ) -> Mapping[GroupVersionKind, Resource | NotServed | Unknown]:
        """How each kind is served, or that it is not."""

    def get_objects(self, wanted: Sequence[ObjectLookup]) -> list[Observation]:
        """The live objects, in the order of ``wanted``."""

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """The server's result of each request as a dry run, in the order of ``requests``; nothing is changed."""

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """The reduced items of each listing, in the order of ``listings``; Unknown where it could not be listed whole.

        A file lists what it holds, and does not know whether there is more where it holds none.
        """

    def catalog(self) -> Catalog:
        """Every kind that is served; for a file, those of its objects."""

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """As ``get_revisions`` with their manifests, for several releases at once, each with its driver, in order."""

    def stored_in(self, namespace: str) -> tuple[tuple[ReleaseName, str], ...] | Unknown:
        """All releases with revisions in a namespace, whatever their status, each with its driver."""

    def completed(self, steps: Sequence[str]) -> tuple[str, ...]:
        """The commands, each with the flags that reach the cluster unless it has such flags already."""


class Unreached:
    """The command hints of a source without a cluster: no flags are added."""

    __slots__ = ()

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE``."""
        return unflagged(f"kubectl {command}", namespace)

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE``."""
        return unflagged(command, namespace)

    def completed(self, steps: Sequence[str]) -> tuple[str, ...]:
        """The advice as it is."""
        return tuple(steps)


def none_stored(release: ReleaseName, reached: CommandHints, driver: str) -> UsageError:
    """The error for a release without stored revisions."""
    return UsageError(
        f"no revision of it is stored in {reached.description} (driver {driver})",
        where=f"release {release}",
        next=(
            reached.typed(LIST, release.namespace),
            Hint("--driver configmap", "if Helm runs with HELM_DRIVER=configmap"),
        ),
    )


def unreadable(release: ReleaseName, description: str, why: Unknown) -> ClusterError:
    """The error for stored revisions that could not be read."""
    return ClusterError(
        f"its stored revisions could not be read from {description}: {why.reason}",
        where=f"release {release}",
        next=why.next,
    )


class NotAnObject(Exception):
    """Something is not a Kubernetes object; the message is one sentence without a full stop."""


def live_object(body: Json, gvk: GroupVersionKind, *, whole: bool) -> LiveObject:
    """The facts of an object's JSON; ``whole`` keeps the JSON with them. Raises NotAnObject."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        raise NotAnObject("it has no metadata")
    managed = metadata.get("managedFields")
    if managed is not None and not isinstance(managed, list):
        raise NotAnObject("its metadata.managedFields are not a list")
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
        raise NotAnObject(f"its metadata.{field} is not a text")
    return found or ""


def _texts(metadata: dict[str, Json], field: str) -> Mapping[str, str]:
    found = metadata.get(field)
    if found is not None and not (isinstance(found, dict) and all(isinstance(each, str) for each in found.values())):
        raise NotAnObject(f"its metadata.{field} do not map text to text")
    return found or {}


class Listing(Record):
    """All objects of a kind in one namespace, or in all (``""``), that a label selector chooses (``""``: all).

    ``reduce`` reduces an item, which is JSON with the object's metadata, to what is wanted of it; ``None`` drops it. It
    is called in other threads, by one at a time, and may raise NotAnObject.
    """

    resource: Resource
    namespace: str
    selector: str
    reduce: Callable[[Resource, Json], Any]
    limit: int = 0
    """Objects in one page at most; 0 for the usual number."""
    whole: bool = False
    """Whether items are whole objects, and not their metadata alone."""


class Page(Record):
    """Some of the objects of a listing, reduced; ``seen`` counts all so far.

    ``failure`` says why there are no more, ``forbidden`` that this is for want of a right; ``last`` ends a listing.
    """

    kept: tuple[Any, ...] = ()
    seen: int = 0
    failure: Unknown | None = None
    forbidden: bool = False
    last: bool = True


class NamedKind(Record):
    """A resource with its singular (``""`` if unknown) and its short names."""

    resource: Resource
    singular: str = ""
    short: tuple[str, ...] = ()


class Catalog(Record):
    """Every kind whose objects can be made and listed, and the groups (by path) that could not be asked."""

    kinds: tuple[NamedKind, ...]
    unknown: Mapping[str, Unknown]


class Lister(RevisionReader, Protocol):
    """A cluster, where all objects of a kind can be listed."""

    def catalog(self) -> Catalog:
        """What is served."""

    def pages(self, listings: Sequence[Listing]) -> Iterator[tuple[Listing, Page]]:
        """The pages of all listings as they come, several at once; a listing ends with a failure or without one."""


class Verb(Enum):
    """How one object is written; by a JSON patch only in a dry run."""

    APPLY = "server-side apply"
    MERGE = "merge patch"
    STRATEGIC = "strategic merge patch"
    REPLACE = "replace"
    CREATE = "create"
    JSON = "JSON patch"


class DryRunRequest(Record, hidden=("body",)):
    """One request. ``force`` is server-side apply's: take fields from other field managers.

    ``migrates_field_manager`` says that Helm makes the entries of its client-side past its own before it applies, so
    that no conflict with those can arise; ``ownership_written_first`` that postrender writes the ownership metadata
    before Helm comes. ``has_client_side_fields`` says that there are such entries: the answer is what the apply makes
    of the object once they are migrated, or, unless ``migrates_field_manager``, what the apply leaves because they are
    not. ``creates`` says that nothing is live under that name, ``strict_validation`` that Helm asks for no field to be
    unknown. ``follows`` says that an earlier document of the run writes the object first: the server cannot foresee the
    result. ``stands_for`` is the object for which the request is sent under another name, an unused one.
    ``field_manager`` is Helm's.
    """

    verb: Verb
    resource: Resource
    key: ObjectKey
    body: Json
    force: bool = False
    migrates_field_manager: bool = False
    ownership_written_first: bool = False
    creates: bool = False
    strict_validation: bool = False
    stands_for: ObjectKey | None = None
    has_client_side_fields: bool = False
    follows: bool = False
    field_manager: str = FIELD_MANAGER

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.about)

    @property
    def about(self) -> ObjectKey:
        """The object that the request is about, whatever name it is sent under."""
        return self.stands_for or self.key


class Accepted(Record, hidden=("live",)):
    """The server accepts the request; ``live`` is the object that it returned.

    ``removed`` are paths, each of elements as in ``fieldsV1``, of what goes or changes because Helm migrated its
    ownership and the chart lacks it. ``left`` are such paths of what stays because Helm does not migrate.
    """

    live: Json
    removed: tuple[tuple[str, ...], ...] = ()
    left: tuple[tuple[str, ...], ...] = ()


class Conflict(Record):
    """One field that another field manager set: ``field`` is like ``.spec.color``.

    ``by_update`` tells an entry of plain writes from one of server-side apply.
    """

    field: str
    manager: str
    by_update: bool


class Conflicts(Record):
    """A server-side apply without force conflicts with other field managers; ``message`` is the server's."""

    conflicts: tuple[Conflict, ...]
    message: str


class Rejected(Record):
    """The server rejects the request, such as a change to an immutable field; ``message`` is the server's."""

    message: str


class Skipped(Record):
    """The dry run has no result: no permission, no server, no clear response.

    ``reason`` is a sentence without a full stop, ``""`` where nobody expects an answer (a file stands for the cluster);
    ``next`` what a user can type.
    """

    reason: str = ""
    next: tuple[str, ...] = ()


DryRunResult: TypeAlias = Accepted | Conflicts | Rejected | Skipped
