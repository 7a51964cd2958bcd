"""Lists in strategic merge patches: elements matched by a merge key if they are objects, else by value, and merged.

Written after pkg/util/strategicpatch/patch.go of k8s.io/apimachinery 0.37.1: ``mergeSlice``, what it calls, and the
helpers that making and applying a patch share. Go's names are given where a reader may want to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from postrender.helm.patch.json_values import (
    LIST,
    MAP,
    NIL,
    Object,
    PatchError,
    crash,
    go_type,
    identity,
    printed,
    printed_as_text,
)
from postrender.helm.patch.schema import Field, kind_of
from postrender.models import Json

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_SCALARS = "$deleteFromPrimitiveList"
ELEMENT_ORDER = "$setElementOrder"


def bad_type(expected: str, value: Json) -> PatchError:
    """``ErrBadArgType``."""
    found = go_type(value)
    return PatchError(f"expected a {expected}, but received a {f'%!s({NIL})' if found == NIL else found}")


def element_type(*lists: Sequence[Json]) -> str:
    """The one Go type of all elements (``sliceElementType``).

    Raises PatchError where the types differ, the elements are lists, there is none, or the first is null (Go panics).
    """
    classes = {type(element) for elements in lists for element in elements}
    if len(classes) == 1 and not classes.isdisjoint((dict, str)):
        return MAP if dict in classes else "string"
    types = [go_type(element) for elements in lists for element in elements]
    if not types:
        raise PatchError("no elements in any of the given slices")
    if types[0] == NIL:
        raise crash("invalid memory address or nil pointer dereference")
    if types[0] == LIST:
        raise PatchError("lists of lists are not supported")
    if types.count(types[0]) != len(types):
        raise PatchError(f"list element types are not identical: {printed(list(lists))}")
    return types[0]


def merge_value(element: Json, merge_key: str) -> Json:
    """An element's value of the merge key; raises PatchError if it is not an object or lacks the key."""
    if type(element) is not dict:
        raise bad_type(MAP, element)
    if merge_key not in element:
        raise PatchError(f"map: {printed(element)} does not contain declared merge key: {merge_key}")
    return element[merge_key]


def same_element(left: Json, right: Json, merge_key: str) -> bool:
    """Whether two elements count as one (``mergeKeyValueEqual``); scalars with the merge key ``""``."""
    if merge_key:
        left, right = merge_value(left, merge_key), merge_value(right, merge_key)
    return identity(left) == identity(right)


def find(elements: Sequence[Json], merge_key: str, value: Json) -> int | None:
    """The index of the first object with that value (``findMapInSliceBasedOnKeyValue``); ``None`` for none."""
    wanted = identity(value)
    for index, element in enumerate(elements):
        if type(element) is not dict:
            raise PatchError(f"value for key {index} is not a map")
        if merge_key in element and identity(element[merge_key]) == wanted:
            return index
    return None


def is_deletion(element: Json) -> bool:
    """True if an element of a patch is a directive to delete the matching element."""
    if type(element) is not dict:
        raise bad_type(MAP, element)
    return element.get(DIRECTIVE) == "delete"


def unique(scalars: Iterable[Json]) -> list[Json]:
    """The scalars, each once; the last one fills the gap that a second one leaves (``deduplicateScalars``)."""
    left = list(scalars)
    position = 0
    while position < len(left):
        one, other = identity(left[position]), position + 1
        while other < len(left):
            if identity(left[other]) == one:
                left[other] = left[-1]
                left.pop()
            else:
                other += 1
        position += 1
    return left


def partition(elements: list[Json], by: list[Json], merge_key: str) -> tuple[list[Json], list[Json]]:
    """The elements that are in ``by``, and the others (``partitionMapsByPresentInList`` and its like for scalars)."""
    inside: list[Json] = []
    outside: list[Json] = []
    if merge_key:
        for element in elements:
            value = merge_value(element, merge_key)
            (outside if find(by, merge_key, value) is None else inside).append(element)
    else:
        members = set(map(identity, by))
        for element in elements:
            (inside if identity(element) in members else outside).append(element)
    return inside, outside


def in_order(elements: list[Json], order: list[Json], merge_key: str) -> list[Json]:
    """The elements as they come in ``order``, which has them all; deletions last (``normalizeSliceOrder``).

    With a merge key, raises PatchError where an element of either list is not an object or lacks the key.
    """
    places = _places(order, merge_key)
    if not merge_key:
        return sorted(elements, key=lambda element: places.get(identity(element), -1))
    for element in elements:
        merge_value(element, merge_key)
    kept = [element for element in elements if not is_deletion(element)]
    kept.sort(key=lambda element: places.get(identity(element[merge_key]), -1))
    return kept + [element for element in elements if is_deletion(element)]


def merge_ordered(
    server_only: list[Json], patched: list[Json], patch_order: list[Json], server_order: list[Json], merge_key: str
) -> list[Json]:
    """Both lists merged into one that keeps the order of each (``normalizeElementOrder``, ``mergeSortedSlice``).

    A patched element comes first unless the server has both and has the other one before it.
    """
    left, right = in_order(server_only, server_order, merge_key), in_order(patched, patch_order, merge_key)
    places = _places(server_order, merge_key)

    def place(element: Json) -> int | None:
        return places.get(identity(element.get(merge_key) if merge_key else element))

    result: list[Json] = []
    index = 0
    for element in right:
        here = place(element)
        while index < len(left) and here is not None and (there := place(left[index])) is not None and there < here:
            result.append(left[index])
            index += 1
        result.append(element)
    return result + left[index:]


def _places(order: list[Json], merge_key: str) -> dict[object, int]:
    places: dict[object, int] = {}
    for index, element in enumerate(order):
        places.setdefault(identity(merge_value(element, merge_key) if merge_key else element), index)
    return places


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
        merged = unique([*original, *patch])
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
    return merge_ordered(server_only, patched, patch, original, field.merge_key)


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
