"""The documentation: generated pages are what the code says, what is shown of a terminal is what is printed."""

from __future__ import annotations

import os
import re

import pytest

from tests.cli.test_filter import ROOT
from tests.tools import pages, transcripts
from tests.tools.pages import DOCS
from tests.tools.transcripts import PAGES, Step

OFFLINE = [pytest.param(step, id=page.name) for page in PAGES for step in transcripts.steps(page) if not step.cluster]


def test_generated_pages_are_what_the_code_says() -> None:
    assert pages.stale() == [], "bin/docs --write writes them anew"


@pytest.mark.parametrize("step", OFFLINE)
def test_what_is_shown_is_what_is_printed(step: Step) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    assert transcripts.settled(transcripts.played(step.command, ROOT, environ)) == transcripts.settled(step.shown)


def test_every_schema_is_listed() -> None:
    listed = re.findall(r"\(schemas/([^)]*)\)", (DOCS / "schemas.md").read_text())
    assert sorted(listed) == sorted(path.name for path in (ROOT / "postrender").rglob("*.schema.json"))
