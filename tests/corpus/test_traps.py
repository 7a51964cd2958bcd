"""Each trap comes out right, as the bytes in its folder say and as Go reads them, or is refused with its place."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from postrender import manifest
from postrender.manifest.edit import splice
from postrender.manifest.edit.changes import flow
from tests.corpus.cases import TRAPS, edits, outcome
from tests.fuzz.oracle import apply, check, equal
from tests.tools.goreader import GoReader, through_kyaml

CASES = sorted(TRAPS.iterdir())
NOT_FOR_HELM_4 = {"json-stream"}
"""What kyaml reads the first value of, and no more."""


def names(path: Path) -> str:
    return path.name


def made(case: Path) -> Path:
    """The file with what a case must make."""
    (found,) = {path.name for path in case.iterdir()} - {"input.yaml", "edits.json"}
    return case / found


@pytest.mark.parametrize("case", CASES, ids=names)
def test_trap_makes_the_bytes_in_its_folder(case: Path) -> None:
    name, content = outcome(case)
    assert content.decode() == made(case).read_bytes().decode()
    assert name == made(case).name


@pytest.mark.parametrize("case", [case for case in CASES if made(case).name == "refused.txt"], ids=names)
def test_refusal_names_line_and_column(case: Path) -> None:
    assert re.match(r"(ConfigMap(/a)?, )?line \d+, column \d+: \S", made(case).read_text())


@pytest.mark.parametrize("case", [case for case in CASES if made(case).name != "refused.txt"], ids=names)
def test_go_reads_the_difference_that_was_meant(case: Path, go: GoReader) -> None:
    found = manifest.read((case / "input.yaml").read_bytes())
    before, after = go.read(found.data), go.read(made(case).read_bytes())
    assert before.error == after.error or (before.error and after.error)
    meant = copy.deepcopy(before.values)
    seen = [document for document in found.documents if document.skip_reason != "empty"]
    for edit in edits(found, json.loads((case / "edits.json").read_text())):
        value: Any = None if before.error else meant[seen.index(found.documents[edit.ref.document])]
        for index in edit.ref.path:
            value = value["items"][index]
        if value is not None:
            apply(value, edit)
    assert equal(meant, after.values)


@pytest.mark.parametrize("case", [case for case in CASES if made(case).name != "refused.txt"], ids=names)
def test_same_edits_again_change_nothing(case: Path) -> None:
    data = made(case).read_bytes()
    again = manifest.read(data)
    result = splice(again, edits(again, json.loads((case / "edits.json").read_text())))
    assert result.data == data
    assert result.rewritten == ()


@pytest.mark.parametrize("case", CASES, ids=names)
def test_every_promise_holds_for_other_edits(case: Path, go: GoReader) -> None:
    check((case / "input.yaml").read_bytes(), go)


@pytest.mark.parametrize("case", [case for case in CASES if made(case).name != "refused.txt"], ids=names)
def test_helm_4_reads_the_output_alike(case: Path, go: GoReader) -> None:
    """What kyaml makes of the text is what it makes of the same values written as JSON."""
    data = made(case).read_bytes()
    if case.name in NOT_FOR_HELM_4 or through_kyaml((case / "input.yaml").read_bytes()).error:
        return
    plainest = b"".join(b"---\n" + flow(value) + b"\n" for value in go.read(data).values)
    assert equal(through_kyaml(data).values, through_kyaml(plainest).values)
