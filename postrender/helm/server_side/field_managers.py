"""Ownership of a live object's fields, and the fields that an apply removes because of it.

``Migration`` is the step before Helm's apply (``upgradeClientSideFieldManager``, pkg/kube/client.go of Helm 4.3.1;
``upgradedManagedFields``, k8s.io/client-go 0.35 util/csaupgrade/upgrade.go). The apply itself is ``Updater.Apply`` of
structured-merge-diff/v6 (merge/update.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Protocol

from postrender._record import Record, replace
from postrender.helm.field_set import EMPTY, FieldSet
from postrender.helm.server_side.typed import Typed
from postrender.models import Json


class Owned(Record):
    """Fields of one manager, with the apiVersion that they are written in."""

    fields: FieldSet
    api_version: str


class Converter(Protocol):
    """Conversion of an object between the apiVersions of its kind."""

    def converted(self, value: Typed, api_version: str) -> Typed | None:
        """The value in that apiVersion; ``None`` if it is not served any more. Raises ValueError if it fails."""


def migrated(
    managed_fields: Sequence[Json], client_side: str, manager: str, *, subresource: str = ""
) -> Sequence[Json]:
    """``managed_fields`` after the fields of ``client_side``'s updates became fields of ``manager``'s apply.

    Entries of one apiVersion only are united; plain writes in another apiVersion lose their owner.
    """

    def plain(entry: Json) -> bool:
        return _is(entry, client_side, "Update", subresource)

    target = next((entry for entry in managed_fields if _is(entry, manager, "Apply", subresource)), None)
    into = target or next((entry for entry in managed_fields if plain(entry)), None)
    if into is None:
        return managed_fields
    version = into.get("apiVersion")
    past = next((each for each in managed_fields if plain(each) and each.get("apiVersion") == version), None)
    fields = FieldSet.parse(into.get("fieldsV1") or {})
    if past is not None:
        fields = fields.union(FieldSet.parse(past.get("fieldsV1") or {}))
    result = []
    for entry in managed_fields:
        if entry is into:
            result.append({**entry, "manager": manager, "operation": "Apply", "fieldsV1": fields.serialize()})
        elif not plain(entry):
            result.append(entry)
    return result


def taken(managed_fields: Sequence[Json], manager: str, helm: str) -> Sequence[Json]:
    """``managed_fields`` after the fields of another manager's updates and applies became fields of Helm's apply.

    As client-go migrates its own (``UpgradeManagedFields``, util/csaupgrade/upgrade.go of client-go 0.36.2). Writes to
    a subresource stay with the manager, and writes in another apiVersion than Helm's, in which fields may be called
    otherwise.
    """
    mine = [entry for entry in managed_fields if entry.get("manager") == manager and not entry.get("subresource")]
    into = next((entry for entry in managed_fields if _is(entry, helm, "Apply", "")), mine[0] if mine else {})
    moved = [entry for entry in mine if entry.get("apiVersion") == into.get("apiVersion")] if mine else []
    if not moved:
        return managed_fields
    fields = reduce(FieldSet.union, (FieldSet.parse(entry.get("fieldsV1") or {}) for entry in moved), EMPTY)
    update = {**moved[0], "operation": "Update", "fieldsV1": fields.serialize()}
    rest = [update if entry is moved[0] else entry for entry in managed_fields if entry not in moved[1:]]
    stay = [entry for entry in mine if entry not in moved]
    return [*migrated([entry for entry in rest if entry not in stay], manager, helm), *stay]


def _is(entry: Json, manager: str, operation: str, subresource: str) -> bool:
    found = (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "")
    return found == (manager, operation, subresource)


def applied(
    live: Typed, config: Typed, api_version: str, owned: Mapping[str, Owned], manager: str, converter: Converter
) -> Typed:
    """The object after ``manager`` applied ``config``, before defaulting and admission.

    ``owned`` holds the fields of each manager before. Raises ValueError if a value does not fit its type, or cannot be
    converted.
    """
    managers = _reconciled(live, owned, converter)
    merged = live.merge(config)
    last = managers.get(manager)
    managers[manager] = Owned(config.fields(), api_version)
    if last is None or not last.fields:
        return merged
    return _pruned(merged, managers, manager, last, converter)


def _reconciled(live: Typed, owned: Mapping[str, Owned], converter: Converter) -> dict[str, Owned]:
    """The managers whose apiVersion is still served, their fields as the schema has them now."""
    result = {}
    for manager, entry in owned.items():
        versioned = converter.converted(live, entry.api_version)
        if versioned is not None:
            result[manager] = replace(entry, fields=versioned.reconciled(entry.fields))
    return result


def _pruned(merged: Typed, owned: Mapping[str, Owned], manager: str, last: Owned, converter: Converter) -> Typed:
    before = converter.converted(merged, last.api_version)
    if before is None:
        return merged
    pruned = before.without(before.named(last.fields))
    pruned = _with_owned(before, pruned, last.api_version, owned, converter)
    pruned = _with_dangling(before, pruned, last, converter)
    result = converter.converted(pruned, owned[manager].api_version)
    if result is None:
        raise ValueError(f"apiVersion {owned[manager].api_version} is not served")
    return result


def _with_owned(merged: Typed, pruned: Typed, first: str, owned: Mapping[str, Owned], converter: Converter) -> Typed:
    """Put back what another manager, or what is applied now, owns (``addBackOwnedItems``)."""
    by_version: dict[str, FieldSet] = {}
    for entry in owned.values():
        by_version[entry.api_version] = by_version.get(entry.api_version, EMPTY).union(entry.fields)
    for version in sorted(by_version, key=lambda each: each != first):
        now, rest = converter.converted(merged, version), converter.converted(pruned, version)
        if now is None or rest is None:
            continue
        kept = now.named(rest.fields()).union(now.named(by_version[version]))
        merged, pruned = now, now.without(now.named(now.fields()).difference(kept))
    return pruned


def _with_dangling(merged: Typed, pruned: Typed, last: Owned, converter: Converter) -> Typed:
    """Put back what went with its parent though the applying manager never set it (``addBackDanglingItems``)."""
    rest = converter.converted(pruned, last.api_version)
    if rest is None:
        return merged
    kept = merged.named(rest.fields())
    gone = merged.named(merged.fields()).difference(kept).intersection(merged.named(last.fields))
    return merged.without(gone)
