"""Ctrl-C at many moments of look-ups on a server that hangs: the program ends at once, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.cli.test_hostile_corpus import kubeconfig
from tests.wire.server import Reply, Server

ROOT = Path(__file__).parents[2]

STREAM = "---\n".join(
    f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a{place}}}\n"
    for kind in ("ConfigMap", "Secret")
    for place in range(30)
)

HANGS = {"discovery": "GET /apis?", "objects": "GET /api/v1/.*", "everything": ".*"}
"""Requests that get no answer; the others get theirs."""

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "filter": ("--release", "new", "--helm-version", "3.21.4", "--action", "install"),
    "plan": ("plan", "-", "--release", "new", "--helm-version", "4.3.1"),
    "orphans": ("orphans",),
    "verify": ("verify", "web"),
    "adopt": ("adopt", "new", "configmaps/a", "--yes"),
    "unpin": ("unpin", "web"),
    "unserved": ("unserved", "web"),
    "move": ("move", "shirts", "--from", "web", "--to", "next", "--yes"),
    "forget": ("forget", "web", "--yes"),
    "rename": ("rename", "web", "next", "--yes"),
}

AT_ONCE = 5.0
"""Seconds within which an interrupted program ends, on a busy machine; its requests would take 60."""


def interrupted(command: str, hangs: str, delay: float, folder: Path) -> tuple[int, str, str, float]:
    """Interrupt a command ``delay`` seconds after the first request that hangs: exit code, stdout, stderr, seconds."""
    with Server() as server:
        server.on(HANGS[hangs], lambda _: Reply(200) if server.over.wait(90) else Reply(500))
        where = ("-n", "shop", "--kubeconfig", kubeconfig(folder, server.url), "--request-timeout", "60")
        running = subprocess.Popen(
            [sys.executable, "-m", "postrender", *COMMANDS[command], *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(folder)},
        )
        assert running.stdin is not None
        running.stdin.write(STREAM.encode())
        running.stdin.close()
        running.stdin = None
        deadline = time.monotonic() + 60
        while not server.asked(HANGS[hangs]) and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        running.send_signal(signal.SIGINT)
        start = time.monotonic()
        try:
            out, err = running.communicate(timeout=30)
        finally:
            running.kill()
        return running.returncode, out.decode(), err.decode(), time.monotonic() - start


def wrong(ended: tuple[int, str, str, float]) -> list[str]:
    """What is wrong with how it ended; nothing if the interrupt was seen at once and the program said so."""
    code, out, err, seconds = ended
    found = [] if code == 130 else [f"it ended with {code}"]
    found += [f"it printed {out!r}"] if out else []
    found += [f"it said {err!r}"] if "interrupted" not in err or "Traceback" in err else []
    return [*found, f"it took {seconds:.1f} s"] if seconds > AT_ONCE else found
