"""Two live objects compared: all that a chart, Helm or a client decides, and nothing that only the server does.

Lists whose entries have names are held against each other by name, so that a difference is said where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.e2e.api import Object

Place: TypeAlias = tuple["str | int", ...]
"""Where a value is in a live object: keys of maps, positions in lists."""

KEYS = ("name", "mountPath", "devicePath", "containerPort", "port", "key", "type", "ip", "topologyKey", "id", "path")
"""Fields that may name the entries of a list."""
OURS = ("helm", "postrender")
"""Field managers whose fields are Helm's business."""
_OF_THE_SERVER = (
    *("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "namespace", "name"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Nothing:
    """What stands for a value that is not there; null is one that is."""


NOTHING = _Nothing()


@dataclass(frozen=True)
class Difference:
    """One value that differs.

    ``path`` is for people, ``fields`` the keys of maps on the way, ``place`` where it is in the first object (``None``
    where it is missing there), ``order`` whether only the order of a list differs.
    """

    path: str
    fields: tuple[str, ...]
    place: Place | None
    here: Any
    there: Any
    order: bool = False

    def __str__(self) -> str:
        if self.order:
            return f"{self.path}: order"
        return f"{self.path}: {_short(self.here)} (fresh: {_short(self.there)})"


def comparable(live: Object, chart: Object) -> Object:
    """A live object without what only the server sets or allocates; ``chart`` is the manifest it was made from."""
    body: Object = json.loads(json.dumps(live))
    body.pop("status", None)
    metadata = body["metadata"]
    namespace = (metadata.get("annotations") or {}).get("meta.helm.sh/release-namespace", "")
    for field in _OF_THE_SERVER:
        metadata.pop(field, None)
    notes = metadata.get("annotations") or {}
    for note in ("kubectl.kubernetes.io/last-applied-configuration", "deprecated.daemonset.template.generation"):
        notes.pop(note, None)
    labels = metadata.get("labels") or {}
    for label in [each for each in labels if each.startswith("postrender/")]:
        del labels[label]
    if body["kind"] == "Service" and body["apiVersion"] == "v1":
        _without_allocated(body["spec"], chart.get("spec") or {})
    if body["kind"] == "Node":
        _without_conditions(body.get("spec") or {}, chart.get("spec") or {})
    if body["kind"] == "CertificateSigningRequest":
        for field in ("username", "groups", "uid", "extra"):
            body["spec"].pop(field, None)
    text = json.dumps(body)
    if namespace:
        text = text.replace(namespace, "(the release's namespace)")
    found: Object = json.loads(_UID.sub("(uid)", text) if body["kind"] == "Job" else text)
    return found


def differences(here: Any, there: Any) -> list[Difference]:
    """What differs in ``here``, held against ``there``."""
    return list(_differing(here, there, "", (), ()))


def not_of_others(found: Iterable[Difference], live: Object, chart: Object) -> list[Difference]:
    """Without those whose value in ``live`` belongs to another field manager than Helm.

    A default that is missing beside such a value goes with it: ``rollingUpdate`` beside another's ``type: Recreate``.
    """
    entries: list[Object] = live["metadata"].get("managedFields") or []
    owners = [entry for entry in entries if not entry.get("subresource")]
    ours, theirs = (
        {place for entry in owners if mine is (entry["manager"] in OURS) for place in _fields_of(entry, live)}
        for mine in (True, False)
    )
    found = list(found)
    others = [each for each in found if each.place is not None and not each.order and _theirs(ours, theirs, each)]
    unions = {each.fields[:-1] for each in others if each.fields[-1] == "type"}
    dependent = [each for each in found if each.place is None and each.fields[:-1] in unions and not _in(chart, each)]
    return [each for each in found if each not in others and each not in dependent]


def _in(chart: Object, difference: Difference) -> bool:
    """Whether the chart sets the field."""
    value: Any = chart
    for name in difference.fields:
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None


def _fields_of(entry: Object, live: Object) -> Iterator[Place]:
    """Of a Secret what was applied as ``stringData`` is live as ``data``."""
    fields = entry.get("fieldsV1") or {}
    if live.get("kind") == "Secret" and "f:stringData" in fields:
        fields = {**fields, "f:data": {**(fields.get("f:data") or {}), **fields["f:stringData"]}}
    return _owned(fields, live, ())


def _theirs(ours: set[Place], theirs: set[Place], difference: Difference) -> bool:
    """Whether all of the value is another manager's; an entry of a list is with whatever the server added to it."""
    assert difference.place is not None
    return _all_in(theirs, ours, difference.place, difference.here)


def _without_allocated(spec: Object, chart: Mapping[str, Any]) -> None:
    """Addresses and ports that the server chose are only named, so that whether there are any still counts."""
    for field in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
        if spec.get(field) and spec[field] not in ("None", ["None"]) and field not in chart:
            spec[field] = "(allocated)"
    for port in spec.get("ports") or []:
        if port.get("nodePort"):
            port["nodePort"] = "(allocated)"


def _without_conditions(spec: Object, chart: Mapping[str, Any]) -> None:
    """Without the taints that the server gives a node, and its controllers take away (``TaintNodesByCondition``)."""
    own = {taint.get("key") for taint in chart.get("taints") or []}
    taints = [
        taint
        for taint in spec.get("taints") or []
        if taint["key"] in own or not taint["key"].startswith("node.kubernetes.io/")
    ]
    spec.pop("taints", None)
    if taints:
        spec["taints"] = taints


def _differing(here: Any, there: Any, path: str, fields: tuple[str, ...], place: Place) -> Iterator[Difference]:
    if isinstance(here, dict) and isinstance(there, dict):
        for key in {**here, **there}:
            inner, names = _joined(path, key), (*fields, key)
            if key not in there:
                yield Difference(inner, names, (*place, key), here[key], NOTHING)
            elif key not in here:
                yield Difference(inner, names, None, NOTHING, there[key])
            else:
                yield from _differing(here[key], there[key], inner, names, (*place, key))
    elif isinstance(here, list) and isinstance(there, list) and (named := _named(here, there)):
        yield from _differing_entries(named, here, there, path, fields, place)
    elif isinstance(here, list) and isinstance(there, list) and here != there and _sorted(here) == _sorted(there):
        yield Difference(path, fields, place, here, there, order=True)
    elif here != there or type(here) is not type(there):
        yield Difference(path, fields, place, here, there)


def _differing_entries(
    key: str, here: list[Any], there: list[Any], path: str, fields: tuple[str, ...], place: Place
) -> Iterator[Difference]:
    mine, theirs = ({each[key]: (at, each) for at, each in enumerate(entries)} for entries in (here, there))
    for name in {**mine, **theirs}:
        inner = f"{path}[{key}={name}]"
        if name not in theirs:
            at, entry = mine[name]
            yield Difference(inner, fields, (*place, at), entry, NOTHING)
        elif name not in mine:
            yield Difference(inner, fields, None, NOTHING, theirs[name][1])
        else:
            at, entry = mine[name]
            yield from _differing(entry, theirs[name][1], inner, fields, (*place, at))
    if [name for name in mine if name in theirs] != [name for name in theirs if name in mine]:
        yield Difference(path, fields, place, here, there, order=True)


def _named(here: list[Any], there: list[Any]) -> str:
    """The field that tells the entries of both lists apart, ``""`` for none."""
    if not (here or there) or not all(isinstance(each, dict) for each in (*here, *there)):
        return ""
    for key in KEYS:
        values = [[each.get(key) for each in entries] for entries in (here, there)]
        if all(isinstance(value, (str, int)) for value in (*values[0], *values[1])) and all(
            len(set(some)) == len(some) for some in values
        ):
            return key
    return ""


def _owned(fields: Mapping[str, Any], value: Any, place: Place) -> Iterator[Place]:
    """The places in ``value`` that an entry of ``managedFields`` names (its ``fieldsV1``), the innermost ones."""
    inner = {key: each for key, each in fields.items() if key != "."}
    if not inner:
        yield place
    for key, below in inner.items():
        for step in _steps(key, value):
            yield from _owned(below, value[step], (*place, step))


def _steps(key: str, value: Any) -> list[str | int]:
    """What one key of ``fieldsV1`` means in a value: ``f:`` a field, ``k:`` and ``v:`` entries, ``i:`` a position."""
    sort, _, rest = key.partition(":")
    if sort == "f":
        return [rest] if isinstance(value, dict) and rest in value else []
    if not isinstance(value, list):
        return []
    if sort == "i":
        return [int(rest)] if int(rest) < len(value) else []
    wanted = json.loads(rest)
    if sort == "v":
        return [at for at, each in enumerate(value) if each == wanted]
    return [
        at
        for at, each in enumerate(value)
        if isinstance(each, dict) and all(each.get(name, other) == other for name, other in wanted.items())
    ]


def _all_in(theirs: set[Place], ours: set[Place], place: Place, value: Any) -> bool:
    if any(place[:length] in theirs for length in range(len(place) + 1)):
        return True
    if isinstance(place[-1], int) and not any(each[: len(place)] == place for each in ours):
        return any(each[: len(place)] == place for each in theirs)
    if isinstance(value, dict) and value:
        return all(_all_in(theirs, ours, (*place, key), each) for key, each in value.items())
    if isinstance(value, list) and value:
        return all(_all_in(theirs, ours, (*place, at), each) for at, each in enumerate(value))
    return False


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _sorted(entries: list[Any]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in entries)


def _short(value: Any) -> str:
    if value is NOTHING:
        return "nothing"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
