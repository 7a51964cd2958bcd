"""The measures of the code's form do not get worse."""

from __future__ import annotations

import ast

import pytest

from tools import measures


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measures.measures()


@pytest.mark.parametrize("name", measures.LIMITS)
def test_no_measure_is_above_its_limit(measured: dict[str, int], name: str) -> None:
    assert measured[name] <= measures.LIMITS[name], f"`python -m tools.measures` prints them; {name} got worse"


def test_every_measure_has_a_limit(measured: dict[str, int]) -> None:
    assert measured.keys() == measures.LIMITS.keys()


def test_a_circle_is_found_whatever_its_length() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set[str]()}
    assert measures.circles(imports) == [{"a", "b", "c"}]


def test_a_word_is_found_in_whatever_case_the_identifier_is_written() -> None:
    tree = ast.parse("told_by = _Told(x.saidSo, retold, SERVICE_ACCOUNT)")
    assert measures.dialect_identifiers([tree]) == {"told_by": 1, "_Told": 1, "saidSo": 1}


def test_parameters_are_counted_without_the_object_itself() -> None:
    function = ast.parse("def f(self, a, /, b, *, c, **d): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert measures.parameters(function) == 3
