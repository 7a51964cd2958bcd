"""What managedFields tell of the fields that Helm set."""

from __future__ import annotations

import re
from typing import Any

import pytest

from postrender.helm.field_set import EMPTY, WHOLE, FieldSet
from postrender.helm.managed_fields import (
    as_live,
    helm_fields,
    limited_to_server_result,
    live_where_different,
    overlay_owned,
    with_stale_fields,
    without_stale_fields,
)

SPEC = FieldSet.parse({"f:spec": {"f:color": {}, "f:size": {}, "f:deep": {".": {}, "f:a": {}}}})
COLOR = FieldSet.parse({"f:spec": {"f:color": {}}})
LIVE = {"spec": {"color": "blue", "size": "M", "deep": {"a": 1, "b": 2}, "other": True}}


def test_only_helms_entries_count() -> None:
    entries = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {"f:color": {}}}},
        {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:size": {}}}},
        {"manager": "helm", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:other": {}}}},
    ]
    live = {"metadata": {"managedFields": entries}}
    assert helm_fields(live, "helm", custom=True) == FieldSet.parse({"f:spec": {"f:color": {}, "f:size": {}}})
    assert helm_fields(live, "kubectl", custom=True) == FieldSet.parse({"f:spec": {"f:other": {}}})
    assert helm_fields({}, "helm", custom=True) == EMPTY


def test_of_a_builtin_kind_only_free_form_maps_count() -> None:
    tree = {
        "f:data": {"f:a": {}},
        "f:metadata": {"f:labels": {"f:x": {}}, "f:ownerReferences": {}},
        "f:spec": {"f:replicas": {}},
    }
    live = {"metadata": {"managedFields": [{"manager": "helm", "operation": "Update", "fieldsV1": tree}]}}
    assert helm_fields(live, "helm", custom=False).serialize() == {
        "f:metadata": {"f:labels": {"f:x": {}}},
        "f:data": {"f:a": {}},
    }


@pytest.mark.parametrize(
    ("others", "fields"),
    [
        pytest.param({}, {"f:spec": {".": {}, "f:a": {".": {}, "f:b": {}}}}, id="an atomic map: all that is in it"),
        pytest.param({"f:spec": {"f:a": {}}}, {"f:spec": {}}, id="a map set empty, into which another manager wrote"),
    ],
)
def test_a_map_that_helm_set_as_a_whole(others: Any, fields: Any) -> None:
    managed = [("helm", {"f:spec": {}}), ("painter", others)]
    entries = [{"manager": name, "operation": "Update", "fieldsV1": tree} for name, tree in managed]
    live = {"metadata": {"managedFields": entries}, "spec": {"a": {"b": 1}}}
    assert helm_fields(live, "helm", custom=True).serialize() == fields


def test_an_atomic_map_stays_whole_beside_an_entry_with_fields_of_it() -> None:
    managed: list[Any] = [{"f:spec": {}}, {"f:spec": {"f:a": {}}}]
    entries = [{"manager": "helm", "operation": "Update", "fieldsV1": tree} for tree in managed]
    found = helm_fields({"metadata": {"managedFields": entries}, "spec": {"a": 1}}, "helm", custom=True)
    assert found.serialize() == {"f:spec": {".": {}, "f:a": {}}}


def test_what_helm_set_before_is_kept_in() -> None:
    assert with_stale_fields({"spec": {"color": "red"}}, LIVE, SPEC) == {
        "spec": {"color": "red", "size": "M", "deep": {"a": 1}}
    }
    assert with_stale_fields({"spec": {"deep": {"c": 3}}}, LIVE, SPEC)["spec"]["deep"] == {"c": 3, "a": 1}


def test_what_helm_set_before_goes_and_what_others_set_stays() -> None:
    assert without_stale_fields(LIVE, {"spec": {"color": "red"}}, SPEC) == {
        "spec": {"color": "blue", "deep": {"b": 2}, "other": True}
    }
    assert without_stale_fields(LIVE, {}, COLOR) == {"spec": {"size": "M", "deep": {"a": 1, "b": 2}, "other": True}}
    assert without_stale_fields({"spec": {"color": "blue"}}, {}, COLOR) == {}
    assert without_stale_fields(
        {"a": {"b": 1}, "c": 2}, {"a": None, "c": None}, FieldSet.parse({"f:a": {"f:b": {}}})
    ) == {"c": 2}


def test_the_live_values_of_the_charts_fields() -> None:
    assert as_live({"spec": {"color": "red", "new": 1, "deep": {"a": 9}}}, LIVE) == {
        "spec": {"color": "blue", "deep": {"a": 1}}
    }
    assert as_live({"spec": {"color": {"now": "a map"}}}, LIVE) == {"spec": {"color": "blue"}}


@pytest.mark.parametrize(
    ("wanted", "live", "tree", "result"),
    [
        pytest.param({"a": 1}, {"a": 2}, {"f:a": {}}, {"a": 1}, id="set by Helm"),
        pytest.param({"a": 1}, {"a": 2}, WHOLE, {"a": 1}, id="owned as a whole"),
        pytest.param({"a": 1}, {"a": 2}, {"f:b": {}}, {"a": 2}, id="set by somebody else"),
        pytest.param({"a": 1}, {}, {"f:b": {}}, {"a": 1}, id="not there"),
        pytest.param({}, {"a": 2}, {"f:a": {}}, {"a": 2}, id="not wanted"),
        pytest.param({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, {"f:a": {"f:b": {}}}, {"a": {"b": 1, "c": 2}}),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, {"f:a": {}}, {"a": {"b": 1}}, id="a map as a whole"),
        pytest.param({"a": [1]}, {"a": [2]}, {"f:a": {}}, {"a": [1]}, id="a list as a whole"),
        pytest.param({"a": [1]}, {"a": [2]}, EMPTY, {"a": [2]}, id="nothing set"),
        pytest.param({"a": {"b": 1}}, {"a": "text"}, {"f:a": {}}, {"a": {"b": 1}}, id="another kind of value"),
    ],
)
def test_what_is_wanted_goes_where_helm_set_it(wanted: Any, live: Any, tree: Any, result: Any) -> None:
    fields = tree if isinstance(tree, FieldSet) else FieldSet.parse(tree)
    assert overlay_owned(wanted, live, fields) == result


@pytest.mark.parametrize(
    ("wanted", "live", "reached", "result"),
    [
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, {"a": 1}, id="taken"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, id="set back"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 3}, {"a": 1}, id="set to a third value"),
        pytest.param({"a": 1}, {}, {}, {}, id="dropped"),
        pytest.param({"a": 1}, {}, {"a": 1}, {"a": 1}, id="added"),
        pytest.param({}, {"a": 2}, {"a": 2}, {"a": 2}, id="not taken out"),
        pytest.param({}, {"a": 2}, {}, {}, id="taken out"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"c": 2}}, {"a": {"c": 2}}, id="deeper"),
    ],
)
def test_what_the_server_never_has_is_not_wanted(wanted: Any, live: Any, reached: Any, result: Any) -> None:
    assert limited_to_server_result(wanted, live, reached, wanted) == result


