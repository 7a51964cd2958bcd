"""Archives that are the same bytes for the same entries, whenever they are made."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def archive_at(path: Path) -> Iterator[tarfile.TarFile]:
    """A gzipped tar archive to add entries to; neither the time nor the file's name is in it."""
    with (
        open(path, "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        yield archive
