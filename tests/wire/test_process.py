"""What the rooms do to the process they run in: imports, signals, threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.wire.kinds import SHIRT
from tests.wire.server import Reply, Server

ROOT = Path(__file__).parents[2]

HEAVY = ("kubernetes", "urllib3", "requests", "ssl", "http", "socket", "logging", "asyncio", "subprocess")


def test_importing_the_rooms_is_cheap() -> None:
    """A filter that looks nothing up must not pay for what only a look-up needs."""
    code = f"""
import sys
import postrender.cluster, postrender.cluster.interface, postrender.cluster.snapshot_file, postrender.helm.storage
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_an_interrupt_ends_a_look_up_on_a_server_that_hangs(server: Server) -> None:
    server.on("GET .*", lambda _: Reply(200) if server.over.wait(60) else Reply(500))
    code = f"""
from postrender.cluster.client import connect
from postrender.models import Connection
from postrender.models import GroupVersionKind, Resource
from postrender.cluster.interface import ObjectLookup
shirt = Resource(GroupVersionKind("stable.example.com", "v1", "Shirt"), "shirts", True)
try:
    asked = [ObjectLookup(shirt, "shop", str(i), False) for i in range(99)]
    connect(Connection(apiserver={server.url!r})).get_objects(asked)
except KeyboardInterrupt:
    print("interrupted")
"""
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "KUBECONFIG": ""}
    )
    deadline = time.monotonic() + 30
    while not server.asked(f"GET {SHIRT.path('shop', '')}/.*") and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=10)
    assert (out, running.returncode) == ("interrupted\n", 0)


def test_an_interrupt_that_wakes_nobody_is_seen_soon() -> None:
    """A signal that another thread takes does not wake the one that waits, as one that comes just before the wait."""
    code = """
import signal, threading, time
from postrender.cluster.parallel import call_with_timeout

def call():
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(30)

try:
    call_with_timeout(call, total_timeout=30, default=None)
except KeyboardInterrupt:
    print("interrupted")
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("interrupted\n", 0)
    assert time.monotonic() - began < 10
