"""A line on stderr for what takes longer than a second, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds before anything is said."""

WIDTH = 79


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say ``what`` (``reading live objects``) after a second, and wipe it away when it is done."""
    if not sys.stderr.isatty():
        yield
        return
    import threading

    said = threading.Event()

    def say() -> None:
        said.set()
        sys.stderr.write(f"\r{f'postrender: {what} ...'[:WIDTH]}")
        sys.stderr.flush()

    timer = threading.Timer(PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if said.is_set():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
