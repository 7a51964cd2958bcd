"""Where two JSON values differ, for people to read."""

from __future__ import annotations

from postrender.helm.patch.values import deep_equal
from postrender.live import Json


def differs(left: Json, right: Json) -> tuple[tuple[str, ...], ...]:
    """The paths at which two values differ, in the order of ``left``, then of ``right``; ``((),)`` for the whole.

    Leaf by leaf: a field that only one side has counts once for each leaf below it. A list is one leaf, and so is an
    empty object. A null differs from what is not there; ``1`` and ``1.0`` do not.
    """
    return tuple(_differing(left, right, ()))


def _differing(left: Json, right: Json, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if type(left) is not dict or type(right) is not dict:
        return [] if deep_equal(left, right) else _leaves(left, path) if type(left) is dict else _leaves(right, path)
    if left is right:
        return []
    paths: list[tuple[str, ...]] = []
    for key, value in left.items():
        if key in right:
            paths += _differing(value, right[key], (*path, key))
        else:
            paths += _leaves(value, (*path, key))
    for key, value in right.items():
        if key not in left:
            paths += _leaves(value, (*path, key))
    return paths


def _leaves(value: Json, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if type(value) is not dict or not value:
        return [path]
    return [leaf for key, member in value.items() for leaf in _leaves(member, (*path, key))]
