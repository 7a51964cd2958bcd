"""``python -m tests.corpus [CHARTS.tar.xz | FILE ...]``: print what rewriting does to streams, as Go reads them.

Without arguments it is the archive of public charts beside the repository.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tests.corpus.conftest import CHARTS
from tests.corpus.tally import Tally, tally
from tests.tools.goreader import GoReader


def streams(paths: list[Path]) -> Iterator[bytes]:
    """The files, those in archives included."""
    for path in paths:
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                contents = [archive.extractfile(member) for member in archive if member.isfile()]
                yield from (content.read() for content in contents if content)
        else:
            yield path.read_bytes()


def main(arguments: list[str]) -> int:
    """1 where one of the numbers that must be 0 is not."""
    found = Tally()
    with GoReader() as go:
        for data in streams([Path(each) for each in arguments] or [CHARTS]):
            found = tally(data, go, found)
    print("\n".join(found.lines))
    return 1 if found.differences or found.changed or found.refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
