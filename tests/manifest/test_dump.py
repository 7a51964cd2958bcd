"""Values as YAML for a reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from postrender.manifest.dump import printed

VALUE: Any = {
    "empty": "",
    "blank": " lead",
    "lines": "a\nb\n",
    "one line and its end": "a\n",
    "blanks at the end": "a\n b \n\n",
    "control": "\x00\x01\x85\u2028\ufeff",
    "date": "2024-01-01",
    "yes": "yes",
    "number": "1e3",
    "long": "x " * 200,
    "emoji": "😀",
    "numbers": [1, 1.5, 10**30, True, None],
    "nothing": [{}, []],
}


def test_a_yaml_reader_gives_the_same_back() -> None:
    assert yaml.safe_load(printed(VALUE)) == VALUE


def test_lines_are_lines() -> None:
    assert printed({"a": "x\ny\n", "b": "z\n"}) == "a: |\n  x\n  y\nb: |\n  z\n"


def test_keys_keep_their_order_and_nothing_is_folded() -> None:
    assert printed({"b": 1, "a": "x " * 100 + "y"}) == f"b: 1\na: {'x ' * 100}y\n"


def test_what_stands_twice_is_written_twice() -> None:
    both = {"x": 1}
    assert printed({"a": both, "b": both}) == "a:\n  x: 1\nb:\n  x: 1\n"


@pytest.mark.parametrize("text", ["\ud800", "x\udfffy\n"])
def test_a_lone_surrogate_is_escaped(text: str) -> None:
    shown = printed({"a": text})
    assert shown.isascii()
    assert f"\\u{ord(max(text)):X}" in shown
