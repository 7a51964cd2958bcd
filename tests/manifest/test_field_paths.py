"""Paths of fields as users write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrender.manifest.field_paths import InvalidPath, parse_path, path_text, split_paths

PATHS = {
    "data.password": ("data", "password"),
    " .data.password ": ("data", "password"),
    r"data.tls\.crt": ("data", "tls.crt"),
    'data["tls.crt"]': ("data", "tls.crt"),
    "data['tls.crt']": ("data", "tls.crt"),
    'metadata.annotations["example.com/x"]': ("metadata", "annotations", "example.com/x"),
    'spec["a\\"b"].c': ("spec", 'a"b', "c"),
    "spec.é": ("spec", "é"),
}


@pytest.mark.parametrize(("text", "keys"), PATHS.items())
def test_a_path_is_its_keys(text: str, keys: tuple[str, ...]) -> None:
    assert parse_path(text) == keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the path of a field is missing"),
        ("a..b", "'a..b' is not the path of a field"),
        ("a.", "'a.' is not the path of a field"),
        ("a[", "'a[' is not the path of a field"),
        ("a b", "'a b' is not the path of a field"),
        ('a["b"]c', "'a[\"b\"]c' is not the path of a field"),
        ("a[example.com/x]", "'a[example.com/x]' is not the path of a field"),
        ("spec.ports[0].port", "'spec.ports[0].port' leads into a list; name the whole list"),
        ("spec.ports[*]", "'spec.ports[*]' leads into a list; name the whole list"),
        ('a["\\q"]', '"\\q" is not a quoted key'),
    ],
)
def test_what_is_not_a_path_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        parse_path(text)
    assert str(caught.value) == message


@given(st.lists(st.text(min_size=1), min_size=1).map(tuple))
def test_a_path_as_text_is_read_as_the_same_path(path: tuple[str, ...]) -> None:
    assert parse_path(path_text(path)) == path
    assert split_paths(f"{path_text(path)}, x") == [path_text(path), "x"]


def test_a_list_is_split_at_commas_that_are_not_quoted() -> None:
    assert split_paths(" data.a , data[\"b,c\"],,x['1,2'].y") == ["data.a", 'data["b,c"]', "x['1,2'].y"]
