"""JSON values as Go holds them: their types, when two are equal, how ``%v`` prints them, and where two differ.

A value stands for the JSON text that Go's ``json.Marshal`` makes of it, so ``1.0`` and ``1`` are one value. Numbers
become ``int64`` where they fit, else ``float64`` (``UnmarshalCaseSensitivePreserveInts``, sigs.k8s.io/json), unless a
function says otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import TypeAlias

from postrender.models import Json

Object: TypeAlias = "dict[str, Json]"

NIL = "<nil>"
MAP = "map[string]interface {}"
LIST = "[]interface {}"

_TYPES: dict[type, str] = {dict: MAP, str: "string", list: LIST, bool: "bool", type(None): NIL}

_COLLECTIONS = frozenset((dict, list))
_MAY_HOLD_INTEGERS = frozenset((dict, list, int))

_INT64 = 1 << 63
_INTEGRAL_TEXT = 1e21
"""From here on json.Marshal writes a float64 with an exponent."""


def go_type(value: Json) -> str:
    """The Go type a value is decoded into, as ``reflect.Type`` prints it; ``<nil>`` for null."""
    return _TYPES.get(type(value)) or _number_type(value)


def _number_type(value: int | float) -> str:
    return "int64" if -_INT64 <= value < _INT64 and value == int(value) else "float64"


def deep_equal(left: Json, right: Json) -> bool:
    """``reflect.DeepEqual`` of two decoded values."""
    if left is right:
        return True
    kind = type(left)
    if kind is str:
        return type(right) is str and bool(left == right)
    if kind is dict:
        return (
            type(right) is dict
            and len(left) == len(right)
            and all(key in right and deep_equal(value, right[key]) for key, value in left.items())
        )
    if kind is list:
        return type(right) is list and len(left) == len(right) and all(map(deep_equal, left, right))
    if kind is bool or left is None:
        return type(right) is kind and bool(left == right)
    if type(right) not in (int, float):
        return False
    number = _number_type(left)
    return number == _number_type(right) and (left == right if number == "int64" else float(left) == float(right))


def sharing(value: Json, other: Json) -> Json:
    """The value, with ``other``'s own objects and lists wherever the two are the same.

    What is one object need not be compared, and a live object is compared with the chart's many times over. Where there
    is a float, nothing is shared: ``-0.0`` equals ``0.0`` and is written otherwise.
    """
    kind = type(value)
    if value is other or kind is not type(other) or kind not in _COLLECTIONS:
        return value
    made = value.copy()
    same = len(value) == len(other)
    for place, member in value.items() if kind is dict else enumerate(value):
        if place not in other if kind is dict else place >= len(other):
            same = False
            continue
        there = other[place]
        if type(member) in _COLLECTIONS:
            made[place] = member = sharing(member, there)
            same = same and member is there
        elif same:
            same = type(member) is type(there) is not float and member == there
    return other if same else made


def identity(value: Json) -> Hashable:
    """A dictionary key that is equal for two scalars exactly where Go's ``==`` on interfaces is.

    Raises PatchError for an object or a list, on which Go panics.
    """
    if type(value) is str:
        return value
    kind = go_type(value)
    if kind in (MAP, LIST):
        raise crash(f"comparing uncomparable type {kind}")
    return kind, float(value) if kind == "float64" else value


def printed(value: Json) -> str:
    """``fmt.Sprintf("%v", value)``."""
    if type(value) is str:
        return value
    kind = go_type(value)
    if kind == MAP:
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if kind == LIST:
        return f"[{' '.join(map(printed, value))}]"
    if kind == "bool":
        return "true" if value else "false"
    if kind == "int64":
        return str(int(value))
    return NIL if kind == NIL else _printed_float(float(value))


def printed_as_text(value: Json) -> str:
    """``fmt.Sprintf("%s", value)`` of a scalar: the string itself, else Go's complaint about the verb."""
    if type(value) is str:
        return value
    kind = go_type(value)
    return f"%!s({NIL})" if kind == NIL else f"%!s({kind}={printed(value)})"


def _printed_float(value: float) -> str:
    """The shortest digits, with an exponent where that is below -4 or above 5 (``%g`` of package strconv)."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    point = len(digits) + exponent - 1
    if -4 <= point < 6:
        return f"{Decimal(repr(value)).normalize():f}"
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if point < 0 else '+'}{abs(point):02}"


def without_nulls(value: Json) -> Json:
    """The value without the null members of its objects, at every depth; null elements of lists stay."""
    if type(value) is dict:
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if type(value) is list:
        return [without_nulls(element) for element in value]
    return value


def through_float64(value: Json, beyond: int = _INT64) -> Json:
    """The value after integers of at least ``beyond`` in size were held in a float64 and written as JSON again.

    Returns the same object where nothing changes.
    """
    if not _holds_integers(value, beyond):
        return value
    if type(value) is dict:
        return {key: through_float64(member, beyond) for key, member in value.items()}
    if type(value) is list:
        return [through_float64(element, beyond) for element in value]
    rounded = float(value)
    return int(Decimal(repr(rounded))) if abs(rounded) < _INTEGRAL_TEXT else rounded


def _holds_integers(value: Json, beyond: int) -> bool:
    kind = type(value)
    if kind is int:
        return not -beyond < value < beyond
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return False
    return any(_holds_integers(member, beyond) for member in value if type(member) in _MAY_HOLD_INTEGERS)


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
        if key not in right:
            paths += _leaves(value, (*path, key))
        elif type(value) is dict or not deep_equal(value, right[key]):
            paths += _differing(value, right[key], (*path, key))
    for key, value in right.items():
        if key not in left:
            paths += _leaves(value, (*path, key))
    return paths


def _leaves(value: Json, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if type(value) is not dict or not value:
        return [path]
    return [leaf for key, member in value.items() for leaf in _leaves(member, (*path, key))]


class PatchError(Exception):
    """Go's own error; ``str()`` of it is the message as Helm prints it, after its own ``failed to create patch: ``.

    ``crashes`` says that Go panics instead of returning the error: Helm ends with a stack trace in the middle of its
    run, and a new release is left ``pending-install``. An API server survives the same panic with a 500.
    """

    def __init__(self, message: str, *, crashes: bool = False) -> None:
        self.crashes = crashes
        super().__init__(message)


def crash(message: str) -> PatchError:
    """The panic that Go's runtime raises with this message."""
    return PatchError(f"runtime error: {message}", crashes=True)
