"""Merging two lists of a strategic merge patch, or of a patch and a live object, that have the strategy ``merge``.

``mergeSlice`` and what it calls, pkg/util/strategicpatch/patch.go of k8s.io/apimachinery 0.37.1.
"""

from __future__ import annotations

from collections.abc import Callable

from postrender.helm.patch.errors import PatchError
from postrender.helm.patch.lists import (
    DIRECTIVE,
    ELEMENT_ORDER,
    deduplicated,
    element_type,
    find,
    is_deletion,
    merge_value,
    partition,
    same_element,
    woven,
)
from postrender.helm.patch.schema import Field, kind_of
from postrender.helm.patch.values import MAP, Object, printed, printed_as_text
from postrender.live import Json


def merged_lists(
    original: list[Json], patch: list[Json], field: Field, merged_elements: Callable[[Object, Object], Object]
) -> tuple[list[Json], list[Json]]:
    """The merged list (``mergeSlice``), and what the merging left in the place of ``original``.

    Go deletes from and appends to the original's own memory, and later takes what it finds there for the server's
    order, up to the original's length.
    """
    if not original and not patch:
        return original, original
    if element_type(original, patch) != MAP:
        merged = deduplicated([*original, *patch])
        return _reordered(merged, patch, original, field), original
    if not field.merge_key:
        raise PatchError(f"cannot merge lists without merge key for {kind_of(field.schema)}")
    kept, memory, additions, replace = _after_directives(original, patch, field.merge_key)
    if replace:
        return _reordered(additions, [], additions, field), memory
    merged = list(kept)
    for element in additions:
        index = find(merged, field.merge_key, merge_value(element, field.merge_key))
        if index is None:
            merged.append(element)
        else:
            merged[index] = merged_elements(merged[index], element)
    left = [*merged, *memory[len(merged) :]][: len(original)]
    return _reordered(merged, additions, kept, field), left


def _reordered(merged: list[Json], patch: list[Json], original: list[Json], field: Field) -> list[Json]:
    patched, server_only = partition(merged, patch, field.merge_key)
    return woven(server_only, patched, patch, original, field.merge_key)


def _after_directives(
    original: list[Json], patch: list[Json], merge_key: str
) -> tuple[list[Json], list[Json], list[Json], bool]:
    """``mergeSliceWithSpecialElements``.

    Answers with what is left of the original, what is left in its memory, the patch without directives, and whether
    that replaces the original.
    """
    memory, length = list(original), len(original)
    additions: list[Json] = []
    replace = False
    for element in patch:
        if DIRECTIVE not in element:
            additions.append(element)
        elif element[DIRECTIVE] == "delete":
            value = merge_value(element, merge_key)
            while (index := find(memory[:length], merge_key, value)) is not None:
                memory[index : length - 1] = memory[index + 1 : length]
                length -= 1
        elif element[DIRECTIVE] == "replace":
            replace = True
        elif element[DIRECTIVE] == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise unknown_directive(element)
    return memory[:length], memory, additions, replace


def check_order(patch: list[Json], order: list[Json], merge_key: str) -> None:
    """``validatePatchWithSetOrderList``: a list with one merge key twice fails here."""
    if not patch or not order:
        return
    kept = [element for element in patch if not (merge_key and is_deletion(element))]
    kept = [element for element in kept if type(element) is not dict or DIRECTIVE not in element]
    matched = 0
    for element in order:
        if matched < len(kept) and same_element(kept[matched], element, merge_key):
            matched += 1
    if matched < len(kept):
        raise PatchError(
            f"The order in patch list:\n{printed(patch)}\n doesn't match {ELEMENT_ORDER} list:\n{printed(order)}\n"
        )


def unknown_directive(patch: Object) -> PatchError:
    """``ErrBadPatchType``."""
    return PatchError(f"unknown patch type: {printed_as_text(patch[DIRECTIVE])} in map: {printed(patch)}")