@pytest.mark.parametrize(
    ("body", "live", "reached", "asked", "result"),
    [
        pytest.param(
            {"a": 1, "b": 5}, {"a": 2, "b": 4}, {"a": 2, "b": 4}, {"a": 1, "b": 4}, {"a": 2, "b": 5}, id="set"
        ),
        pytest.param({"a": 1}, {"a": 2, "b": 4}, {"a": 2, "b": 4}, {"a": 1, "b": 4}, {"a": 2}, id="taken out"),
        pytest.param({"a": 1, "b": 5}, {"a": 2}, {"a": 2}, {"a": 1}, {"a": 2, "b": 5}, id="added"),
        pytest.param({"a": 2}, {"a": 2, "b": 4}, {"a": 2, "b": 4}, {"a": 2}, {"a": 2, "b": 4}, id="as it is asked"),
    ],
)
def test_what_helm_changes_and_nobody_asked_for_is_seen(
    body: Any, live: Any, reached: Any, asked: Any, result: Any
) -> None:
    assert limited_to_server_result(body, live, reached, asked) == result


@pytest.mark.parametrize(
    ("desired", "live", "right", "result"),
    [
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, id="wrong: as it is live"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, {"a": 1}, id="somebody else's: as it is said"),
        pytest.param({"a": 1}, {}, {"a": 1}, {}, id="not there: left out"),
        pytest.param(
            {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 1}}, {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 1}}
        ),
        pytest.param({"a": [1]}, {"a": [2]}, {"a": [1]}, {"a": [2]}, id="a list as a whole"),
    ],
)
def test_a_document_says_what_is_live_where_that_is_wrong(desired: Any, live: Any, right: Any, result: Any) -> None:
    assert live_where_different(desired, live, right) == result


def test_a_path_element_of_a_kind_that_a_later_server_may_know_is_left_out() -> None:
    assert FieldSet.parse({"f:a": {}, "r:b": {"f:c": {}}}).serialize() == {"f:a": {}}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "fields: not an object: []"),
        ({"f:a": []}, "fields: not an object: []"),
        ({"a": {}}, "not a path element: a"),
        ({"fa:b": {}}, "not a path element: fa:b"),
    ],
)
def test_fields_that_no_server_serves(fields: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(FieldSet.parse(fields))
