"""Random changes of a manifest: what leaves, comes, changes, moves or becomes null between two versions of a chart."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from tests.e2e.api import Object

Place: TypeAlias = tuple["str | int", ...]
Change: TypeAlias = Callable[[Random, Any, "str | int"], bool]
"""Changes one entry of a map or list in place; False where that cannot be done to this one."""

FIXED = (("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace"), ("status",))
"""What makes the object the same object, and what no chart decides."""


METADATA = 0.15
"""How often a change is one of labels or annotations, which are many and alike in every kind."""


def changed(chance: Random, body: Object) -> tuple[Object, str]:
    """The manifest with one to three changes, and what they are."""
    result = copy.deepcopy(body)
    said = []
    for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 2, 3))):
        name = chance.choice(OFTEN)
        where = _change_one(chance, result, CHANGES[name])
        if where:
            said.append(f"{where} {name}")
    if body.get("kind") == "Secret" and chance.random() < 0.25:
        said += _moved(chance, result)
    return result, "; ".join(said)


def _moved(chance: Random, secret: Object) -> list[str]:
    """Move one value between ``data`` and ``stringData``, unchanged."""
    maps = {place: secret.get(place) or {} for place in ("data", "stringData")}
    found = [(place, key) for place, values in maps.items() if isinstance(values, dict) for key in values]
    if not found or not all(isinstance(values, dict) for values in maps.values()):
        return []
    place, key = chance.choice(found)
    value = secret[place][key]
    if not isinstance(value, str):
        return []
    there = "stringData" if place == "data" else "data"
    try:
        moved = base64.b64decode(value).decode() if place == "data" else base64.b64encode(value.encode()).decode()
    except ValueError:
        return []
    del secret[place][key]
    secret[there] = {**maps[there], key: moved}
    return [f"{place}.{key} moves"]


def _change_one(chance: Random, body: Object, change: Change) -> str:
    """Change one place, each sort of place being as likely as any other; ``""`` where none was found."""
    sorts: dict[str, list[Place]] = {}
    for place in places(body):
        sorts.setdefault(pattern(place), []).append(place)
    about = [sort for sort in sorts if sort.startswith("metadata.")]
    content = [sort for sort in sorts if not sort.startswith("metadata.")]
    for _ in range(20):
        some = about if about and chance.random() < METADATA else content or about
        if not some:
            break
        sort = chance.choice(some)
        place = chance.choice(sorts[sort])
        parent = at(body, place[:-1])
        if change(chance, parent, place[-1]):
            return sort
    return ""


def places(body: Any, place: Place = ()) -> Iterator[Place]:
    """Every place below the top of a manifest that may change."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in pairs:
        here = (*place, key)
        if here not in FIXED:
            yield here
        if here not in FIXED or here == ("metadata",):
            yield from places(value, here)


def pattern(place: Place) -> str:
    """A place without the positions in lists: ``spec.ports[].name``."""
    return re.sub(r"\.?\[\]", "[]", ".".join("[]" if isinstance(step, int) else step for step in place))


def at(body: Any, place: Place) -> Any:
    """The value there."""
    for step in place:
        body = body[step]
    return body


def _leaves(_: Random, parent: Any, key: str | int) -> bool:
    del parent[key]
    return True


def _null(_: Random, parent: Any, key: str | int) -> bool:
    if isinstance(parent, list):
        return False
    parent[key] = None
    return True


def _empty(_: Random, parent: Any, key: str | int) -> bool:
    value = parent[key]
    if not isinstance(value, (dict, list)) or not value:
        return False
    parent[key] = type(value)()
    return True


def _scalar(chance: Random, parent: Any, key: str | int) -> bool:
    if isinstance(parent[key], (dict, list)):
        return False
    parent[key] = other(chance, parent[key])
    return True


def other(chance: Random, value: Any) -> Any:
    """Another scalar of the same sort."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, 1, 10))
    if isinstance(value, float):
        return value + 0.5
    if not isinstance(value, str):
        return "x"
    if value.upper() in ("TCP", "UDP", "SCTP"):
        return chance.choice([each for each in ("TCP", "UDP", "SCTP") if each != value.upper()])
    if number := re.search(r"\d+", value):
        return f"{value[: number.start()]}{int(number.group()) + 1}{value[number.end() :]}"
    return f"{value}x"


def _comes(chance: Random, parent: Any, key: str | int) -> bool:
    """A further entry in the list or map that is there: a copy of one of its own under another name."""
    value = parent[key]
    if isinstance(value, list) and value:
        entry = copy.deepcopy(chance.choice(value))
        if isinstance(entry, dict):
            for name in ("name", "port", "containerPort", "mountPath", "key", "ip"):
                if name in entry:
                    entry[name] = other(chance, entry[name])
        elif not isinstance(entry, list):
            entry = other(chance, entry)
        value.insert(chance.randrange(len(value) + 1), entry)
        return True
    if isinstance(value, dict) and value and not any(isinstance(each, (dict, list)) for each in value.values()):
        value["added"] = other(chance, chance.choice(tuple(value.values())))
        return True
    return False


def _order(chance: Random, parent: Any, key: str | int) -> bool:
    value = parent[key]
    if not isinstance(value, list) or len(value) < 2:
        return False
    before = list(value)
    chance.shuffle(value)
    return value != before


CHANGES: dict[str, Change] = {
    "leaves": _leaves,
    "changes": _scalar,
    "comes": _comes,
    "order": _order,
    "null": _null,
    "empty": _empty,
}
"""By what is said of them."""
OFTEN = (*CHANGES, "leaves")
"""What is drawn from: that something leaves is twice as likely as any other change."""
