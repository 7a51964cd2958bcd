"""The faults that the model's tests must catch can be put in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tools.mutations import ROOT, Fault, caught, load


@pytest.mark.parametrize("fault", load(), ids=lambda fault: f"{fault.file}: {fault.old}")
def test_a_fault_stands_once_where_it_goes(fault: Fault, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "postrender" / "helm", tmp_path / "postrender" / "helm")
    fault.put_in(tmp_path)


def test_a_fault_is_caught_by_a_test() -> None:
    fault = Fault("objects.py", "first.setdefault(entry, index)", "first[entry] = index")
    ((_, test),) = caught([fault], ["tests/helm/test_simulate.py", "tests/planner/test_name_collisions.py"])
    assert test.startswith("FAILED tests/")


def test_a_fault_whose_text_is_gone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "postrender" / "helm", tmp_path / "postrender" / "helm")
    with pytest.raises(ValueError, match=r"^objects\.py has 0 times: no such text$"):
        Fault("objects.py", "no such text", "").put_in(tmp_path)
