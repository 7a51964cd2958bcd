"""The picture of a terminal."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.e2e.play import PICTURE, pictured
from tests.tools.terminal import COLUMNS, drawn

TEXT = "{http://www.w3.org/2000/svg}text"


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(picture).iter(TEXT)]


def test_commands_and_outputs_stand_below_each_other() -> None:
    assert texts(drawn([("a < b", "  indented & so"), ("c", "")])) == ["$ a < b", "\u00a0\u00a0indented & so", "$ c"]


def test_long_lines_are_wrapped() -> None:
    found = texts(drawn([("x " * 60, "y " * 60)]))
    assert len(found) == 4
    assert max(map(len, found)) <= COLUMNS


def test_the_picture_is_what_the_page_shows() -> None:
    """And the page is what a real Helm prints: ``tests/e2e/test_pages.py``."""
    assert PICTURE.read_text() == drawn(pictured())
