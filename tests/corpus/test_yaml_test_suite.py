"""The YAML test suite's documents, each by itself, as a manifest's spec and as its metadata.

``yaml-test-suite.json`` holds the inputs of https://github.com/yaml/yaml-test-suite (e5bb910) by their ids, under the
licence in ``yaml-test-suite.LICENSE``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fuzz.oracle import check
from tests.tools.goreader import GoReader

SUITE: dict[str, str] = json.loads((Path(__file__).parent / "yaml-test-suite.json").read_text())
HEAD = "apiVersion: v1\nkind: ConfigMap\n"


def indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))


@pytest.mark.parametrize("name", SUITE)
def test_document_by_itself(name: str, go: GoReader) -> None:
    check(SUITE[name].encode(), go)


@pytest.mark.parametrize("name", SUITE)
def test_document_as_a_spec(name: str, go: GoReader) -> None:
    text = indented(SUITE[name])
    check(f"{HEAD}metadata:\n  name: a\nspec:\n{text}".encode(), go)
    check(f"{HEAD}spec:\n{text}\nmetadata:\n  name: a\n".encode(), go)


@pytest.mark.parametrize("name", SUITE)
def test_document_as_labels_and_metadata(name: str, go: GoReader) -> None:
    text = indented(SUITE[name])
    check(f"{HEAD}metadata:\n  name: a\n  labels:\n{indented(text)}".encode(), go)
    check(f"{HEAD}metadata:\n{text}".encode(), go)
    check(f"{HEAD}metadata:\n{text}\ndata: {{}}\n".encode(), go)
