"""Types that every layer shares: identities of objects, live objects, releases, connections, severities.

The core group is ``""``, never ``None``. A namespace of ``""`` in an ``ObjectKey`` means cluster scope and nothing
else: a key is made only after the scope is known. In a ``Connection``, ``None`` (or an empty tuple) leaves the choice
to the kubeconfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from postrender._record import Record
from postrender.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias


class Connection(Record, hidden=("token", "apiserver")):
    """Connection settings for a cluster; omitted values come from the kubeconfig.

    ``kubeconfig`` is a path, or several joined by ``os.pathsep`` as ``$KUBECONFIG`` holds them. ``as_user``,
    ``as_groups`` and ``as_uid`` are the user to impersonate. ``request_timeout`` is in seconds. ``token`` and
    ``apiserver`` (a URL, which may hold a password) are left out of ``repr``: they must not reach a log, a report or a
    traceback.
    """

    kubeconfig: str | None = None
    context: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    token: str | None = None
    apiserver: str | None = None
    ca_file: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    request_timeout: float | None = None


class GroupKind(Record):
    """A kind in its group; what Helm 3.17.1 and later compare."""

    group: str
    kind: str

    def __str__(self) -> str:
        """``Shirt.stable.example.com``, or ``ConfigMap`` for the core group."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


SECRET = GroupKind("", "Secret")
"""The one kind whose values are never shown."""

NAMESPACE = GroupKind("", "Namespace")
CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


class GroupVersionKind(Record):
    """A kind in one version of its group; the version is a view of the object, not part of its identity."""

    group: str
    version: str
    kind: str

    @classmethod
    def parse(cls, api_version: str, kind: str) -> GroupVersionKind:
        """``parse("apps/v1", "Deployment")``; an apiVersion without a slash is the core group's.

        As ``schema.ParseGroupVersion`` (k8s.io/apimachinery) does, except that more than one slash is left in the
        version, where no server will find it.
        """
        group, slash, version = api_version.partition("/")
        return cls(group, version, kind) if slash else cls("", api_version, kind)

    @property
    def api_version(self) -> str:
        """``stable.example.com/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> GroupKind:
        """The same kind without the version."""
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        """``stable.example.com/v1 Shirt``."""
        return f"{self.api_version} {self.kind}"


class Resource(Record):
    """How a server serves a kind: the plural in its paths, and whether its objects live in namespaces.

    ``status_apart`` is set if it has a status subresource: writes to the object itself do not change its status;
    ``None`` if unknown.
    """

    gvk: GroupVersionKind
    plural: str
    namespaced: bool
    status_apart: bool | None = None

    @property
    def qualified(self) -> str:
        """``shirts.stable.example.com``, or ``configmaps`` for the core group: the name that kubectl takes."""
        return f"{self.plural}.{self.gvk.group}" if self.gvk.group else self.plural

    def path(self, namespace: str, name: str) -> str:
        """The exact path of one object: ``/apis/stable.example.com/v1/namespaces/shop/shirts/shirt``.

        ``namespace`` is ignored for a cluster-scoped kind. Without a name, the path of the collection.
        """
        root = f"/apis/{self.gvk.group}/{self.gvk.version}" if self.gvk.group else f"/api/{self.gvk.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


class ObjectKey(Record):
    """An object's identity, without the version; ``namespace`` is ``""`` for cluster scope, resolved."""

    group_kind: GroupKind
    namespace: str
    name: str

    def __str__(self) -> str:
        """``Shirt.stable.example.com/shop/shirt``; a cluster-scoped object has no middle part."""
        return "/".join(part for part in (str(self.group_kind), self.namespace, self.name) if part)


def object_name(resource: Resource, key: ObjectKey) -> str:
    """``shirts.stable.example.com/shop/shirt``: how every message names an object.

    A cluster-scoped object has no middle part; one whose name the server makes is called ``(generated)``.
    """
    return one_line("/".join(part for part in (resource.qualified, key.namespace, key.name or "(generated)") if part))


def kubectl(name: str) -> str:
    """``shirts.stable.example.com/shop/shirt`` as kubectl takes it: ``shirts.stable.example.com/shirt -n shop``."""
    parts = name.split("/")
    return f"{parts[0]}/{parts[-1]}" + (f" -n {parts[1]}" if len(parts) == 3 else "")


Json: TypeAlias = "Any"
"""A JSON value as Python's ``json`` gives it. Objects are dicts with string keys, never changed in place."""

MANAGED_BY = "app.kubernetes.io/managed-by"
OWN_FIELD_MANAGER = "postrender"
"""Who the API server says wrote our values. A later server-side apply of the same values meets no conflict."""
RELEASE_NAME = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
RESOURCE_POLICY = "helm.sh/resource-policy"
KEEP = "keep"
"""The value of ``RESOURCE_POLICY`` that keeps an object (``KeepPolicy``, pkg/kube/resource_policy.go)."""
KEEP_LIVE = "postrender/keep-live"
"""The annotation that names fields whose live values are kept, with commas between."""
FLUX_NAMESPACE = "helm.toolkit.fluxcd.io/namespace"
"""Flux labels every object with its HelmRelease's namespace (``originLabels``, internal/postrender of helm-controller),
where it stores the release unless told otherwise, whatever the target namespace is (``GetStorageNamespace``,
api/v2/helmrelease_types.go)."""
ARGOCD_TRACKING = "argocd.argoproj.io/tracking-id"
"""The annotation in which Argo CD writes which Application an object belongs to."""


class ReleaseName(Record):
    """The name and namespace of a release."""

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

    @property
    def argocd_application(self) -> str:
        """The Argo CD Application that tracks the object, ``""`` for none.

        The tracking id is ``application:group/kind:namespace/name``. One that names another object was copied with its
        annotations and counts for nothing; that of a cluster-scoped object has the Application's own namespace
        (``ParseAppInstanceValue``, util/argo/resource_tracking.go, and ``isSelfReferencedObj``, controller/state.go,
        Argo CD 3.5.1).
        """
        application, _, tracked = self.annotations.get(ARGOCD_TRACKING, "").partition(":")
        kind, _, place = tracked.partition(":")
        namespace, _, name = place.partition("/")
        own = f"{self.key.group_kind.group}/{self.key.group_kind.kind}"
        itself = (kind, name) == (own, self.key.name) and self.key.namespace in ("", namespace)
        return application if itself else ""


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
    pending-upgrade, pending-rollback, unknown); ``apply_method`` is ``ssa``, ``csa`` or ``""`` (Helm 3). ``chart`` has
    the ``templates`` that were rendered, as they are stored, and the ``values``: the chart's and the user's.
    """

    release: ReleaseName
    revision: int
    status: str
    manifest: str | None = None
    apply_method: str = ""
    chart: Json = None


class Severity(Enum):
    """Severity of a finding; ``ERROR`` stops the run unless its code is allowed."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
