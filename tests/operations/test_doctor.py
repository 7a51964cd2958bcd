"""What each version of Helm is said to do wrong."""

from __future__ import annotations

import pytest

from postrender.helm.versions import BEHAVIOUR_CHANGES, NEWEST_TESTED, HelmVersion
from postrender.operations.doctor import known_issues
from postrender.planner.codes import CODES


def codes(version: str) -> list[str]:
    helm = HelmVersion.parse(version)
    assert helm is not None
    return [code for flaw in known_issues(helm) for code in flaw.codes]


@pytest.mark.parametrize("helm", [*BEHAVIOUR_CHANGES, *NEWEST_TESTED.values()], ids=str)
def test_every_code_is_explained(helm: HelmVersion) -> None:
    assert {code for flaw in known_issues(helm) for code in flaw.codes} <= CODES.keys()
    assert not any(flaw.text.endswith(".") for flaw in known_issues(helm))


@pytest.mark.parametrize(
    ("code", "has", "has_not"),
    [
        ("PR202", ["3.9.4", "3.12.3", "3.17.0"], ["3.17.1", "4.0.0", "4.3.1"]),
        ("PR402", ["3.17.1", "3.21.4", "4.0.0", "4.3.1"], ["3.17.0"]),
        ("PR304", ["4.0.0"], ["3.21.4", "4.0.1", "4.3.1"]),
    ],
)
def test_borders(code: str, has: list[str], has_not: list[str]) -> None:
    assert all(code in codes(version) for version in has)
    assert not any(code in codes(version) for version in has_not)


def test_only_4_0_0_to_4_1_0_mind_the_version() -> None:
    told = {version: known_issues(HelmVersion(*map(int, version.split("."))))[0].text for version in ("4.1.0", "4.1.1")}
    assert told == {
        "4.1.0": "deletes an object whose group or version changes in the chart",
        "4.1.1": "deletes an object whose group changes in the chart",
    }
