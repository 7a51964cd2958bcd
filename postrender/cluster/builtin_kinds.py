"""Plural and scope of a kind where no server is asked: Kubernetes' own kinds, CRDs at hand, and a guess."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

from postrender.models import GroupKind, GroupVersionKind, Json, Resource
from postrender.text import packaged

_UNPLURALIZED = ("endpoints",)


@cache
def _table() -> dict[GroupKind, tuple[str, bool, bool]]:
    """Plural, whether namespaced and whether with a status subresource; ``tools/builtin.py`` writes the file."""
    rows = json.loads(packaged(__name__, "builtin_kinds.json"))
    return {GroupKind(group, kind): (plural, namespaced, status) for group, kind, plural, namespaced, status in rows}


def builtin_resource(gvk: GroupVersionKind) -> Resource | None:
    """The resource of a kind that is built into Kubernetes, in any version; ``None`` for other kinds."""
    row = _table().get(gvk.group_kind)
    return Resource(gvk, *row) if row else None


def guess_resource(gvk: GroupVersionKind, *, namespaced: bool = True) -> Resource:
    """A resource with kubectl's guess of the plural (``UnsafeGuessKindToResource``, apimachinery's restmapper.go)."""
    singular = gvk.kind.lower()
    if singular.endswith(_UNPLURALIZED):
        plural = singular
    elif singular.endswith("s"):
        plural = f"{singular}es"
    elif singular.endswith("y"):
        plural = f"{singular[:-1]}ies"
    else:
        plural = f"{singular}s"
    return Resource(gvk, plural, namespaced)


def resources_of_crd(crd: Json) -> Iterator[Resource]:
    """The resources that a CustomResourceDefinition serves; none for another object.

    ``v1beta1`` may give one version for all in ``spec.version``, and one status subresource in ``spec.subresources``.
    """
    spec = _mapping(_mapping(crd).get("spec"))
    names = _mapping(spec.get("names"))
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str)):
        return
    versions = spec.get("versions") or [{"name": spec.get("version"), "served": True}]
    for each in versions if isinstance(versions, list) else ():
        version = _mapping(each)
        if isinstance(version.get("name"), str) and version.get("served"):
            inner = _mapping(version.get("subresources") or spec.get("subresources"))
            gvk = GroupVersionKind(group, version["name"], kind)
            yield Resource(gvk, plural, spec.get("scope") == "Namespaced", "status" in inner)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
