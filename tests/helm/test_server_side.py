"""The model of server-side apply against the published tests of the Go libraries that carry it out.

``tests/tools/gotables.py`` records every call that those tests make, with what went in and what came out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from postrender.helm.field_set import FieldSet, canonical
from postrender.helm.server_side.field_managers import Owned, applied, migrated
from postrender.helm.server_side.typed import Typed
from postrender.helm.server_side.types import Atom, ListType, MapType, Override, Schema, TypeRef
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


@pytest.mark.parametrize("version", gotables.STRUCTURED_MERGE_DIFF)
def test_what_is_left_out(version: str) -> None:
    """``pytest -rP`` prints each exclusion with its reason."""
    tables = gotables.applies(version)
    assert {name for name, calls in tables.items() if not calls} == NOTHING_APPLIED.keys()
    calls = [call for some in tables.values() for call in some]
    conflicts = sum(bool(call["Conflicts"]) for call in calls)
    filtered = sum(bool(call["Filtered"]) for call in calls)
    print(f"structured-merge-diff {version}: {len(tables) - len(NOTHING_APPLIED)} of {len(tables)} tests run")
    print(f"{len(calls)} calls, of which {conflicts} end at a conflict and give no object to compare,")
    print(f"and {filtered} filter what the manager owns, so that only the object is compared; not run:")
    for name, reason in NOTHING_APPLIED.items():
        print(f"  {name}: {reason}")


@pytest.mark.parametrize("version", gotables.STRUCTURED_MERGE_DIFF)
def test_every_published_apply(version: str) -> None:
    tables = gotables.applies(version)
    assert sum(map(len, tables.values())) > 900
    wrong = [
        f"{name} [{index}] {said}"
        for name, calls in tables.items()
        for index, call in enumerate(calls)
        if (said := _differs(call, keeps_empty=version == "6.3.2"))
    ]
    assert wrong == []


def test_every_published_migration() -> None:
    tables = {name: calls for name, calls in gotables.migrations().items() if name.startswith("TestUpgradeCSA/")}
    assert len(tables) == 9
    for name, calls in tables.items():
        assert calls
        for call in calls:
            found = migrated(call["Before"], call["ClientSide"], call["Manager"], subresource=call["Subresource"])
            assert (name, call["Error"]) == (name, "")
            assert (name, _entries(found)) == (name, _entries(call["After"]))


def test_every_published_search_for_owners() -> None:
    """Nothing of postrender searches for owners; what a set lacks of another is what the search rests on."""
    tables = {name: calls for name, calls in gotables.migrations().items() if name.startswith("TestFindOwners/")}
    assert len(tables) == 8
    for name, calls in tables.items():
        assert calls
        for call in calls:
            wanted = FieldSet.parse(call["Fields"])
            found = [
                entry
                for entry in call["Before"]
                if entry.get("operation") == call["Operation"]
                and not wanted.difference(FieldSet.parse(entry.get("fieldsV1") or {}))
            ]
            assert (name, _entries(found)) == (name, _entries(call["Owners"] or []))


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
        return ""
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
