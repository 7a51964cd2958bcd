"""JSON merge patches, for custom resources."""

from __future__ import annotations

from tests.helm.patchcases.case import BIG, Case, Json


def _merge(name: str, old: Json, new: Json, result: Json, *, helm4: Json = None) -> tuple[Case, Case]:
    return (
        Case(f"{name}, Helm 3", "merge_v4", (old, new), result),
        Case(f"{name}, Helm 4", "merge_v5", (old, new), result if helm4 is None else helm4),
    )


MERGE = (
    *_merge("nothing differs", {"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": None}]}}, {}),
    *_merge("changed, new and gone", {"a": 1, "b": 2}, {"a": 3, "c": 4}, {"a": 3, "b": None, "c": 4}),
    *_merge("objects member by member", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
    *_merge("lists as a whole", {"a": [1, 2, 3]}, {"a": [1, 3]}, {"a": [1, 3]}),
    *_merge("a null in a list is a value", {"a": [{"b": None}]}, {"a": [{}]}, {"a": [{}]}),
    *_merge("a null that is new deletes", {}, {"a": None}, {"a": None}),
    *_merge("a null that is old is nothing", {"a": None}, {"a": None}, {}),
    *_merge("a null that goes is deleted", {"a": None}, {}, {"a": None}),
    *_merge("an empty object that is new", {}, {"a": {}}, {"a": {}}),
    *_merge("an object that becomes empty", {"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
    *_merge("an object that becomes a list", {"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
    *_merge("true is not 1", {"a": True, "b": [True]}, {"a": 1, "b": [1]}, {"a": 1, "b": [1]}),
    *_merge("1 is not its text", {"a": 1}, {"a": "1"}, {"a": "1"}),
    *_merge("1.0 is 1", {"a": 1.0, "b": [1]}, {"a": 1, "b": [1.0]}, {}),
    *_merge(
        "neighbours beyond 2**53",
        {"a": BIG, "b": [BIG]},
        {"a": BIG - 1, "b": [BIG - 1]},
        {},
        helm4={"a": BIG - 1, "b": [BIG - 1]},
    ),
    *_merge("a number beyond 2**53", {}, {"a": {"b": [BIG]}}, {"a": {"b": [BIG - 1]}}, helm4={"a": {"b": [BIG]}}),
    *_merge("a number beyond 2**63", {}, {"a": 2**63 + 1}, {"a": 9223372036854776000}),
    *_merge("no original", None, {"a": 1}, {"a": 1}),
    *_merge(
        "the resourceVersion of a live original",
        {"metadata": {"name": "a", "resourceVersion": "7"}, "spec": {"color": "blue"}},
        {"metadata": {"name": "a"}, "spec": {"color": "green"}},
        {"metadata": {"resourceVersion": None}, "spec": {"color": "green"}},
    ),
)

APPLY_MERGE = (
    Case(
        "a null deletes",
        "apply_merge",
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"a": None, "b": {"c": None}}),
        {"b": {"d": 2}},
    ),
    Case("a null for what is not there", "apply_merge", ({"a": 1}, {"b": None}), {"a": 1}),
    Case("nulls in a new object", "apply_merge", ({}, {"a": {"b": None, "c": {"d": None}}}), {"a": {"c": {}}}),
    Case("nulls in a new list", "apply_merge", ({}, {"a": [None, {"b": None}]}), {"a": [None, {}]}),
    Case("nulls in a list for a list", "apply_merge", ({"a": [1]}, {"a": [{"b": None}]}), {"a": [{}]}),
    Case("nulls in a list for an object", "apply_merge", ({"a": {"c": 1}}, {"a": [{"b": None}]}), {"a": [{"b": None}]}),
    Case("nulls in an object for a scalar", "apply_merge", ({"a": 1}, {"a": {"b": None}}), {"a": {}}),
    Case("nulls in an object for a null", "apply_merge", ({"a": None}, {"a": {"b": None, "c": 1}}), {"a": {"c": 1}}),
    Case("a scalar for an object", "apply_merge", ({"a": {"b": 1}}, {"a": 2}), {"a": 2}),
    Case("numbers stay exact", "apply_merge", ({"a": BIG}, {"b": BIG}), {"a": BIG, "b": BIG}),
)

SHIRT = {"apiVersion": "stable.example.com/v1", "kind": "Shirt", "metadata": {"name": "shirt"}}


def _shirt(**spec: Json) -> Json:
    return {**SHIRT, "spec": spec}


THREE_WAY_MERGE = (
    Case(
        "taken over: changes arrive, what left the chart stays",
        "three_way_merge",
        (_shirt(color="red", extra={}), _shirt(color="red", extra={}), _shirt(color="blue", size="M")),
        {"spec": {"color": "red", "extra": {}}},
    ),
    Case(
        "what the original had goes, live or not",
        "three_way_merge",
        (_shirt(color="red", size="M", old=1), _shirt(color="red"), _shirt(color="red", size="M")),
        {"spec": {"old": None, "size": None}},
    ),
    Case(
        "nothing differs",
        "three_way_merge",
        (_shirt(color="red"), _shirt(color="red"), _shirt(color="red", size=1)),
        {},
    ),
    Case("nothing is live", "three_way_merge", (_shirt(a=1), _shirt(a=1), {**SHIRT}), {"spec": {"a": 1}}),
    Case("a null in the chart is lost", "three_way_merge", (_shirt(a=None), _shirt(a=None), _shirt(a=1)), {}),
    Case(
        "a null in the chart for a value before",
        "three_way_merge",
        (_shirt(a=1), _shirt(a=None), _shirt(a=1)),
        {"spec": {"a": None}},
    ),
    Case("an empty object is a value", "three_way_merge", (_shirt(), _shirt(a={}), _shirt(a=1)), {"spec": {"a": {}}}),
    Case(
        "an emptied object",
        "three_way_merge",
        (_shirt(a={"b": 1}), _shirt(a={}), _shirt(a={"b": 1})),
        {"spec": {"a": {"b": None}}},
    ),
    Case(
        "another version",
        "three_way_merge",
        (_shirt(), {**_shirt(a=[1.5, None]), "apiVersion": "stable.example.com/v2"}, _shirt()),
        error="precondition failed for: map[apiVersion:stable.example.com/v2 spec:map[a:[1.5 <nil>]]]",
    ),
    Case(
        "another name",
        "three_way_merge",
        (_shirt(), {**_shirt(), "metadata": {"name": "other"}}, _shirt()),
        error="precondition failed for: map[metadata:map[name:other]]",
    ),
)
