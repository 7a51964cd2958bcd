"""Differences between an applied object and a new object of the same chart, with the field managers that own them.

Server-side apply removes only what the same manager applied before. What other managers set stays, and so does what no
manager owns, such as the value of a default whose condition is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from postrender._record import Record, replace
from postrender.helm.field_set import EMPTY, Element, FieldSet, Path, canonical, element_of, key_names, value_at
from postrender.helm.managed_fields import fields_by_manager, is_controller
from postrender.helm.patch import deep_equal
from postrender.models import GroupKind, Json

_SERVICE = GroupKind("", "Service")
_SERVER_SET: Mapping[GroupKind, tuple[Path, ...]] = {
    GroupKind("", "Pod"): (("f:spec", "f:nodeName"),),
    _SERVICE: (("f:spec", "f:clusterIP"), ("f:spec", "f:clusterIPs"), ("f:spec", "f:healthCheckNodePort")),
    GroupKind("certificates.k8s.io", "CertificateSigningRequest"): tuple(
        ("f:spec", f"f:{name}") for name in ("extra", "groups", "uid", "username")
    ),
}
"""Fields that the server gives each object of its own."""
_OF_CLIENTS = frozenset(
    ("f:kubectl.kubernetes.io/last-applied-configuration", "f:deprecated.daemonset.template.generation")
)
"""Annotations that record how an object was written."""
_GENERATED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|kube-api-access-[a-z0-9]{5}")
"""Names that the server makes for each object: uids, volumes of tokens."""
_Owned = Mapping[str, FieldSet]


class Leftover(Record):
    """A path at which two objects differ: the live value, a new object's, and other managers that set it.

    ``in_chart`` is set if the chart has a value there. ``now`` and ``fresh`` are ``None`` if there is nothing.
    """

    path: Path
    now: Json
    fresh: Json
    managers: tuple[str, ...] = ()
    in_chart: bool = False


def leftovers(group_kind: GroupKind, live: Json, fresh: Json, chart: Json, manager: str) -> tuple[Leftover, ...]:
    """The differences of the applied object ``live``, in its order, except for values unique to each object.

    ``fresh`` is a new object of the same ``chart``, under the same name; ``manager`` is Helm's field manager.
    """
    old, new = _by_manager(live), _by_manager(fresh)
    found = (
        replace(each, in_chart=value_at(chart, each.path) is not None, managers=_others(each.managers, manager))
        for each in _unlike(_compared(live), _compared(fresh), old, new, frozenset(), ())
        if _foreign(each.managers, manager) != (_STATE,) and not _own_to_each(group_kind, each)
    )
    # What the new object had to be created without is live as the chart says.
    return tuple(each for each in found if not (each.in_chart and deep_equal(value_at(chart, each.path), each.now)))


def of_others(live: Json, chart: Json, manager: str) -> tuple[Leftover, ...]:
    """Fields of other managers that the chart does not set, for an applied object without a new one to compare."""
    owned = {name: fields for name, fields in _by_manager(live).items() if name not in (manager, _STATE)}
    found: dict[Path, list[str]] = {}
    for name, fields in owned.items():
        for path in fields.leaves():
            if value_at(live, path) is not None and value_at(chart, path) is None and not _OF_CLIENTS & set(path):
                found.setdefault(path, []).append(name)
    return tuple(Leftover(path, value_at(live, path), None, tuple(sorted(names))) for path, names in found.items())


_STATE = ""
"""Stands for controllers, and for writes to a subresource."""


def _by_manager(body: Json) -> dict[str, FieldSet]:
    owned: dict[str, FieldSet] = {}
    for (manager, subresource), fields in fields_by_manager(body).items():
        name = _STATE if subresource or is_controller(manager) else manager
        owned[name] = owned.get(name, EMPTY).union(fields)
    return owned


def _compared(body: Json) -> Json:
    kept = {name: value for name, value in body.items() if name not in ("apiVersion", "status")}
    kept["metadata"] = {
        name: value
        for name, value in body["metadata"].items()
        if name in ("annotations", "finalizers", "labels", "ownerReferences")
    }
    return kept


def _unlike(now: Json, fresh: Json, old: _Owned, new: _Owned, above: frozenset[str], path: Path) -> Iterator[Leftover]:
    if deep_equal(now, fresh):
        return
    above |= {name for name, fields in old.items() if not fields.children}
    if isinstance(now, dict) and isinstance(fresh, dict):
        for name in {**now, **fresh}:
            element = f"f:{name}"
            if element not in _OF_CLIENTS:
                below = _below(old, element), _below(new, element)
                yield from _unlike(now.get(name), fresh.get(name), *below, above, (*path, element))
        return
    keys = key_names((*old.values(), *new.values()))
    pairs = None if keys is None else _paired(now, fresh, keys)
    if pairs is not None:
        shared = [element for element, pair in pairs.items() if None not in pair]
        if shared != [element for each in fresh if (element := element_of(each, keys or ())) in shared]:
            yield Leftover(path, now, fresh)
        for element, (mine, other) in pairs.items():
            yield from _unlike(mine, other, _below(old, element), _below(new, element), above, (*path, element))
        return
    owners = () if now is None else tuple(sorted({*above, *old}))
    yield Leftover(path, now, fresh, owners)


def _below(owned: _Owned, element: Element) -> dict[str, FieldSet]:
    return {name: fields.at(element) for name, fields in owned.items() if fields.at(element)}


def _paired(now: Json, fresh: Json, keys: tuple[str, ...]) -> dict[Element, tuple[Json, Json]] | None:
    """The elements of two lists by identity, ``None`` if some share one."""
    if not (isinstance(now, list) and isinstance(fresh, list)):
        return None
    mine, other = ([element_of(each, keys) for each in values] for values in (now, fresh))
    if len(set(mine)) != len(mine) or len(set(other)) != len(other):
        return None
    before, after = dict(zip(mine, now, strict=True)), dict(zip(other, fresh, strict=True))
    return {element: (before.get(element), after.get(element)) for element in {**before, **after}}


def _foreign(managers: Sequence[str], manager: str) -> tuple[str, ...]:
    return tuple(name for name in managers if name != manager)


def _others(managers: Sequence[str], manager: str) -> tuple[str, ...]:
    return tuple(name for name in managers if name not in (manager, _STATE))


def _own_to_each(group_kind: GroupKind, found: Leftover) -> bool:
    if found.now is None or found.fresh is None:
        # A name that the server made is in one of them only, as the element that it identifies.
        return bool(_GENERATED.search(found.path[-1]))
    if found.path in _SERVER_SET.get(group_kind, ()):
        return not cannot_change(group_kind, found)
    if group_kind == _SERVICE and found.path[-1] == "f:nodePort":
        return True
    now, fresh = (_GENERATED.sub("", canonical(each)) for each in (found.now, found.fresh))
    return now == fresh


def cannot_change(group_kind: GroupKind, found: Leftover) -> bool:
    """True if only a new object can have the fresh value: a Service that becomes headless, or stops being so.

    The server keeps the old value of an update without one (``patchAllocatedValues`` of Kubernetes v1.34.0,
    pkg/registry/core/service/storage/storage.go).
    """
    headless = any(value in ("None", ["None"]) for value in (found.now, found.fresh))
    return group_kind == _SERVICE and found.path[-1] in ("f:clusterIP", "f:clusterIPs") and headless


def operations(live: Json, found: Sequence[Leftover]) -> list[Json]:
    """A JSON patch that sets ``live`` at these paths to the values of a new object."""
    # The last element of a list goes first, so that the others keep their places.
    return [
        {"op": "remove", "path": pointer(live, each.path)}
        if each.fresh is None
        else {"op": "add", "path": pointer(live, each.path), "value": each.fresh}
        for each in reversed(found)
    ]


def pointer(body: Json, path: Path) -> str:
    """A path as a JSON patch has it; an element that is not there is to be added at the end."""
    steps = []
    for element in path:
        if element.startswith("f:"):
            steps.append(element[2:].replace("~", "~0").replace("/", "~1"))
            body = body.get(element[2:]) if isinstance(body, dict) else None
        else:
            values = body if isinstance(body, list) else []
            place = next((at for at, each in enumerate(values) if value_at([each], (element,)) is not None), None)
            steps.append("-" if place is None else str(place))
            body = None if place is None else values[place]
    return "".join(f"/{step}" for step in steps)


def lost(chart: Json, live: Json, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths that the chart sets and that are missing or null in the applied object.

    A field that turns from a map with entries of its own into ``{}`` becomes null: structured-merge-diff takes the
    entries out after it has merged the empty map in.
    """
    found = []
    for key, value in chart.items():
        now = live.get(key)
        if value is not None and now is None:
            found.append((*path, key))
        elif isinstance(value, dict) and isinstance(now, dict):
            found += lost(value, now, (*path, key))
    return found
