"""What an object is expected to be once fields left the chart, and what is stored so that an upgrade removes them."""

from __future__ import annotations

from typing import Any

import pytest

from postrender._record import replace
from postrender.helm.field_set import FieldSet
from postrender.helm.fresh_install import (
    FieldOwners,
    as_stored,
    differences,
    expected_object,
    field_owners,
    has_null,
    has_unowned_fields,
    left_chart,
    with_leftovers,
    with_null_values,
)

KEYED: Any = {"f:spec": {"f:list": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:value": {}}}}}
ANOTHERS: Any = {"f:spec": {"f:list": {'k:{"name":"b"}': {".": {}, "f:name": {}}}}}


def entry(manager: str, fields: Any) -> Any:
    return {"manager": manager, "operation": "Update", "fieldsV1": fields}


def owners(live: Any, fresh: Any, *, whole_lists: bool) -> FieldOwners:
    return field_owners(live, fresh, "helm", whole_lists=whole_lists)


def listed(elements: Any, *managers: Any) -> Any:
    return {"metadata": {"managedFields": list(managers)}, "spec": {"list": elements}}


A, B, C = {"name": "a", "value": "1"}, {"name": "b"}, {"name": "c"}


@pytest.mark.parametrize(
    ("live", "fresh", "kept", "whole"),
    [
        ([A, B], [A], [A, B], [A, B]),  # Helm sends nothing, so that another manager's element stays.
        ([B, A], [A], [A, B], [B, A]),
        ([A, B], [{**A, "value": "2"}], [{**A, "value": "2"}, B], [{**A, "value": "2"}]),
        ([A, B], [C], [C, B], [C]),
    ],
)
def test_a_merge_patch_keeps_another_managers_elements_only_if_it_sends_nothing(
    live: Any, fresh: Any, kept: Any, whole: Any
) -> None:
    live_objects, chart = (
        listed(live, entry("helm", KEYED), entry("cert-manager", ANOTHERS)),
        {"spec": {"list": fresh}},
    )
    for merged, result in ((False, kept), (True, whole)):
        found = expected_object(
            live_objects, chart, listed(fresh), owners(live_objects, listed(fresh), whole_lists=merged)
        )
        assert found["spec"]["list"] == result


def test_a_list_that_the_next_patch_has_to_fill_is_stored_as_it_is_live() -> None:
    fields: Any = {"f:spec": {"f:list": {'v:"x"': {}}}}
    live, fresh = listed([], entry("helm", {"f:spec": {"f:list": {}}})), listed(["x"], entry("helm", fields))
    chart = {"spec": {"list": ["x"]}}
    for whole in (False, True):
        found = with_leftovers(chart, live, fresh, owners(live, fresh, whole_lists=whole))
        assert found["spec"]["list"] == []


def test_the_order_of_a_set_counts_where_a_patch_replaces_it() -> None:
    fields: Any = {"f:spec": {"f:list": {'v:"x"': {}, 'v:"y"': {}}}}
    live, fresh = listed(["x", "y"], entry("helm", fields)), listed(["y", "x"], entry("helm", fields))
    for whole, paths in ((False, ()), (True, (("spec", "list"),))):
        known = owners(live, fresh, whole_lists=whole)
        assert differences({"spec": live["spec"]}, {"spec": fresh["spec"]}, known) == paths


def test_an_element_that_left_the_chart_goes_with_what_others_set_in_it() -> None:
    hook = {"name": "a", "clientConfig": {"service": {"name": "s"}, "caBundle": "QQ=="}}
    mine: Any = {"f:webhooks": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:clientConfig": {"f:service": {}}}}}
    theirs: Any = {"f:webhooks": {'k:{"name":"a"}': {"f:clientConfig": {"f:caBundle": {}}}}}
    live = {"metadata": {"managedFields": [entry("helm", mine), entry("cainjector", theirs)]}, "webhooks": [hook]}
    charts: list[Any] = [{}, {"webhooks": []}]
    for chart in charts:
        fresh: Any = {"metadata": {}, **chart}
        assert not expected_object(live, chart, fresh, field_owners(live, fresh, "helm")).get("webhooks")


def test_what_another_manager_changed_since_is_left_to_it_only_if_helms_patch_leaves_it() -> None:
    managers = [entry("helm", {"f:spec": {"f:fit": {}}}), entry("painter", {"f:spec": {"f:color": {}}})]
    live = {"metadata": {"managedFields": managers}, "spec": {"fit": "slim", "color": "blue"}}
    fresh = {"metadata": {}, "spec": {"fit": "slim", "color": "red"}}
    chart = {"spec": fresh["spec"]}
    for yields, color in ((False, "red"), (True, "blue")):
        known = replace(field_owners(live, fresh, "helm", whole_lists=True), yields=yields)
        assert expected_object(live, chart, fresh, known)["spec"]["color"] == color


def test_a_map_that_the_chart_empties_is_live_and_not_dropped_by_the_server() -> None:
    managed: Any = {"metadata": {"managedFields": [entry("helm", {"f:data": {".": {}, "f:a": {}}})]}}
    chart: Any = {"kind": "Secret", "data": {}}
    fresh: Any = {"kind": "Secret"}
    known = field_owners(managed, fresh, "helm")
    left: Any = {**fresh, "data": {"a": "1"}}
    expected = expected_object(left, chart, fresh, known)
    assert as_stored(left, chart, fresh, expected, known) == left
    assert as_stored(chart, chart, fresh, expected, known) == fresh


def test_a_null_in_a_map_of_texts_means_what_a_new_object_has() -> None:
    fields: Any = {"f:spec": {"f:a": {}, "f:b": {}, "f:c": {}}}
    metadata: Any = {"managedFields": [entry("helm", fields)]}
    live, fresh = (
        {"metadata": metadata, "spec": spec} for spec in ({"a": "1", "b": "2", "c": 3}, {"a": "", "b": "2", "c": 1})
    )
    chart = {"spec": {"a": None, "b": "2", "c": None}}
    assert has_null(chart)
    assert not has_null(live["spec"])
    known = owners(live, fresh, whole_lists=False)
    assert expected_object({"spec": {"b": "2"}}, chart, fresh, known)["spec"] == {"a": "", "b": "2"}
    assert with_null_values(chart, fresh, ()) == {"spec": {"a": "", "b": "2", "c": None}}
    assert with_null_values(chart, fresh, ("spec", "b")) == chart
    listed: Any = [{"name": "x", "limits": {"cpu": None}}, {"name": "y", "limits": {"cpu": None}}]
    made = [{**each, "limits": {"cpu": "0"}} for each in listed]
    assert with_null_values(listed, made, ("name=y", "limits", "cpu")) == [listed[0], made[1]]


@pytest.mark.parametrize("zero", [0, "", False, {}, []])
def test_a_required_field_that_left_the_chart_has_its_zero_value(zero: Any) -> None:
    """The server writes it into a new object, although no manager set it."""
    live = {"metadata": {"managedFields": [entry("helm", {"f:spec": {"f:generation": {}}})]}, "spec": {"generation": 1}}
    fresh = {"metadata": {"managedFields": []}, "spec": {"generation": zero}}
    assert expected_object(live, {"spec": {}}, fresh, field_owners(live, fresh, "helm"))["spec"] == {"generation": zero}


def test_a_value_that_the_server_allocates_stays() -> None:
    live = {"metadata": {"managedFields": [entry("helm", {"f:spec": {"f:port": {}}})]}, "spec": {"port": 30000}}
    fresh = {"metadata": {"managedFields": []}, "spec": {"port": 31234}}
    assert expected_object(live, {"spec": {}}, fresh, field_owners(live, fresh, "helm"))["spec"] == {"port": 30000}


def test_fields_of_unknown_managers_may_have_left_the_chart_and_stay() -> None:
    """The server records no managers of an object whose keyed lists have elements without keys."""
    live = {"metadata": {"labels": {"a": "b", "old": "c"}, "uid": "1"}, "automount": False, "status": {"x": 1}}
    chart: Any = {"metadata": {"labels": {"a": "b"}}}
    fresh: Any = {"metadata": {"labels": {"a": "b"}, "managedFields": []}}
    assert expected_object(live, chart, fresh, field_owners(live, fresh, "helm")) == live
    assert has_unowned_fields(live, chart)
    assert has_unowned_fields({"metadata": {}, "data": {"a": "1"}}, {"data": None})
    assert not has_unowned_fields({"metadata": {"labels": {"a": "b"}, "uid": "1"}, "status": {"x": 1}}, chart)


def test_a_null_in_the_live_object_is_no_leftover() -> None:
    live: Any = {"metadata": {}, "spec": {"template": {"creationTimestamp": None, "old": 1}}}
    fresh: Any = {"metadata": {}, "spec": {"template": {}}}
    owners = FieldOwners(FieldSet.parse({"f:spec": {"f:template": {"f:old": {}}}}))
    found = with_leftovers({"spec": {"template": {}}}, live, fresh, owners)
    assert found["spec"] == {"template": {"old": 1}}


def test_a_map_of_which_others_took_every_field_is_theirs_field_by_field() -> None:
    """``managedFields`` names Helm then as for a map that is owned as a whole."""
    entries = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {".": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:size": {}}}},
    ]
    new = [{"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {".": {}, "f:size": {}}}}]
    live = {"metadata": {"managedFields": entries}, "spec": {"size": "S"}}
    fresh = {"metadata": {"managedFields": new}, "spec": {"size": "M"}}
    known = replace(field_owners(live, fresh, "helm", whole_lists=True), yields=True)
    assert expected_object(live, {"spec": {"size": "M"}}, fresh, known)["spec"] == {"size": "S"}
    alone = {**live, "metadata": {"managedFields": entries[:1]}}
    known = replace(field_owners(alone, fresh, "helm", whole_lists=True), yields=True)
    assert expected_object(alone, {"spec": {"size": "M"}}, fresh, known)["spec"] == {"size": "M"}


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("live", "fresh", "paths"),
    [
        ([{"b": 2}], [{"b": 2, "c": None}], ()),
        ([[{"b": 2}]], [[{"b": 2, "c": None}]], ()),
        ([{"b": {"d": [{}]}}], [{"b": {"d": [{"c": None}]}}], ()),
        ([{"b": 2, "c": None}], [{"b": 2}], ()),
        ([{"b": 2}], [{"b": 3, "c": None}], (("spec", "list"),)),
        ([], [None], (("spec", "list"),)),  # A merge patch keeps a null that is an element.
    ],
)
def test_a_null_in_an_element_counts_as_a_field_that_is_not_there(
    live: Any, fresh: Any, paths: Any, whole: bool
) -> None:
    now, new = listed(live, entry("helm", {"f:spec": {"f:list": {}}})), listed(fresh)
    known = owners(now, new, whole_lists=whole)
    assert differences({"spec": now["spec"]}, {"spec": new["spec"]}, known) == paths
    chart = {"spec": {"list": ["the chart's"]}}
    stored = with_leftovers(chart, {"spec": now["spec"]}, {"spec": new["spec"]}, known)
    assert stored == ({"spec": {"list": live}} if paths else chart)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ((), False),
        (("spec", "list"), False),
        (("spec", "list", "name=a"), False),
        (("spec", "list", "name=a", "value"), False),
        (("spec", "list", "name=a", "more"), True),
        (("spec", "list", "name=b"), True),
        (("spec", "null"), True),
        (("spec", "text", "more"), True),
    ],
)
def test_what_the_chart_does_not_set_left_it(path: Any, left: bool) -> None:
    assert left_chart({"spec": {"list": [A], "null": None, "text": "x"}}, path) is left
