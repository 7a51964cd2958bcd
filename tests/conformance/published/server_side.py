"""The model of server-side apply against the published tests of the Go libraries that carry it out.

``tests/tools/gotables.py`` records every call that those tests make, with what went in and what came out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import yaml

from postrender.helm.field_set import FieldSet, canonical
from postrender.helm.server_side.field_managers import Owned, applied, migrated
from postrender.helm.server_side.typed import ABSENT, Typed
from postrender.helm.server_side.types import Atom, ListType, MapType, Override, Schema, TypeRef
from tests.conformance.published.result import NotCompared, Result, compare
from tests.tools import gotables

NOTHING_APPLIED = {
    "TestConflictsFromManagers": "text of conflicts, nothing is applied",
    "TestNewFromSets": "text of conflicts, nothing is applied",
    "TestToSet": "text of conflicts, nothing is applied",
    "TestDefaultKeysFlatErrors/apply_missing_defaulted_key_ambiguous_A": "not valid, so that Apply is not reached",
    "TestDefaultKeysFlatErrors/apply_missing_defaulted_key_ambiguous_B": "not valid, so that Apply is not reached",
    "TestDuplicates/sets/ownership/duplicates": "plain writes only",
    "TestDuplicates/sets/ownership/add_duplicate": "plain writes only",
    "TestDuplicates/sets/ownership/remove_duplicate": "plain writes only",
    "TestDuplicates/list/ownership/duplicated_items": "plain writes only",
    "TestDuplicates/list/ownership/change_duplicated_items": "plain writes only",
    "TestDuplicates/list/ownership/change_fields_duplicated_items": "plain writes only",
    "TestDuplicates/list/ownership/add_unrelated_to_list_with_duplicates": "plain writes only",
    "TestDuplicates/list/ownership/add_duplicated_items_different_field": "plain writes only",
    "TestFilteredFieldsUsesVersions/update_does_not_steal_ignored": "plain writes only",
    "TestIgnoreFilter/update_does_not_own_ignored": "plain writes only",
    "TestIgnoreFilter/update_does_not_own_deep_ignored": "plain writes only",
    "TestIgnoredFields/update_does_not_own_ignored": "plain writes only",
    "TestIgnoredFields/update_does_not_own_deep_ignored": "plain writes only",
    "TestObsoleteVersions": "plain writes only",
}
"""Tests of structured-merge-diff that apply nothing, with the reason."""


def applies(version: str) -> Result:
    """Each apply."""
    tables = gotables.applies(version)
    left_out = {name for name, calls in tables.items() if not calls}
    result = compare(tables, lambda call: _differs(call, keeps_empty=version == "6.3.2"))
    if unknown := left_out ^ NOTHING_APPLIED.keys():
        result.wrong.append(f"tests that apply nothing, or no more: {unknown}")
    result.excluded.update(NOTHING_APPLIED[name] for name in left_out & NOTHING_APPLIED.keys())
    return result


def typed_values(version: str) -> Result:
    """Values with their types: validated, merged, without some fields, and which fields they set."""
    return compare(
        gotables.calls(f"typed values {version}"),
        lambda call: _handled_otherwise(call, keeps_empty=version == "6.3.2"),
    )


def _handled_otherwise(call: Any, *, keeps_empty: bool) -> str:
    schema, ref = _schema(call["Schema"]), _reference(yaml.safe_load(call["Type"]))

    def typed(value: Any) -> Typed:
        return Typed(value, schema, ref, keeps_empty=keeps_empty)

    def found() -> Any:
        value, operation = typed(call["Value"]), call["Operation"]
        if operation == "validate":
            return value.validate(duplicates=call["Duplicates"])
        if operation == "merge":
            return value.merge(typed(call["Config"])).value
        if operation == "without":
            return value.without(FieldSet.parse(call["Fields"])).value
        if operation == "fields":
            return value.fields()
        return value.reconciled(FieldSet.parse(call["Fields"]))

    try:
        result = found()
    except (ValueError, KeyError) as error:
        return "" if call["Error"] else f"raises {error!r}"
    if call["Error"]:
        return f"accepts what fails: {call['Error']}"
    wanted = call.get("Result")
    if call["Operation"] in ("fields", "reconcile"):
        wanted = FieldSet.parse(call["Fields"] if wanted is None else wanted)
        return "" if result == wanted else f"{result} instead of {wanted}"
    result = None if result is ABSENT else result
    return "" if canonical(result) == canonical(wanted) else f"{result} instead of {wanted}"


def sets_of_fields(call: Any) -> str:
    """What is made of sets of fields."""
    if call["Operation"] == "parse":
        return _parsed_otherwise(call)
    one, *others = map(FieldSet.parse, call["Sets"])
    operations: dict[str, Callable[..., FieldSet]] = {
        "union": FieldSet.union,
        "intersection": FieldSet.intersection,
        "difference": FieldSet.difference,
        "recursive_difference": FieldSet.recursive_difference,
        "leaves": lambda fields: FieldSet.of(list(fields.leaves())),
        "named": lambda fields: Typed(None, _schema(call["Schema"]), _reference(yaml.safe_load(call["Type"]))).named(
            fields
        ),
    }
    found = operations[call["Operation"]](one, *others)
    return "" if found == FieldSet.parse(call["Result"]) else f"{found} instead of {call['Result']}"


def _parsed_otherwise(call: Any) -> str:
    try:
        tree = json.loads(call["Text"])
        found = FieldSet.parse({} if tree is None else tree).serialize()
    except ValueError as error:
        return f"fails: {error}" if call["Good"] else ""
    if not call["Good"]:
        return f"read as {found}"
    return "" if found == call["Result"] else f"{found} instead of {call['Result']}"


def migrations() -> Result:
    """Each migration of fields that were set client-side, and each search for owners of fields.

    Nothing of postrender searches for owners; what a set lacks of another is what the search rests on.
    """
    return compare(gotables.migrations(), _migrated_otherwise)


def _migrated_otherwise(call: Any) -> str:
    if "Owners" in call:
        wanted = FieldSet.parse(call["Fields"])
        found: Any = [
            entry
            for entry in call["Before"]
            if entry.get("operation") == call["Operation"]
            and not wanted.difference(FieldSet.parse(entry.get("fieldsV1") or {}))
        ]
        expected = call["Owners"]
    elif call["Error"]:
        return f"a migration that fails: {call['Error']}"
    else:
        found = migrated(call["Before"], call["ClientSide"], call["Manager"], subresource=call["Subresource"])
        expected = call["After"]
    return "" if _entries(found) == _entries(expected) else f"{_entries(found)} instead of {_entries(expected)}"


def _entries(managed: Any) -> list[Any]:
    return [{**each, "fieldsV1": FieldSet.parse(each.get("fieldsV1") or {}).serialize()} for each in managed or []]


class _Replayed:
    """The conversions that the Go test's own converter made."""

    def __init__(self, conversions: list[Any], typed: Callable[[Any], Typed]) -> None:
        self.known = {
            self._key(each["From"]["Value"], each["From"]["Type"], each["Version"]): each for each in conversions or ()
        }
        self.typed = typed

    @staticmethod
    def _key(value: Any, type_: str, version: str) -> tuple[str, str, str]:
        return canonical(value), type_, version

    def converted(self, value: Typed, api_version: str) -> Typed | None:
        assert isinstance(value, _Labelled)
        found = self.known.get(self._key(value.value, value.text, api_version))
        if found is None:
            raise _UnknownConversion
        if found["Missing"]:
            return None
        if found["To"] is None:
            raise ValueError(found["Error"])
        return self.typed(found["To"])


