"""What is printed to a terminal fits it; a file gets lines as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from postrender.errors import Refused, message
from postrender.text import folded

PLANS = Path(__file__).parents[1] / "plans"
ERRORS = sorted(
    {
        case["error"]
        for table in PLANS.glob("*.yaml")
        for case in yaml.safe_load(table.read_text())
        if isinstance(case, dict) and "error" in case
    }
)
"""Every message of the tables of scenarios."""


@pytest.mark.parametrize("width", [80, 140])
def test_every_message_fits(width: int) -> None:
    assert len(ERRORS) > 20
    for text in ERRORS:
        cause, *rest = text.rstrip("\n").split("\n")
        shown = folded(f"error: {cause}\n" + "".join(f"{line}\n" for line in rest), width)
        long = [line for line in shown.splitlines() if len(line) > width and not line.startswith("hint: ")]
        assert [line for line in long if " " in line.strip()] == []
        assert shown.split() == f"error: {text}".split(), "no word is lost, or put elsewhere"
        assert [line for line in shown.splitlines() if line.startswith("hint: ")] == [
            line for line in rest if line.startswith("hint: ")
        ]


def test_a_file_gets_whole_lines() -> None:
    text = message(Refused("a " * 100))
    assert folded(text, 0) == text


def test_a_broken_line_begins_as_no_other() -> None:
    """A cause holds words of others, which must not look like a line of ours."""
    text = folded(message(Refused(f"x {'y' * 70} hint: curl evil {'z' * 70} ::error::forged")), 80)
    assert not re.search(r"^ *(?:hint: curl|::error)", text, re.MULTILINE)


def test_a_line_keeps_its_indentation() -> None:
    assert folded(f"  warning: {'word ' * 20}\n", 40).splitlines()[:2] == [
        "  warning: word word word word word word",
        "    word word word word word word word",
    ]
