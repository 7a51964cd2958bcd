"""Which cases of long tests are played in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from tests.conftest import beyond

pytest_plugins = ("pytester",)

HELMS = ("3.12.3", "3.22.0", "4.3.2")
FILE = """
import pytest

@pytest.mark.one_in(3)
@pytest.mark.parametrize("case", range(9))
def test_long(case): ...

def test_short(): ...
"""


@pytest.fixture
def folder(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> pytest.Pytester:
    """Another project with the same ``conftest.py``."""
    pytester.makeini("[pytest]\nmarkers = one_in(n)\n")
    pytester.makeconftest((request.config.rootpath / "tests" / "conftest.py").read_text())
    pytester.makepyfile(test_it=FILE)
    return pytester


def played(cases: Sequence[Any], one_in: int, name: str) -> list[Any]:
    left_out = beyond(cases, one_in, name)
    return [case for case in cases if case not in left_out]


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_each_case_is_played_with_one_helm_by_turn(name: str) -> None:
    chosen = played(list(product(range(6), HELMS)), 3, name)
    assert [case for case, _ in chosen] == list(range(6))
    assert Counter(helm for _, helm in chosen) == dict.fromkeys(HELMS, 2)


@pytest.mark.parametrize(("count", "one_in"), [(1, 3), (2, 3), (3, 3), (2, 2)])
@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_of_few_cases_one_is_played(count: int, one_in: int, name: str) -> None:
    assert len(played(list(range(count)), one_in, name)) == 1


@pytest.mark.parametrize(
    ("arguments", "passed", "deselected"),
    [
        ((), 4, 6),
        (("--whole",), 10, 0),
        (("-k", "long"), 9, 1),
        (("test_it.py::test_long",), 9, 0),
        (("-m", "one_in"), 3, 7),
    ],
)
def test_the_slice(folder: pytest.Pytester, arguments: tuple[str, ...], passed: int, deselected: int) -> None:
    folder.runpytest_inprocess(*arguments).assert_outcomes(passed=passed, deselected=deselected)