class _Labelled(Typed):
    """A typed value that remembers how Go writes its type."""

    __slots__ = ("text",)
    text: str

    def _like(self, value: Any) -> Typed:
        made = _Labelled(value, self.schema, self.ref, keeps_empty=self.keeps_empty)
        made.text = self.text
        return made


def _differs(call: Any, *, keeps_empty: bool) -> str:
    def typed(found: Any) -> Typed:
        made = _Labelled(
            found["Value"], _schema(found["Schema"]), _reference(yaml.safe_load(found["Type"])), keeps_empty=keeps_empty
        )
        made.text = found["Type"]
        return made

    owned = {
        manager: Owned(FieldSet.parse(each["Fields"]), each["APIVersion"]) for manager, each in call["Managers"].items()
    }
    live, config = typed(call["Live"]), typed(call["Config"])
    failed = call["Error"] and not call["Conflicts"]
    try:
        found = _applied(call, live, config, owned, _Replayed(call["Conversions"], typed))
    except ValueError as error:
        return "" if failed else f"raises {error}"
    if failed:
        return f"accepts what fails: {call['Error']}"
    if call["Conflicts"]:
        raise NotCompared("a conflict: there is no object, and whether there is one is left to the API server")
    wanted = call["Result"] or call["Live"]
    if canonical(found.value) != canonical(wanted["Value"]):
        return f"{canonical(found.value)} instead of {canonical(wanted['Value'])}"
    if call["Owned"] and not call["Filtered"]:
        mine = FieldSet.parse(call["Owned"]["Fields"])
        if config.fields() != mine:
            return f"owns {config.fields()} instead of {mine}"
    return ""


def _applied(call: Any, live: Typed, config: Typed, owned: dict[str, Owned], converter: _Replayed) -> Typed:
    """Go takes managers in any order, and made the conversions that are known in the order of that run."""
    for order in itertools.permutations(owned.items()):
        try:
            return applied(live, config, call["Version"], dict(order), call["Manager"], converter)
        except _UnknownConversion:
            continue
    raise AssertionError(f"no order of managers needs only the conversions of {call}")


class _UnknownConversion(Exception):
    """Go did not make this conversion."""


_SCHEMAS: dict[str, Schema] = {}


def _schema(text: str) -> Schema:
    if text not in _SCHEMAS:
        found = yaml.safe_load(text) or {}
        _SCHEMAS[text] = Schema({each["name"]: _atom(each) for each in found.get("types") or ()})
    return _SCHEMAS[text]


def _atom(each: Any) -> Atom:
    found, below = each.get("list"), each.get("map")
    return Atom(
        each.get("scalar"),
        found
        and ListType(
            _reference(found.get("elementType")), found.get("elementRelationship", ""), tuple(found.get("keys") or ())
        ),
        below
        and MapType(
            {field["name"]: _reference(field.get("type")) for field in below.get("fields") or ()},
            _reference(below.get("elementType")),
            below.get("elementRelationship", ""),
            {
                field["name"]: field["default"]
                for field in below.get("fields") or ()
                if field.get("default") is not None
            },
        ),
    )


def _reference(found: Any) -> TypeRef:
    if not found:
        return None
    type_ = found.get("namedType") or _atom(found)
    relationship = found.get("elementRelationship")
    return Override(type_, relationship) if relationship else type_
