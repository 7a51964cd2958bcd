"""The changes to one document: its edits as one tree of keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

from postrender._record import Record
from postrender.manifest.scalars import as_json, resolve
from postrender.models import Json
from postrender.text import Advice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias


class SetValue(Record):
    """Set the value at this place."""

    value: Json


class DeleteValue(Record):
    """Delete the value at this place."""


Changes: TypeAlias = "dict[str | int, Any]"
"""Key or list index to SetValue, DeleteValue or further Changes."""


class EditConflict(ValueError):
    """Two edits contradict each other, or an edit's path leads through a value that is not a collection.

    ``offset`` is where, in bytes, -1 for somewhere in the document; ``next`` what the user can do.
    """

    def __init__(self, cause: str, offset: int = -1, next: str = "") -> None:
        super().__init__(cause)
        self.offset = offset
        self.next = next or ()


def add(changes: Changes, path: tuple[str | int, ...], change: SetValue | DeleteValue) -> None:
    """Add one edit to the tree; raises EditConflict."""
    *way, last = path
    for key in way:
        changes = changes.setdefault(key, {})
        if not isinstance(changes, dict):
            raise EditConflict(f"two edits meet at {dotted(path)}")
    if last in changes and changes[last] != change:
        raise EditConflict(f"two edits meet at {dotted(path)}")
    changes[last] = change


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as text, its parts joined by dots."""
    return ".".join(map(str, path))


def applied(value: Json, changes: Changes) -> Json:
    """A copy of the value with the changes; raises EditConflict."""
    if value is None:
        return build(changes) or None
    if isinstance(value, dict):
        copy: Json = dict(value)
    elif isinstance(value, list):
        copy = list(value)
        for index in changes:
            check_index(value, index)
    else:
        raise no_fields(value)
    dropped: list[Any] = []
    key: Any
    for key, change in changes.items():
        if isinstance(change, DeleteValue):
            dropped.append(key)
        elif isinstance(change, SetValue):
            copy[key] = normalized(change.value)
        elif isinstance(copy, list) or key in copy:
            copy[key] = applied(copy[key], change)
        else:
            copy.update(build({key: change}))
    for key in sorted(dropped, reverse=True):
        if isinstance(copy, list) or key in copy:
            del copy[key]
    return copy


def no_fields(value: Json, offset: int = -1) -> EditConflict:
    """The error for an edit below a value that is not a mapping."""
    # Never the value itself, which may be a secret.
    shown = "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "a plain value"
    return EditConflict(
        f"{shown} stands where a mapping should", offset, next=Advice("in the chart's template, make it a mapping")
    )


def check_index(items: list[Json], index: str | int, offset: int = -1) -> int:
    """The list index that a part of a path stands for; raises EditConflict."""
    if not isinstance(index, int):
        raise no_fields(items, offset)
    if not 0 <= index < len(items):
        raise EditConflict(f"a list of {len(items)} has no item {index}", offset)
    return index


def build(changes: Changes) -> dict[str, Json]:
    """The mapping that the changes create where there was none; raises EditConflict."""
    made: dict[str, Json] = {}
    for key, change in changes.items():
        if isinstance(change, DeleteValue):
            continue
        if not isinstance(key, str):
            raise EditConflict(f"there is not a list to take item {key} from")
        if isinstance(change, SetValue):
            made[key] = normalized(change.value)
        else:
            inner = build(change)
            if inner:
                made[key] = inner
    return made


def normalized(value: Json) -> Json:
    """The value after it was written as YAML and read again: ``1.0`` is 1."""
    if isinstance(value, dict):
        return {key: normalized(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normalized(item) for item in value]
    return as_json(value)


def same(one: Json, other: Json) -> bool:
    """True if two JSON values are equal; true and 1 are not."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(item, other[key]) for key, item in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*\Z")
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}


def flow(value: Json) -> bytes:
    """A value as JSON on one line, which is YAML too; what YAML does not allow is escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.translate(_ESCAPED).encode()


def check_value(value: Json) -> None:
    """Raises EditConflict for a value that cannot be written as YAML."""
    if isinstance(value, str) and value.isascii():
        return
    try:
        flow(value)
    except UnicodeEncodeError:
        raise EditConflict("a lone surrogate cannot be written as UTF-8") from None
    except ValueError:
        raise EditConflict("neither infinity nor NaN has a place in JSON") from None


@cache
def key(name: str) -> bytes:
    """A mapping's key, quoted if necessary."""
    if _PLAIN_KEY.match(name) and isinstance(resolve(name, "", plain=True), str):
        return name.encode()
    return flow(name)


def block(name: str, value: Json, indent: int, newline: bytes, step: int = 2) -> bytes:
    """``name: value`` as lines indented by so many blanks, nested mappings as blocks, each line ended."""
    pad = b" " * indent
    if isinstance(value, Mapping) and value:
        inner = b"".join(block(each, item, indent + step, newline, step) for each, item in value.items())
        return pad + key(name) + b":" + newline + inner
    return pad + key(name) + b": " + flow(value) + newline
