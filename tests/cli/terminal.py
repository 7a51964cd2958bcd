"""The executable on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys

from tests.cli.test_filter import ROOT


def on_a_terminal(*arguments: str, environ: dict[str, str] | None = None, typed: bytes = b"") -> tuple[int, bytes]:
    """Exit code and all that a terminal is sent, what was typed there included."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("POSTRENDER_", "HELM_", "KUBE"))}
    clean.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "postrender", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**clean, "HOME": "/nonexistent", "TERM": "xterm", **(environ or {})},
    )
    os.close(theirs)
    os.write(ours, typed)
    seen = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 30)
        try:
            piece = os.read(ours, 65536) if ready else b""
        except OSError:
            piece = b""
        if not piece:
            break
        seen += piece
    os.close(ours)
    return process.wait(30), seen
