"""The Go program that reads as Helm does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools import assets
from tests.tools.goreader import GoReader


@pytest.fixture(scope="session")
def go() -> Iterator[GoReader]:
    """Go's reading of streams; fails the test where it cannot be built."""
    try:
        program = assets.goyaml()
    except assets.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    with GoReader(program) as running:
        yield running
