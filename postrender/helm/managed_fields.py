"""The fields of a live object that Helm set, from ``metadata.managedFields``, and objects with or without them."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

from postrender.helm.field_set import EMPTY, WHOLE, FieldSet
from postrender.helm.patch import deep_equal
from postrender.models import Json

_CONTROLLER = re.compile(r"kubelet|kube-scheduler|.*controller-manager|vpa-.*|.*-autoscaler|.*-operator|manager")
"""Kubernetes' own (``cmd`` of k8s.io/kubernetes), autoscalers, and what kubebuilder and operators call themselves."""

_FREE_FORM = FieldSet(
    {"f:metadata": FieldSet({"f:labels": WHOLE, "f:annotations": WHOLE}), "f:data": WHOLE, "f:binaryData": WHOLE}
)
"""Maps of built-in kinds that take any key."""


def is_controller(manager: str) -> bool:
    """True for a field manager that sets state, which no chart has, and not configuration, as kubectl or Helm do."""
    return _CONTROLLER.fullmatch(manager) is not None


def fields_by_manager(live: Json) -> dict[tuple[str, str], FieldSet]:
    """The fields that an object's field managers own, by manager and subresource; ``""`` for the object itself."""
    found: dict[tuple[str, str], FieldSet] = {}
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        manager = str(entry.get("manager")), str(entry.get("subresource") or "")
        fields = FieldSet.parse(entry.get("fieldsV1") or {})
        if fields:
            found[manager] = found[manager].union(fields) if manager in found else fields
    return found


def helm_fields(live: Json, manager: str, *, custom: bool) -> FieldSet:
    """The fields that Helm, as this field manager, set on a live object.

    Of a kind that is not ``custom`` these are only labels, annotations and data: among the others are defaults of the
    API server, which are no remainder of an older chart.
    """
    mine = fields_by_manager(live).get((manager, ""), EMPTY)
    if not custom:
        mine = _restricted_to(mine, _FREE_FORM)
    return _with_atomic_maps(mine, live, fields_of_others(live, manager)) if mine else mine


def fields_of_others(live: Json, manager: str) -> FieldSet:
    """The fields of all other field managers, and those of subresources; of a Secret in ``data`` too."""
    owned = fields_by_manager(live)
    others = reduce(FieldSet.union, (fields for key, fields in owned.items() if key != (manager, "")), EMPTY)
    strings = others.at("f:stringData")
    return others.union(FieldSet({"f:data": strings})) if is_secret(live) and strings.children else others


def is_secret(body: Json) -> bool:
    """Whether this is a Secret."""
    return (body.get("apiVersion"), body.get("kind")) == ("v1", "Secret")


def _restricted_to(fields: FieldSet, allowed: FieldSet) -> FieldSet:
    if allowed.owned:
        return fields
    below = {element: _restricted_to(fields.at(element), inner) for element, inner in allowed.children.items()}
    return FieldSet({element: inner for element, inner in below.items() if inner})


def _with_atomic_maps(fields: FieldSet, live: Json, others: FieldSet) -> FieldSet:
    """The fields with those of each map that Helm set as a whole (``x-kubernetes-map-type: atomic``).

    Such a map has no fields below it. A map into which ``others`` wrote since is not one: Helm merely set it empty.
    """
    if not isinstance(live, dict):
        return fields
    below = fields.children
    if not below:
        whole = bool(live) and not any(element.startswith("f:") for element in others.children)
        below = {f"f:{name}": WHOLE for name in live} if whole else {}
    return FieldSet(
        {
            element: _with_atomic_maps(inner, live.get(element[2:]), others.at(element))
            if element.startswith("f:")
            else inner
            for element, inner in below.items()
        },
        owned=fields.owned,
    )


