"""The documentation: generated pages are what the code says, what is shown of a terminal is what is printed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.test_filter import ROOT
from tests.e2e.scenes import ELSEWHERE, NOT_RUN, RUN, elsewhere
from tests.tools import transcripts, typed
from tests.tools.transcripts import PAGES, Step
from tools import pages
from tools.pages import DOCS

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


KNOWN = {*RUN, *NOT_RUN, *ELSEWHERE}


@pytest.mark.parametrize("page", typed.PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_is_run(page: Path) -> None:
    left = [each.command for each in typed.on(page) if not elsewhere(each) and each.command not in KNOWN]
    assert not left, "neither in tests/e2e/typed.yaml nor in NOT_RUN of tests/e2e/scenes.py"
    assert typed.languages(page) <= {*typed.SHELLS, *typed.OTHERS}, "a block in which no command would be seen"


def test_every_command_that_is_run_or_not_is_on_a_page() -> None:
    shown = {each.command for page in typed.PAGES for each in typed.on(page)}
    assert sorted(KNOWN - shown) == []
    assert len(KNOWN) == len(RUN) + len(NOT_RUN) + len(ELSEWHERE)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_another_test_runs_it(command: str) -> None:
    assert command in (ROOT / ELSEWHERE[command]).read_text()


def sections(page: Path) -> list[tuple[str, set[str]]]:
    """Each section of a page of errors: how deep it is, and the codes, the commands and the errors in it."""
    parts = re.split(r"^(##+) .*$", page.read_text(), flags=re.MULTILINE)
    named = r"codes/(P\w+)\.md|^(Error: .*)$|`((?:helm|kubectl|postrender) [^`]* [^`]*)`"
    return [
        (depth, {" ".join("".join(found).split()) for found in re.findall(named, text, re.MULTILINE)})
        for depth, text in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_the_chinese_page_of_errors_is_in_step() -> None:
    assert sections(DOCS / "zh" / "errors.md") == sections(DOCS / "errors.md")


def test_the_chinese_readme_tells_of_the_same_refusals() -> None:
    english, chinese = (
        set(re.findall(r"PR\d+", (ROOT / name).read_text())) for name in ("README.md", "README.zh-CN.md")
    )
    assert chinese == english
