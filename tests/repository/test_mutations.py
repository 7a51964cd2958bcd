"""The faults that the model's tests must catch can be put in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tools.mutations import ROOT, Fault, caught, judged, load


@pytest.mark.parametrize("fault", load(), ids=lambda fault: f"{fault.file}: {fault.old}")
def test_a_fault_stands_once_where_it_goes(fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / "postrender" / fault.file
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "postrender" / fault.file, path)
    with fault.put_in(tmp_path):
        assert fault.new in path.read_text(encoding="utf-8")
    assert path.read_bytes() == (ROOT / "postrender" / fault.file).read_bytes()


def test_a_fault_is_caught_by_the_first_tests_that_see_it() -> None:
    fault = Fault("helm/objects.py", "first.setdefault(entry, index)", "first[entry] = index")
    blind, seeing = (
        ["tests/helm/test_hooks.py"],
        ["tests/helm/test_simulate.py", "tests/planner/test_name_collisions.py"],
    )
    ((_, failed),) = caught([fault], [blind, seeing, ["tests/no_such_file.py"]])
    assert [failed[0], failed[1].split("/")[0]] == ["", "tests"]
    assert len(failed) == 2


def test_a_fault_whose_text_is_gone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "postrender" / "helm", tmp_path / "postrender" / "helm")
    with pytest.raises(ValueError, match=r"^helm/objects\.py has 0 times: no such text$"):
        Fault("helm/objects.py", "no such text", "").put_in(tmp_path).__enter__()


@pytest.mark.parametrize(
    ("reasons", "failed", "expected"),
    [
        ({}, ["table"], ("caught by table", True)),
        ({}, ["", "test"], ("NOT AS WRITTEN, not caught by a table: test", False)),
        ({}, ["", ""], ("NOT CAUGHT", False)),
        ({"no_table": "why"}, ["", "test"], ("caught by test; no table why", True)),
        ({"no_table": "why"}, ["table"], ("NOT AS WRITTEN, why: table", False)),
        ({"no_table": "why"}, ["", ""], ("NOT CAUGHT", False)),
        ({"survives": "why"}, ["", ""], ("survives: why", True)),
        ({"survives": "why"}, ["table"], ("NOT AS WRITTEN, why: table", False)),
        ({"survives": "why"}, ["", "test"], ("NOT AS WRITTEN, why: test", False)),
    ],
)
def test_what_is_printed_of_a_fault(reasons: dict[str, str], failed: list[str], expected: tuple[str, bool]) -> None:
    assert judged(Fault("helm/objects.py", "a", "b", **reasons), failed) == expected
