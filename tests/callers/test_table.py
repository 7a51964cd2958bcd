"""What the table of callers says of a scene, and how a caller's line is put on the page."""

from __future__ import annotations

import re

import pytest

from tests.callers import page
from tests.callers.__main__ import DRIVERS
from tests.callers.page import Results, results_on, table, used, written
from tests.callers.scenes import (
    KEEPS,
    OLD,
    PUT_RIGHT,
    RIGHT,
    SCENES,
    UNCHANGED,
    Cell,
    Scene,
    Step,
    judged,
    stamped,
    summary,
)
from tests.callers.world import Live, Run, State
from tests.e2e.api import Object

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
    return Results(caller, "1.0", "2026-01-01", 90, [Cell(name, text, RIGHT, "") for name, text in cells.items()])


def test_a_line_replaces_the_callers_old_one_and_no_other() -> None:
    start = "# Page\n\n<!-- bin/callers --write -->\n<!-- end -->\n\nmore\n"
    one = written(start, [results("One", fresh=RIGHT), results("Two", fresh=RIGHT)])
    two = written(one, [results("One", fresh="1 objects", special=RIGHT)])
    assert two.count("\n| One |") == two.count("\n| Two |") == 1
    assert "| One | 1.0 | 2026-01-01 | 1.5 | 1 objects | –" in two
    assert two.index("| One |") < two.index("| Two |")
    assert two.startswith("# Page\n")
    assert two.endswith("<!-- end -->\n\nmore\n")
    assert written(two, [results("One", fresh=RIGHT)]) == one


def test_every_line_has_a_cell_for_each_column() -> None:
    line = table(results("One", **{scene.name: RIGHT for scene in SCENES}))
    head = page.heading().splitlines()[1]
    assert line.count("|") == head.count("|")


def test_the_page_has_the_callers_that_can_be_run_in_their_present_versions() -> None:
    text = page.PAGE.read_text()
    listed = {ran["caller"]: ran["version"] for ran in results_on(text)}
    # The page says of what it has no line, and why.
    without = re.findall(r"(\w+) has no line yet", text)
    drivers = {each.name: each.version() for each in DRIVERS.values()}
    assert listed == {name: version for name, version in drivers.items() if name.split()[0] not in without}


ABOVE = """\
| caller | labels | adopt | summary |
| --- | --- | --- | --- |
| [One](one.md) | configured (1) | no (2) | yes (3) |
| [Two](two.md#one) | yes (4) | yes (4) | yes (4) |

## Runs

<!-- bin/callers --write -->
<!-- end -->

1. run: first run; owned by another release
2. run: the same with --adopt
3. run: summary
4. source: two
"""


def test_a_run_decides_what_the_table_above_it_says() -> None:
    right = {"fresh": RIGHT, "owner": "refused (PR101)", "adopt": RIGHT, "summary": "on failure"}
    good = written(ABOVE, [results("One", **right)])
    assert "| [One](one.md) | configured (1) | yes (2) | on failure (3) |\n" in good
    assert "| [Two](two.md#one) | yes (4) | yes (4) | yes (4) |\n" in good
    bad = written(good, [results("One", **{**right, "owner": RIGHT, "adopt": "refused (PR102)", "summary": "never"})])
    assert "| [One](one.md) | no (1) | no (2) | no (3) |\n" in bad


def test_the_page_for_users_has_version_and_date_of_the_run() -> None:
    users = "| [One](one.md), `x.y/one` | all | nothing | – |\n| [Two](two.md#one) | all | nothing | source of 1.0 |\n"
    assert used(users, written(ABOVE, [results("One", fresh=RIGHT)])) == users.replace("–", "1.0, 2026-01-01")


def cell(scene: str, happened: str, said: str) -> Cell:
    return Cell(scene, happened, happened, said)


@pytest.mark.parametrize(
    ("cells", "when"),
    [
        ([cell("fresh", RIGHT, "postrender: helm 3: 2 of 3 objects modified"), cell("owner", "x", "")], "each time"),
        ([cell("fresh", RIGHT, "1 object, no changes needed\n")], "each time"),
        ([cell("fresh", RIGHT, "  3 objects, 2 patches in shop.yaml, each checked")], "each time"),
        ([cell("fresh", RIGHT, "installed"), cell("owner", "refused (PR101)", "x (PR101)")], "on failure"),
        ([cell("fresh", RIGHT, "installed"), cell("owner", "failed without a code", "x")], "never"),
    ],
)
def test_when_the_summary_is_seen(cells: list[Cell], when: str) -> None:
    assert summary(cells) == when


OWNED = {"annotations": {"meta.helm.sh/release-name": "shop"}}


@pytest.mark.parametrize(
    ("metadata", "manifest", "result"),
    [
        (OWNED, [], "on every object"),
        (OWNED, ["meta.helm.sh/release-name: shop"], "on every object"),
        (OWNED, ["meta.helm.sh/release-name: shop", "kind: Shirt"], "not on 1 objects"),
        ({"annotations": {}}, [], "not on 1 objects"),
    ],
)
def test_ownership_metadata_is_asked_of_live_and_stored_objects(
    metadata: Object, manifest: list[str], result: str
) -> None:
    assert stamped({"ConfigMap.": Live("1", "M", metadata)}, manifest) == result
