"""The Go program that reads as Helm does, and the public charts.

The rendered charts lie beside the repository where they are at hand: ``../shared/corpus/charts.tar.xz``.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.tools import assets
from tests.tools.goreader import GoReader

CHARTS = Path(__file__).parents[3] / "shared" / "corpus" / "charts.tar.xz"
with_charts = pytest.mark.skipif(not CHARTS.is_file(), reason=f"the rendered charts are not at {CHARTS}")


@pytest.fixture(scope="session")
def charts() -> Mapping[str, bytes]:
    """The rendered charts by name."""
    found: dict[str, bytes] = {}
    with tarfile.open(CHARTS) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content:
                found[member.name] = content.read()
    assert len(found) == 48
    return found


@pytest.fixture(scope="session")
def go() -> Iterator[GoReader]:
    """Go's reading of streams; fails the test where it cannot be built."""
    try:
        program = assets.goyaml()
    except assets.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    with GoReader(program) as running:
        yield running
