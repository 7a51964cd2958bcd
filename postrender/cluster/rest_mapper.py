"""Objects by the names that people type: as every message has them, or as kubectl takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from postrender.cluster.interface import Catalog, NamedKind
from postrender.errors import ClusterError, UsageError
from postrender.models import ObjectKey, Resource

_FORMS = "shirts.stable.example.com/shop/shirt, or shirt/shirt as for kubectl"


def named_object(
    text: str, namespace: str, catalog: Catalog, *, kubectl: Callable[[str], str]
) -> tuple[Resource, ObjectKey]:
    """``shirts.stable.example.com/shop/shirt``, ``shirt/shirt`` in ``namespace``; ``clusterroles/admin``.

    The kind may be called by its plural, singular, short name or Kind, with its group or without. ``kubectl``
    writes a command of kubectl for the cluster of ``catalog``. Raises UsageError
    where that is no name or fits several kinds, ClusterError where it may be one that could not be asked for.
    """
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"no object can be called that: {_FORMS}", where=text)
    resource = _kind(text, parts[0], catalog, kubectl)
    if len(parts) == 3 and not resource.namespaced:
        raise UsageError(
            f"{resource.qualified} are in no namespace", where=text, next=f"{resource.qualified}/{parts[2]}"
        )
    within = (parts[1] if len(parts) == 3 else namespace) if resource.namespaced else ""
    return resource, ObjectKey(resource.gvk.group_kind, within, parts[-1])


def _kind(text: str, word: str, catalog: Catalog, kubectl: Callable[[str], str]) -> Resource:
    fitting = [named.resource for named in catalog.kinds if word.lower() in _called(named)]
    exact = [resource for resource in fitting if resource.qualified == word]
    if len(exact) == 1 or len(fitting) == 1:
        return (exact or fitting)[0]
    if fitting:
        rest = text.partition("/")[2]
        raise UsageError(f"{word} are several kinds", where=text, next=[f"{each.qualified}/{rest}" for each in fitting])
    if catalog.unknown:
        where, why = next(iter(catalog.unknown.items()))
        raise ClusterError(
            f"the server shows no {word}, and could not be asked about {where}: {why.reason}", where=text, next=why.next
        )
    raise UsageError(f"the server has no kind {word}", where=text, next=kubectl("api-resources"))


def _called(named: NamedKind) -> Iterable[str]:
    """Everything the kind may be called, in lower case."""
    resource = named.resource
    group, version = resource.gvk.group, resource.gvk.version
    for word in (resource.plural, named.singular, resource.gvk.kind.lower(), *named.short):
        if word:
            yield word
            if group:
                yield f"{word}.{group}"
                yield f"{word}.{version}.{group}"
