"""Who an object is: its group, kind, namespace and name, and the version it is looked at through.

The core group is ``""``, never ``None``. A namespace of ``""`` in an ``ObjectKey`` means cluster scope and nothing
else: a key is made only after the scope is known.
"""

from __future__ import annotations

from postrender.record import Record
from postrender.text import one_line


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

    ``status_apart`` tells whether it has a status subresource, so that writes to the object itself leave its status
    alone; ``None`` where nobody said.
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
