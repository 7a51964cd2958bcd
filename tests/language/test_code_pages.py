"""What the page of a code says of severity and shows as an example is what happens."""

from __future__ import annotations

import pytest

from postrender.lint import engine
from postrender.lint.model import Facts, rendering
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES
from tools.code_examples import LINT, examples, severities


def test_a_code_has_the_severities_that_its_page_lists() -> None:
    allowed = {
        code: {*CODES[code].severity, *(["warning"] if "error" in CODES[code].severity else [])} for code in CODES
    }
    assert {code: seen for code, seen in severities().items() if not seen <= allowed[code]} == {}


NEEDS_A_SERVER = ("PR204", "PR306", "PR307", "PR308", "PR311", "PR312", "PR313", "PR314", "PR315", "PR317", "PR318")
"""No scenario reports these: they need an API server's answer, or ``postrender flux``."""


def test_every_other_code_has_an_example() -> None:
    without = CODES.keys() - examples().keys()
    assert sorted(code for code in without if not code.startswith("PR6")) == [*NEEDS_A_SERVER]


def test_every_rule_that_compares_has_an_example() -> None:
    assert {code for code in LINT if "old" in LINT[code]} == {code for code in RULES if code.startswith("PL2")}


@pytest.mark.parametrize("code", LINT)
def test_a_rule_finds_its_example_and_passes_the_fix(code: str) -> None:
    old = LINT[code].get("old")
    before = Facts(rendering(old.encode())) if old else None

    def found(text: str) -> set[str]:
        facts = Facts(rendering(text.encode()), before=before)
        return {finding.code for finding in engine.check(facts, RULES.values(), "chart")}

    assert code in found(LINT[code]["before"])
    assert code not in found(LINT[code]["after"])
