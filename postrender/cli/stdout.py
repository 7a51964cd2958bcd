"""Bytes written to stdout."""

from __future__ import annotations

import os
import sys

from postrender.errors import UsageError


def write(data: bytes) -> None:
    """Write the bytes to stdout and flush them; raises UsageError if it takes them no more, BrokenPipeError."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> UsageError:
    """The error of a full disk, or whatever else stdout leads to; nothing more is written there afterwards.

    Python would try once more at its end, and end with the code 120 and a traceback.
    """
    discard()
    return UsageError(f"cannot be written: {error.strerror}", where="stdout", next="df -h")


def discard() -> None:
    """Lead stdout nowhere, so that the interpreter's last flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
