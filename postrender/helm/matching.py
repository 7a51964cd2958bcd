"""Which of two manifests Helm takes for the same object.

``isMatchingInfo`` (pkg/kube/resource.go) compares name and namespace, and beside them what ``Matching`` tells.
``ResourceList.Get`` (the same file) answers with the first entry that matches, whatever stands behind it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from postrender.helm.versions import HelmVersion, Matching
from postrender.models import GroupVersionKind, ObjectKey


def identity(matching: Matching, gvk: GroupVersionKind, key: ObjectKey) -> Hashable:
    """What that matching compares: two objects are one to this Helm exactly where these are equal."""
    if matching is Matching.KIND:
        return (gvk.kind, key.namespace, key.name)
    if matching is Matching.GROUP_KIND:
        return (gvk.group, gvk.kind, key.namespace, key.name)
    return (gvk.group, gvk.version, gvk.kind, key.namespace, key.name)


def first_matches(identities: Iterable[Hashable]) -> dict[Hashable, int]:
    """The index of the first entry with each identity: what ``ResourceList.Get`` finds."""
    first: dict[Hashable, int] = {}
    for index, entry in enumerate(identities):
        first.setdefault(entry, index)
    return first


def no_original(helm: HelmVersion, key: ObjectKey) -> str:
    """What Helm says where it finds an object live that the revision it starts from does not hold.

    ``update`` (pkg/kube/client.go).
    """
    kind, name = key.group_kind.kind, key.name
    if helm.major >= 4:
        return f'original object {kind} with the name "{name}" not found'
    return f'no {kind} with the name "{name}" found'


def name_collisions(objects: Sequence[tuple[GroupVersionKind, ObjectKey]]) -> list[tuple[int, ...]]:
    """Groups of objects that share Kind, namespace and name but not the API group.

    Each answer holds indices into ``objects``, ascending, and spans at least two groups. One object named twice (the
    same group) is no lookalike of itself.
    """
    by_kind: dict[Hashable, list[int]] = {}
    for index, (gvk, key) in enumerate(objects):
        by_kind.setdefault(identity(Matching.KIND, gvk, key), []).append(index)
    return [tuple(group) for group in by_kind.values() if len({objects[index][0].group for index in group}) > 1]
