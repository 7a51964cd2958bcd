"""The documentation: generated pages are what the code says, what is shown of a terminal is what is printed."""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from postrender.commands import COMMANDS
from tests.cli.test_filter import ROOT
from tests.tools import pages, transcripts
from tests.tools.transcripts import DOCS, Step

PAGES = sorted(DOCS.rglob("*.md"))
OFFLINE = [pytest.param(step, id=page.name) for page in PAGES for step in transcripts.steps(page) if not step.cluster]
_FENCE = re.compile(r"^ *```\w*[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def test_generated_pages_are_what_the_code_says() -> None:
    assert pages.stale() == [], "bin/docs --write writes them anew"


@pytest.mark.parametrize("step", OFFLINE)
def test_what_is_shown_is_what_is_printed(step: Step) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    assert transcripts.settled(transcripts.played(step.command, ROOT, environ)) == transcripts.settled(step.shown)


def commands(text: str) -> list[list[str]]:
    """Every call of postrender in the code of a page, as words."""
    code = [*_FENCE.findall(text), *re.findall(r"`(postrender [^`]+)`", _FENCE.sub("", text))]
    found = []
    for line in "\n".join(code).replace("\\\n", " ").split("\n"):
        for call in re.findall(r"(?:^|[|$] ?|\s)(?:bin/)?postrender((?: [^|><;#&]*)?)", line.split("  #")[0]):
            try:
                words = shlex.split(call)
            except ValueError:
                continue
            if words and (words[0] in COMMANDS or words[0].startswith("-")):
                found.append(words)
    return found


CALLS = [(page, words) for page in PAGES for words in commands(page.read_text())]


@pytest.mark.parametrize(("page", "words"), CALLS, ids=[f"{page.name} {' '.join(words)}" for page, words in CALLS])
def test_every_command_shown_has_the_flags_it_is_shown_with(page: Path, words: list[str]) -> None:
    name = words[0] if words[0] in COMMANDS else "filter"
    parser = import_module(f"postrender.commands.{name.replace('-', '_')}").parser()
    own = words[: words.index("--")] if "--" in words else words
    flags = [word.partition("=")[0] for word in own if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)]
    known = {flag for action in parser._actions for flag in action.option_strings}
    assert set(flags) <= known, f"{page}: {' '.join(words)}"


def test_every_schema_is_listed() -> None:
    listed = re.findall(r"\(schemas/([^)]*)\)", (DOCS / "schemas.md").read_text())
    assert sorted(listed) == sorted(path.name for path in (ROOT / "postrender").rglob("*.schema.json"))


def test_calls_are_found() -> None:
    assert commands("```sh\na | bin/postrender lint - -o sarif > x\n```\n`postrender --offline`") == [
        ["lint", "-", "-o", "sarif"],
        ["--offline"],
    ]
