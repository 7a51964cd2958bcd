"""What is to change in one document: the edits joined into one tree of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from postrender.live import Json

if TYPE_CHECKING:
    from postrender.splice import Edit


@dataclass(frozen=True, slots=True)
class Put:
    """The value to be at this place."""

    value: Json


class Drop:
    """Nothing is to be at this place."""


Changes: TypeAlias = dict[str | int, Any]
"""Key or list index to Put, Drop or further Changes."""


class Conflict(ValueError):
    """Two edits contradict each other, or an edit's path runs through something that is no collection."""


def add(changes: Changes, path: tuple[str | int, ...], edit: Edit) -> None:
    """Write one edit into the tree; raises Conflict."""
    *way, last = path
    for key in way:
        changes = changes.setdefault(key, {})
        if not isinstance(changes, dict):
            raise Conflict(f"two edits of {'.'.join(map(str, path))}")
    wish = Put(edit.value) if hasattr(edit, "value") else Drop()
    if last in changes and changes[last] != wish:
        raise Conflict(f"two edits of {'.'.join(map(str, path))}")
    changes[last] = wish


def applied(value: Json, changes: Changes) -> Json:
    """The value with the changes in it; the given one is left alone. Raises Conflict."""
    if value is None:
        made = materialised(changes)
        return made if made else value
    if isinstance(value, list):
        copy: Json = list(value)
        for key in changes:
            if not isinstance(key, int) or not 0 <= key < len(copy):
                raise Conflict(f"a list of {len(copy)} has no item {key}")
    elif isinstance(value, dict):
        copy = dict(value)
    else:
        raise Conflict(f"{value!r} has no fields to edit")
    drops: list[str | int] = []
    for key, wish in changes.items():
        if isinstance(wish, Put):
            copy[key] = wish.value
        elif isinstance(wish, Drop):
            drops.append(key)
        elif isinstance(copy, list) or key in copy:
            copy[key] = applied(copy[key], wish)
        else:
            made = materialised(wish)
            if made:
                copy[key] = made
    for key in sorted(drops, key=str, reverse=True):
        if isinstance(copy, list) or key in copy:
            del copy[key]
    return copy


def materialised(changes: Changes) -> dict[str, Json]:
    """The mapping that the changes make out of nothing; raises Conflict."""
    made: dict[str, Json] = {}
    for key, wish in changes.items():
        if isinstance(wish, Drop):
            continue
        if not isinstance(key, str):
            raise Conflict(f"there is no list to take item {key} from")
        if isinstance(wish, Put):
            made[key] = wish.value
        else:
            inner = materialised(wish)
            if inner:
                made[key] = inner
    return made
