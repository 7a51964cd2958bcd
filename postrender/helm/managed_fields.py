"""Which fields of a live object Helm itself set, as ``metadata.managedFields`` tells.

The entries are ``fieldsV1`` trees (``Set.ToJSON``, structured-merge-diff/v6/fieldpath/serialize.go): ``f:name`` is a
field, ``k:{...}`` a list element with those keys, ``v:...`` a scalar element, ``.`` the node itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from postrender.helm.patch import differs
from postrender.models import Json

Tree: TypeAlias = Mapping[str, Any]

MANAGER = "helm"
"""What Helm 3.9.4 to 4.3.1 call themselves, whatever the file is called; ``Update`` on 3.x, ``Apply`` on 4.x."""


_FREE_FORM = ("f:data", "f:binaryData")


def helm_fields(managed_fields: Sequence[Json], *, custom: bool) -> Tree:
    """The fields that Helm set, all entries of its manager in one tree; status written apart is not among them.

    Of a kind that is not ``custom`` only free-form maps are told (labels, annotations, data): for the rest the entries
    name what the server's defaulting filled in as well, which is no remainder of an older chart.
    """
    tree: dict[str, Any] = {}
    for entry in managed_fields:
        if entry.get("manager") == MANAGER and not entry.get("subresource"):
            tree = union(tree, entry.get("fieldsV1") or {})
    return tree if custom else free_form(tree)


def free_form(tree: Tree) -> Tree:
    """Of a built-in kind's fields those of maps that take any key: labels, annotations, data."""
    metadata = tree.get("f:metadata") or {}
    free = {key: metadata[key] for key in ("f:labels", "f:annotations") if key in metadata}
    named = {key: tree[key] for key in _FREE_FORM if key in tree}
    return {"f:metadata": free, **named} if free else named


def with_atomic_maps(tree: Tree, live: Json, others: Tree | None) -> Tree:
    """The tree with an entry for each field of a map that Helm set as a whole (``x-kubernetes-map-type: atomic``).

    Such a map has no entries below it. A map into which ``others`` wrote since is not one: it was merely set empty.
    """
    if not isinstance(live, dict):
        return tree
    if not tree:
        whole = bool(live) and not any(entry.startswith("f:") for entry in others or ())
        return (
            {".": {}, **{f"f:{name}": with_atomic_maps({}, value, None) for name, value in live.items()}}
            if whole
            else tree
        )
    return {
        entry: with_atomic_maps(below, live.get(entry[2:]), (others or {}).get(entry)) if entry[:2] == "f:" else below
        for entry, below in tree.items()
    }


def with_stale_fields(desired: Json, live: Json, tree: Tree) -> Json:
    """``desired`` and, beside it, what Helm set on the live object before and ``desired`` has no longer.

    Only what is live is taken, with its live value; lists are taken or left whole, since a merge patch does the same.
    """
    if not (isinstance(desired, dict) and isinstance(live, dict)):
        return desired
    result = {
        key: with_stale_fields(value, live[key], tree.get(f"f:{key}") or {}) if key in live else value
        for key, value in desired.items()
    }
    for key, value in live.items():
        if key not in desired and f"f:{key}" in tree:
            result[key] = _restricted(value, tree[f"f:{key}"])
    return result


def as_live(desired: Json, live: Json) -> Json:
    """``desired`` with each value replaced by the live one, and what is not live left out."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return {key: as_live(value, live[key]) for key, value in desired.items() if key in live}
    return live


def live_where_different(desired: Json, live: Json, right: Json) -> Json:
    """``desired`` with each value that is not live as it should be (``right``) replaced by the live one.

    What is live and right though ``desired`` says something else stays as it is said: it is somebody else's to set.
    """
    if isinstance(desired, dict) and isinstance(live, dict):
        shall = right if isinstance(right, dict) else {}
        return {
            key: live_where_different(value, live[key], shall.get(key)) for key, value in desired.items() if key in live
        }
    return live if differs(live, right) else desired


def overlay_owned(wanted: Json, live: Json, tree: Tree | None) -> Json:
    """``live`` with what is wanted in each field that the tree names, or that is not there at all.

    ``None`` for a tree names nothing, an empty one all of it. What ``wanted`` lacks stays.
    """
    if not (isinstance(wanted, dict) and isinstance(live, dict)):
        return live if tree is None else wanted
    result = dict(live)
    for key, value in wanted.items():
        below = tree.get(f"f:{key}") if tree else tree
        result[key] = overlay_owned(value, live[key], below) if key in live else value
    return result


def limited_to_server_result(body: Json, live: Json, result: Json, asked: Json) -> Json:
    """``body``, but for each field that stays as it is live though the server was ``asked`` for another value.

    ``result`` is the server's of that update. Some kinds take any update and keep their own fields, such as the spec of
    a CertificateSigningRequest; an admission may do the same.
    """
    if not all(isinstance(each, dict) for each in (body, live, result, asked)):
        return live if not _same(asked, live) and _same(result, live) else body
    limited = {}
    for key in {**body, **live}:
        if key in body or key not in asked:
            value = limited_to_server_result(*(each.get(key, _NONE) for each in (body, live, result, asked)))
            if value is not _NONE:
                limited[key] = value
    return limited


_NONE: Any = object()
"""No value at all."""


def _same(one: Json, other: Json) -> bool:
    return one is other if _NONE in (one, other) else not differs(one, other)


def without_stale_fields(merged: Json, desired: Json, tree: Tree) -> Json:
    """``merged`` without what Helm set before and ``desired`` has no longer: what a true upgrade would leave.

    A field that ``desired`` has as null is one that it has no longer.
    """
    if not tree or not (isinstance(merged, dict) and isinstance(desired, dict)):
        return merged
    result = {}
    for key, value in merged.items():
        subtree = tree.get(f"f:{key}")
        if desired.get(key) is not None:
            result[key] = without_stale_fields(value, desired[key], subtree or {})
        elif subtree is None:
            result[key] = value
        else:
            rest = _others(value, subtree)
            if rest is not None:
                result[key] = rest
    return result


def _restricted(value: Json, tree: Tree) -> Json:
    """The part of ``value`` that the tree names; a leaf of the tree takes all of it."""
    fields = {key.removeprefix("f:"): below for key, below in tree.items() if key.startswith("f:")}
    if not fields or not isinstance(value, dict):
        return value
    return {key: _restricted(below, fields[key]) for key, below in value.items() if key in fields}


def _others(value: Json, tree: Tree) -> Json:
    """What of ``value`` somebody else set; ``None`` where nothing is left."""
    fields = {key.removeprefix("f:"): below for key, below in tree.items() if key.startswith("f:")}
    if not fields or not isinstance(value, dict):
        return None
    rest = {}
    for key, below in value.items():
        if key not in fields:
            rest[key] = below
        else:
            others = _others(below, fields[key])
            if others is not None:
                rest[key] = others
    return rest or None


def union(one: Tree, other: Tree) -> dict[str, Any]:
    """All that either tree names."""
    result = dict(one)
    for key, below in other.items():
        result[key] = union(result[key], below) if key in result else below
    return result
