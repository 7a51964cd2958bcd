"""The strategic merge patch that Helm sends for a built-in kind: three ways, the live object included.

``CreateThreeWayMergePatch``, pkg/util/strategicpatch/patch.go of k8s.io/apimachinery 0.37.1 (Helm 4.3.1), and what it
calls, with its argument overwrite set. The half that makes patches has not changed since 0.27.3 (Helm 3.12.3).

A patch is made of two halves: what differs from the live object, without deletions; and what the original has and the
modified object lacks, as deletions only. ``changes`` says below which of them is being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from postrender.helm.patch.go_sort import go_sorted
from postrender.helm.patch.json_values import MAP, Object, PatchError, deep_equal, printed, through_float64
from postrender.helm.patch.schema import Field, Schema, list_field, object_field, struct_of
from postrender.helm.patch.strategic_lists import (
    DELETE_SCALARS,
    DIRECTIVE,
    ELEMENT_ORDER,
    RETAIN_KEYS,
    element_type,
    in_order,
    merge_value,
    same_element,
    unique,
)
from postrender.helm.patch.strategic_merge import merged_patches
from postrender.models import GroupVersionKind, Json


def strategic_three_way(
    original: Object | None, modified: Object | None, current: Object | None, gvk: GroupVersionKind
) -> Object:
    """The patch that Helm sends for an object of a built-in kind; ``{}``, which it does not send, for no change.

    ``original`` is what the stored release has, ``modified`` what the chart wants, ``current`` what is live; ``None``
    is an empty object. The patch shares values with ``modified``.

    Raises PatchError with what Helm prints behind ``failed to create patch: ``, and ValueError
    if ``gvk`` is not a built-in kind.
    """
    schema, wanted = struct_of(gvk), modified or {}
    changes = _object_diff(current or {}, wanted, schema, changes=True)
    deletions = _object_diff(original or {}, wanted, schema, changes=False)
    patch: Object = through_float64(merged_patches(deletions, changes, schema))
    return patch


def _object_diff(old: Object, new: Object, schema: Schema, *, changes: bool, retain_keys: bool = False) -> Object:
    """``diffMaps``."""
    patch: Object = {}
    for key, wanted in new.items():
        if key not in old:
            if changes:
                patch[key] = wanted
            continue
        found = old[key]
        if key == DIRECTIVE:
            patch.update(_directive_diff(found, wanted))
        elif type(wanted) is dict and type(found) is dict:
            patch.update(_object_member_diff(key, found, wanted, schema, changes=changes))
        elif type(wanted) is list and type(found) is list:
            patch.update(_list_member_diff(key, found, wanted, schema, changes=changes))
        elif changes and not deep_equal(found, wanted):
            patch[key] = wanted
    if not changes:
        patch.update(dict.fromkeys(key for key in old if key not in new))
    if retain_keys and (patch or any(value is not None and key not in new for key, value in old.items())):
        retained = sorted(key for key, value in new.items() if value is not None)
        if retained:
            patch[RETAIN_KEYS] = retained
    return patch


def _directive_diff(old: Json, new: Json) -> Object:
    """A ``$patch`` in a manifest, which nobody should have put there (``handleDirectiveMarker``)."""
    if type(old) is not str or type(new) is not str:
        raise PatchError(f"invalid value for special key: {DIRECTIVE}")
    return {} if old == new else {DIRECTIVE: new}


def _object_member_diff(key: str, old: Object, new: Object, schema: Schema, *, changes: bool) -> Object:
    """``handleMapDiff``; a field that replaces objects as a whole is sent even where nothing differs."""
    field = _field(object_field, schema, key, old, new)
    if field is None:
        return {}
    if field.strategy == "replace":
        return {key: new} if changes else {}
    inner = _object_diff(old, new, field.schema, changes=changes, retain_keys=field.retain_keys)
    return {key: inner} if inner else {}


def _list_member_diff(key: str, old: list[Json], new: list[Json], schema: Schema, *, changes: bool) -> Object:
    """``handleSliceDiff``."""
    field = _field(list_field, schema, key, old, new)
    if field is None:
        return {}
    if field.strategy != "merge":
        return {key: new} if changes and not deep_equal(old, new) else {}
    if not old:
        return {key: new} if changes and new else {}
    if element_type(old, new) == MAP:
        lists = _object_list_diff(key, old, new, field, changes=changes)
    else:
        lists = _scalar_list_diff(key, old, new, changes=changes)
    return {name: elements for name, elements in lists.items() if elements}


def _field(look_up: Callable[[Schema, str], Field], schema: Schema, key: str, old: Json, new: Json) -> Field | None:
    """The field, or ``None`` where it is not known and does not matter, as nothing differs."""
    try:
        return look_up(schema, key)
    except PatchError:
        if deep_equal(old, new):
            return None
        raise


def _object_list_diff(
    key: str, old: list[Json], new: list[Json], field: Field, *, changes: bool
) -> dict[str, list[Json]]:
    """The part of ``diffLists`` that is about objects, and ``diffListsOfMaps``."""
    patch, deleted = _paired(old, new, field, changes=changes)
    if patch:
        patch = in_order(patch, new, field.merge_key)
    patch += deleted
    if not patch and not (changes and _reordered(old, new, field.merge_key)):
        return {}
    order = [{field.merge_key: element[field.merge_key]} for element in new]
    return {key: patch, f"{ELEMENT_ORDER}/{key}": order}


def _reordered(old: list[Json], new: list[Json], merge_key: str) -> bool:
    """The contrary of ``isOrderSame``."""
    return len(old) != len(new) or not all(
        same_element(before, after, merge_key) for before, after in zip(old, new, strict=True)
    )


def _paired(old: list[Json], new: list[Json], field: Field, *, changes: bool) -> tuple[list[Json], list[Json]]:
    """What is to be patched, and the deletions: both lists sorted by merge key and walked side by side."""
    key = field.merge_key
    befores, afters = _sorted_by_key(old, key), _sorted_by_key(new, key)
    patched: list[Json] = []
    deleted: list[Json] = []
    before, after = next(befores, None), next(afters, None)
    while before is not None or after is not None:
        if before is None or (after is not None and before[0] > after[0]):
            assert after is not None
            if changes:
                patched.append(after[1])
            after = next(afters, None)
        elif after is None or before[0] < after[0]:
            if not changes:
                deleted.append({key: before[1][key], DIRECTIVE: "delete"})
            before = next(befores, None)
        else:
            inner = _object_diff(before[1], after[1], field.schema, changes=changes, retain_keys=field.retain_keys)
            if inner:
                patched.append({**inner, key: after[1][key]})
            before, after = next(befores, None), next(afters, None)
    return patched, deleted


def _sorted_by_key(elements: list[Json], merge_key: str) -> Iterator[tuple[str, Object]]:
    values = [printed(element.get(merge_key)) for element in elements]
    for value, element in go_sorted(list(zip(values, elements, strict=True)), values):
        merge_value(element, merge_key)
        yield value, element


def _scalar_list_diff(key: str, old: list[Json], new: list[Json], *, changes: bool) -> dict[str, list[Json]]:
    """The part of ``diffLists`` that is about scalars, and ``diffListsOfScalars``.

    That sorts ``old`` in place before it is compared with ``new``, so that a list which is not sorted is sent with its
    order every time.
    """
    befores, afters = sorted(old, key=printed), sorted(new, key=printed)
    added: list[Json] = []
    deleted: list[Json] = []
    before = after = 0
    while before < len(befores) or after < len(afters):
        left = printed(befores[before]) if before < len(befores) else None
        right = printed(afters[after]) if after < len(afters) else None
        if left is None or (right is not None and left > right):
            added.append(afters[after])
            after += 1
        elif right is None or left < right:
            deleted.append(befores[before])
            before += 1
        else:
            before, after = before + 1, after + 1
    if changes:
        return {key: in_order(added, new, ""), f"{ELEMENT_ORDER}/{key}": [] if deep_equal(befores, new) else new}
    return {f"{DELETE_SCALARS}/{key}": unique(deleted), f"{ELEMENT_ORDER}/{key}": new if deleted else []}
