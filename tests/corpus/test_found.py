"""What fuzzing found once: each input broke a promise, and must not again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.oracle import check
from tests.tools.goreader import GoReader

FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_promises_hold(path: Path, go: GoReader) -> None:
    check(path.read_bytes(), go)
