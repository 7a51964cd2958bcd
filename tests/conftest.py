"""Long tests play a fixed slice of their cases in every run; with ``--whole`` all of them, and new random ones."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--whole``."""
    parser.addoption("--whole", action="store_true", help="every case of what is marked one_in, and new examples")


def pytest_configure(config: pytest.Config) -> None:
    """How many examples Hypothesis draws for each test: the same ones in every run, others in each with ``--whole``."""
    always = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    settings.register_profile("slice", always, max_examples=150, derandomize=True)
    settings.register_profile("whole", always, max_examples=1000, print_blob=True)
    settings.load_profile("whole" if config.option.whole else "slice")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what is not in the slice. A case that was asked for by its name is played."""
    named = config.option.keyword or any("::" in argument for argument in config.args)
    if config.option.whole or named:
        return
    functions: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("one_in"):
            functions.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {case for name, cases in functions.items() for case in beyond(cases, _denominator(cases[0]), name)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _denominator(item: pytest.Item) -> int:
    marker = item.get_closest_marker("one_in")
    return int(marker.args[0]) if marker else 1


def beyond(cases: Sequence[pytest.Item], one_in: int, name: str) -> list[pytest.Item]:
    """The cases of a function that only ``--whole`` plays.

    The slice goes along the diagonal: of cases that are each played with three Helms, one in three is one Helm for
    each, taken by turn. ``name`` decides which begins; of fewer cases than ``one_in`` one is played.
    """
    first = crc32(name.encode()) % min(one_in, len(cases))
    return [case for place, case in enumerate(cases) if (place + place // one_in) % one_in != first]
