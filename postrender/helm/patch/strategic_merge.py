"""Merging strategic merge patches: into a live object, as the API server does, and two halves into one, as Helm does.

``mergeMap`` and what it calls, pkg/util/strategicpatch/patch.go of k8s.io/apimachinery 0.37.1. An API server of 0.34.3
has the same. ``as_server`` says below which of the two is done (``MergeOptions``).
"""

from __future__ import annotations

from postrender.helm.patch.json_values import LIST, Object, PatchError, identity, without_nulls
from postrender.helm.patch.schema import Field, Schema, list_field, object_field, struct_of
from postrender.helm.patch.strategic_lists import (
    DELETE_SCALARS,
    DIRECTIVE,
    ELEMENT_ORDER,
    RETAIN_KEYS,
    bad_type,
    check_order,
    element_type,
    merge_ordered,
    merged_lists,
    partition,
    unknown_directive,
)
from postrender.models import GroupVersionKind, Json

_DROPPED: Json = object()


def apply_strategic(live: Object, patch: Object, gvk: GroupVersionKind) -> Object:
    """``live`` as the API server leaves it after the patch, before defaulting and validation.

    ``StrategicMergeMapPatch``, called from ``applyPatchToObject`` (pkg/endpoints/handlers/patch.go, k8s.io/apiserver).
    The result shares values with both. Exact for patches that Helm makes. A null in an element that is new to a list
    is still there; the server drops it when it makes a struct of the result.

    Raises PatchError with the server's answer, and ValueError where ``gvk`` is not a built-in kind.
    """
    return _merged(live, patch, struct_of(gvk), as_server=True)


def merged_patches(deletions: Object, changes: Object, schema: Schema) -> Object:
    """The deletions and the additions of a patch merged into one patch."""
    return _merged(deletions, changes, schema, as_server=False)


def _merged(original: Object, patch: Object, schema: Schema, *, as_server: bool) -> Object:
    if DIRECTIVE in patch:
        return _directed(patch)
    merged, rest = dict(original), dict(patch)
    if RETAIN_KEYS in rest:
        _retain_keys(merged, rest, as_server=as_server)
    for key in [key for key in rest if key.startswith(ELEMENT_ORDER)]:
        _merge_ordered_list(merged, rest, key, schema, as_server=as_server)
    for key, value in rest.items():
        if key.startswith(DELETE_SCALARS):
            if as_server:
                _delete_scalars(merged, key, value, schema)
            else:
                merged[key] = value
        elif value is None:
            merged.pop(key, None)
            if not as_server:
                merged[key] = None
        else:
            _merge_member(merged, key, value, schema, as_server=as_server)
    return merged


def _directed(patch: Object) -> Object:
    """``handleDirectiveInMergeMap``."""
    directive = patch[DIRECTIVE]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != DIRECTIVE}
    if directive == "delete":
        return {}
    raise unknown_directive(patch)


def _retain_keys(merged: Object, rest: Object, *, as_server: bool) -> None:
    """``applyRetainKeysDirective``; two halves of one patch never differ in it."""
    retained = rest.pop(RETAIN_KEYS)
    if not as_server:
        merged[RETAIN_KEYS] = retained
        return
    keys = set(map(identity, retained)) if type(retained) is list else set()
    for key, value in rest.items():
        if value is not None and key not in keys and not key.startswith((DELETE_SCALARS, ELEMENT_ORDER)):
            raise PatchError("invalid patch format of retainKeys")
    for key in [key for key in merged if key not in keys]:
        del merged[key]


def _merge_member(merged: Object, key: str, value: Json, schema: Schema, *, as_server: bool) -> None:
    old = merged.get(key)
    if type(old) is dict and type(value) is dict:
        field = object_field(schema, key)
        replaced = field.strategy == "replace"
        merged[key] = value if replaced else _merged(old, value, field.schema, as_server=as_server)
    elif type(old) is list and type(value) is list:
        field = list_field(schema, key)
        merged[key] = _merge_lists(old, value, field, as_server=as_server)[0] if field.strategy == "merge" else value
    else:
        new = _without_directives(without_nulls(value) if as_server else value)
        if new is _DROPPED:
            merged.pop(key, None)
        else:
            merged[key] = new


def _without_directives(value: Json) -> Json:
    """``removeDirectives``: what is left of a value that meets nothing to be merged into.

    Servers before 1.28 have no such step: there an element that was to be deleted from a list that is not there any
    more comes to life with its merge key alone.
    """
    if type(value) is dict:
        if DIRECTIVE in value:
            return _DROPPED
        members = {key: _without_directives(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not _DROPPED}
    if type(value) is list:
        return [element for element in map(_without_directives, value) if element is not _DROPPED]
    return value


def _list_name(key: str, prefix: str) -> str:
    """``ports`` of ``$setElementOrder/ports`` (``extractKey``)."""
    before, slash, name = key.partition("/")
    if before != prefix or not slash:
        what = "setElementOrder list" if prefix == ELEMENT_ORDER else "primitive list"
        raise PatchError(f"invalid patch format of {what}")
    return name


def _delete_scalars(merged: Object, key: str, value: Json, schema: Schema) -> None:
    name = _list_name(key, DELETE_SCALARS)
    old = merged.get(name)
    if type(old) is list and type(value) is list and (old or value):
        list_field(schema, name)
        element_type(old, value)
        gone = set(map(identity, value))
        merged[name] = [scalar for scalar in old if identity(scalar) not in gone]


def _merge_ordered_list(merged: Object, rest: Object, key: str, schema: Schema, *, as_server: bool) -> None:
    """One ``$setElementOrder``, and the lists it is about (``mergePatchIntoOriginal``)."""
    order = rest.pop(key)
    if not as_server:
        merged[key] = order
    name = _list_name(key, ELEMENT_ORDER)
    there, sent = name in merged, name in rest
    old, new = merged.get(name, []), rest.get(name, [])
    for value in (order, old, new):
        if type(value) is not list:
            raise bad_type(LIST, value)
    field = list_field(schema, name)
    check_order(new, order, field.merge_key)
    elements, server_order = old, old
    if there and sent:
        elements = new
        if field.strategy == "merge":
            elements, server_order = _merge_lists(old, new, field, as_server=as_server)
    elif sent:
        elements = _without_directives(new)
    elif not there:
        return
    ordered, server_only = partition(elements, order, field.merge_key)
    element_type(old, new)
    merged[name] = merge_ordered(server_only, ordered, order, server_order, field.merge_key)
    rest.pop(name, None)


def _merge_lists(
    original: list[Json], patch: list[Json], field: Field, *, as_server: bool
) -> tuple[list[Json], list[Json]]:
    def merge(left: Object, right: Object) -> Object:
        return _merged(left, right, field.schema, as_server=as_server)

    return merged_lists(original, patch, field, merge)
