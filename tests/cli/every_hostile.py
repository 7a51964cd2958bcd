"""``bin/attack``: every string of ``hostile.yaml`` in every answer of a server, through every command and format.

``test_hostile_corpus.py`` tries a slice of them; all take some minutes, so this file is none that pytest looks for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_hostile_corpus import FORMATS, STRINGS, Play, answers, play, what_a_server_says, wrong_of

__all__ = ["play"]


@pytest.mark.parametrize("answer", answers(""))
@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_in_what_a_server_says(text: str, answer: str, play: Play, tmp_path: Path) -> None:
    # A command that fails at its first step says the same in each format.
    formats = FORMATS if answer in ("objects", "kinds") else FORMATS[:1]
    said = what_a_server_says(text, answer, play, tmp_path, formats)
    assert {what: found for what, (done, output) in said.items() if (found := wrong_of(what, done, output))} == {}
