"""What managedFields tell of the fields that Helm set."""

from __future__ import annotations

from typing import Any

from postrender.helm.fields import as_live, owned, with_left_over, without_left_over

SPEC: Any = {"f:spec": {"f:color": {}, "f:size": {}, "f:deep": {".": {}, "f:a": {}}}}
LIVE = {"spec": {"color": "blue", "size": "M", "deep": {"a": 1, "b": 2}, "other": True}}


def test_only_helms_entries_count() -> None:
    entries = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {"f:color": {}}}},
        {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:size": {}}}},
        {"manager": "helm", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:other": {}}}},
    ]
    assert owned(entries, custom=True) == {"f:spec": {"f:color": {}, "f:size": {}}}
    assert owned([], custom=True) == {}


def test_of_a_builtin_kind_only_free_form_maps_are_told() -> None:
    tree = {
        "f:data": {"f:a": {}},
        "f:metadata": {"f:labels": {"f:x": {}}, "f:ownerReferences": {}},
        "f:spec": {"f:replicas": {}},
    }
    entries = [{"manager": "helm", "operation": "Update", "fieldsV1": tree}]
    assert owned(entries, custom=False) == {"f:metadata": {"f:labels": {"f:x": {}}}, "f:data": {"f:a": {}}}


def test_what_helm_set_before_is_kept_in() -> None:
    assert with_left_over({"spec": {"color": "red"}}, LIVE, SPEC) == {
        "spec": {"color": "red", "size": "M", "deep": {"a": 1}}
    }
    assert with_left_over({"spec": {"deep": {"c": 3}}}, LIVE, SPEC)["spec"]["deep"] == {"c": 3, "a": 1}


def test_what_helm_set_before_goes_and_what_others_set_stays() -> None:
    assert without_left_over(LIVE, {"spec": {"color": "red"}}, SPEC) == {
        "spec": {"color": "blue", "deep": {"b": 2}, "other": True}
    }
    assert without_left_over(LIVE, {}, {"f:spec": {"f:color": {}}}) == {
        "spec": {"size": "M", "deep": {"a": 1, "b": 2}, "other": True}
    }
    assert without_left_over({"spec": {"color": "blue"}}, {}, {"f:spec": {"f:color": {}}}) == {}


def test_the_live_values_of_the_charts_fields() -> None:
    assert as_live({"spec": {"color": "red", "new": 1, "deep": {"a": 9}}}, LIVE) == {
        "spec": {"color": "blue", "deep": {"a": 1}}
    }
    assert as_live({"spec": {"color": {"now": "a map"}}}, LIVE) == {"spec": {"color": "blue"}}