def with_stale_fields(desired: Json, live: Json, fields: FieldSet) -> Json:
    """``desired`` with the live fields that Helm set for an older chart and that ``desired`` lacks.

    Only what is live is taken, with its live value; lists are taken or left whole, since a merge patch does the same.
    """
    if not (isinstance(desired, dict) and isinstance(live, dict)):
        return desired
    result = {
        key: with_stale_fields(value, live[key], fields.at(f"f:{key}")) if key in live else value
        for key, value in desired.items()
    }
    for key, value in live.items():
        if key not in desired and fields.at(f"f:{key}"):
            result[key] = _restricted(value, fields.at(f"f:{key}"))
    return result


def as_live(desired: Json, live: Json) -> Json:
    """The live values of the fields that ``desired`` sets."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return {key: as_live(value, live[key]) for key, value in desired.items() if key in live}
    return live


def live_where_different(desired: Json, live: Json, right: Json) -> Json:
    """``desired`` with the live value of each field that is not as it should be (``right``).

    A field that is right although ``desired`` has another value belongs to another manager: it keeps that value.
    """
    if isinstance(desired, dict) and isinstance(live, dict):
        target = right if isinstance(right, dict) else {}
        return {
            key: live_where_different(value, live[key], target.get(key))
            for key, value in desired.items()
            if key in live
        }
    return desired if deep_equal(live, right) else live


def overlay_owned(wanted: Json, live: Json, fields: FieldSet) -> Json:
    """``live`` with the values of ``wanted`` for the ``fields`` and for fields that it lacks.

    Fields not in ``wanted`` stay. Of a value that is owned as a whole every field is set.
    """
    if not (isinstance(wanted, dict) and isinstance(live, dict)):
        return wanted if fields else live
    result = dict(live)
    for key, value in wanted.items():
        below = fields.at(f"f:{key}") if fields.children else fields
        result[key] = overlay_owned(value, live[key], below) if key in live else value
    return result


def limited_to_server_result(body: Json, live: Json, result: Json, asked: Json) -> Json:
    """``body`` with the live value of each field that the server keeps although it was ``asked`` for another value.

    ``result`` is the server's of that update. Some kinds take any update and keep their own fields, such as the spec of
    a CertificateSigningRequest; an admission may do the same.
    """
    if not all(isinstance(each, dict) for each in (body, live, result, asked)):
        return live if not _same(asked, live) and _same(result, live) else body
    limited = {}
    for key in {**body, **live}:
        if key in body or key not in asked:
            value = limited_to_server_result(*(each.get(key, _NONE) for each in (body, live, result, asked)))
            if value is not _NONE:
                limited[key] = value
    return limited


_NONE: Any = object()
"""No value at all."""


def _same(one: Json, other: Json) -> bool:
    return one is other if _NONE in (one, other) else deep_equal(one, other)


def without_stale_fields(merged: Json, desired: Json, fields: FieldSet) -> Json:
    """``merged`` without the fields that Helm set for an older chart and that ``desired`` lacks.

    A field that is null in ``desired`` counts as missing.
    """
    if not fields.children or not (isinstance(merged, dict) and isinstance(desired, dict)):
        return merged
    result = {}
    for key, value in merged.items():
        below = fields.at(f"f:{key}")
        if desired.get(key) is not None:
            result[key] = without_stale_fields(value, desired[key], below)
        elif not below:
            result[key] = value
        else:
            rest = _others(value, below)
            if rest is not None:
                result[key] = rest
    return result


def _restricted(value: Json, fields: FieldSet) -> Json:
    """The part of ``value`` that is among the fields; all of it if it is owned as a whole, or is a list."""
    if not isinstance(value, dict) or not _named(fields):
        return value
    return {key: _restricted(below, fields.at(f"f:{key}")) for key, below in value.items() if fields.at(f"f:{key}")}


def _others(value: Json, fields: FieldSet) -> Json:
    """The part of ``value`` that is not among the fields; ``None`` if nothing is left."""
    if not isinstance(value, dict) or not _named(fields):
        return None
    rest = {}
    for key, below in value.items():
        mine = fields.at(f"f:{key}")
        left = _others(below, mine) if mine else below
        if left is not None or not mine:
            rest[key] = left
    return rest or None


def _named(fields: FieldSet) -> bool:
    return any(element.startswith("f:") for element in fields.children)
