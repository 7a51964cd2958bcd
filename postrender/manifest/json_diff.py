"""The differences between two JSON values, field by field."""

from __future__ import annotations

from collections.abc import Iterator

from postrender._record import Record
from postrender.manifest.edit.changes import same
from postrender.models import Json


class Change(Record):
    """One field: ``op`` is add, remove or replace; ``path`` has keys and list indices, from the object down."""

    op: str
    path: tuple[str | int, ...]
    before: Json = None
    after: Json = None


def changes(before: Json, after: Json) -> tuple[Change, ...]:
    """The differences of mappings and of lists of equal length, at every depth, in the order of ``before``."""
    return tuple(_changes(before, after, ()))


def _changes(before: Json, after: Json, path: tuple[str | int, ...]) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from _changes(value, after[key], (*path, key))
            else:
                yield Change("remove", (*path, key), before=value)
        for key, value in after.items():
            if key not in before:
                yield Change("add", (*path, key), after=value)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(one, other, (*path, index))
    elif not same(before, after):
        yield Change("replace", path, before=before, after=after)
