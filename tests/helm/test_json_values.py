"""JSON values made of one another's parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrender.helm.patch.json_values import printed, sharing

scalars: st.SearchStrategy[Any] = st.sampled_from([None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, "", "a", "1"])
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


@given(values, values)
def test_the_value_stays_the_same(value: Any, other: Any) -> None:
    before = json.dumps([value, other], sort_keys=True)
    shared = sharing(value, other)
    assert json.dumps(shared, sort_keys=True) == json.dumps(value, sort_keys=True)
    assert json.dumps([value, other], sort_keys=True) == before


@pytest.mark.parametrize(
    ("value", "other"),
    [({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}), ([], []), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_what_is_the_same_is_one_object(value: Any, other: Any) -> None:
    assert sharing(value, other) is other


@pytest.mark.parametrize("value", [{"a": True}, {"a": 1.0}, {"a": 1, "b": 2}, {}, [1], "a"])
def test_what_differs_is_another(value: Any) -> None:
    other = {"a": 1}
    assert sharing(value, other) is not other
    assert repr(sharing(value, other)) == repr(value)


def test_parts_are_shared_where_the_whole_differs() -> None:
    other = {"a": {"x": [1]}, "b": [{"c": 2}, 3], "d": 4}
    shared = sharing({"a": {"x": [1]}, "b": [{"c": 2}, 5, 6], "e": 4}, other)
    assert shared == {"a": {"x": [1]}, "b": [{"c": 2}, 5, 6], "e": 4}
    assert shared["a"] is other["a"]
    assert shared["b"][0] is other["b"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "text"),
    [(100000.5, "100000.5"), (1234567.5, "1.2345675e+06"), (-0.00012, "-0.00012"), (0.000012, "1.2e-05")],
)
def test_a_number_is_printed_as_go_prints_it(value: float, text: str) -> None:
    assert printed(value) == text
