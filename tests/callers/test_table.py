"""What the table of callers says of a scene, and how a caller's line is put on the page."""

from __future__ import annotations

import re

import pytest

from tests.callers import page
from tests.callers.__main__ import DRIVERS
from tests.callers.page import Results, table, written
from tests.callers.scenes import KEEPS, OLD, PUT_RIGHT, RIGHT, SCENES, UNCHANGED, Cell, Scene, Step, judged
from tests.callers.world import Live, Run, State

NAMES = ("Shirt.stable.example.com", "Shirt.beta.example.com", "ConfigMap.")


DONE = Run(0, "")


def live(size: str = "M", uid: str = "1", names: tuple[str, ...] = NAMES) -> State:
    return {name: Live(uid, size, {}) for name in names}


def happened(before: State, after: State, ran: Run = DONE, does: str = "apply", wants: str = RIGHT) -> str:
    step = Step("caller", does)
    return judged(Scene("any", "any", (step,), wants), step, before, after, ran)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (happened({}, live()), RIGHT),
        (happened(live("L"), live("L"), Run(0, "1 field stays as live (PR301)")), OLD),
        (happened(live("L"), live("L")), "old values, and no word of it"),
        (happened(live(uid="0"), live()), "replaced Shirt.stable.example.com, Shirt.beta.example.com, ConfigMap."),
        (happened({}, live(names=NAMES[:1])), "1 objects"),
        (happened(live(), live(), wants=UNCHANGED), UNCHANGED),
        (happened(live("L"), live(), wants=UNCHANGED), PUT_RIGHT),
        (happened({}, {}, Run(1, "x: owned (PR101)")), "refused (PR101)"),
        (happened({}, live(), Run(1, "x: owned (PR101)")), "refused (PR101), with changes made"),
        (happened({}, {}, Run(1, "no reason")), "failed without a code"),
        (happened(live(), live(names=NAMES[:2]), does="delete"), KEEPS),
        (happened(live(), live(), does="delete"), "3 objects stay"),
        (happened(live(), {}, does="delete"), "0 objects stay"),
    ],
)
def test_what_happened_is_said_in_a_few_words(result: str, said: str) -> None:
    assert result == said


def results(caller: str, **cells: str) -> Results:
    return Results(caller, "1.0", "2026-01-01", 1, [Cell(name, text, RIGHT, "") for name, text in cells.items()])


def test_a_line_replaces_the_callers_old_one_and_no_other() -> None:
    start = "# Page\n\n<!-- bin/callers --write -->\n<!-- end -->\n\nmore\n"
    one = written(start, [results("One", fresh=RIGHT), results("Two", fresh=RIGHT)])
    two = written(one, [results("One", fresh="1 objects", special=RIGHT)])
    assert two.count("\n| One |") == two.count("\n| Two |") == 1
    assert "| One | 1.0 | 2026-01-01 | 1 objects | –" in two
    assert two.index("| One |") < two.index("| Two |")
    assert two.startswith("# Page\n")
    assert two.endswith("<!-- end -->\n\nmore\n")
    assert written(two, [results("One", fresh=RIGHT)]) == one


def test_every_line_has_a_cell_for_each_column() -> None:
    line = table(results("One", **{scene.name: RIGHT for scene in SCENES}))
    head = page.heading().splitlines()[1]
    assert line.count("|") == head.count("|")


def test_the_page_has_lines_of_callers_that_can_be_run() -> None:
    text = page.PAGE.read_text()
    assert written(text, []) == text
    listed = set(re.findall(r"^\| (.*?) \| [^|]* \| \d{4}-", text, re.MULTILINE))
    assert listed <= {each.name for each in DRIVERS.values()}
