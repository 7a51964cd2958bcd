"""A line on stderr for what takes longer than a second, on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds before anything is said."""

WIDTH = 79

_EVERY = 0.1
"""Seconds between two changes of the line."""


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Say ``what`` (``reading live objects``) after a second, and wipe it away when it is done.

    What is given to the function it yields is said instead from then on.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    import threading

    said = threading.Event()
    now = [what]

    def say() -> None:
        said.set()
        sys.stderr.write(f"\r\x1b[K{f'postrender: {now[0]} ...'[:WIDTH]}")
        sys.stderr.flush()

    last = [time.monotonic()]

    def go_on(text: str) -> None:
        now[0] = text
        if said.is_set() and time.monotonic() - last[0] >= _EVERY:
            last[0] = time.monotonic()
            say()

    timer = threading.Timer(PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        yield go_on
    finally:
        timer.cancel()
        timer.join()
        if said.is_set():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
