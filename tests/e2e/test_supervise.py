"""The control plane comes up or says why, and never outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.e2e.api import Api, wait_until
from tests.e2e.conftest import program
from tests.e2e.controlplane import ROOT


def test_it_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    starter = tmp_path / "starter.py"
    starter.write_text(
        textwrap.dedent("""\
            import subprocess, sys
            command = [sys.executable, "-m", "tests.e2e.supervise", *sys.argv[1:]]
            running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            print(running.stdout.readline(), flush=True)
            sys.stdin.read()
            """)
    )
    command = [sys.executable, str(starter), str(program("etcd")), str(program("kube-apiserver"))]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        ready = json.loads(started.stdout.readline())
        folder = Path(ready["kubeconfig"]).parent
        api = Api(ready["url"], ready["ca"], ready["token"])
        assert api.request("GET", "/version")["gitVersion"].startswith("v1.")
        assert len(_running_in(folder)) == 2
        os.kill(started.pid, signal.SIGKILL)
    wait_until(lambda: not _running_in(folder), "etcd and kube-apiserver to end", 10)
    wait_until(lambda: not folder.exists(), "their data to go", 10)


def test_a_program_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    broken, quiet = tmp_path / "broken", tmp_path / "quiet"
    broken.write_text("#!/bin/sh\necho no disk left\nexit 7\n")
    quiet.write_text("#!/bin/sh\nexec sleep 60\n")
    for each in (broken, quiet):
        each.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.supervise", str(broken), str(quiet)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == ("etcd ended with 7\n--- end of etcd.log\nno disk left\n--- end of kube-apiserver.log\n")


def _running_in(folder: Path) -> list[str]:
    """The command lines that name the folder."""
    lines = subprocess.run(
        ["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in lines if str(folder) in line]
