"""Windows and macOS, as far as Linux can be either: without the calls and modules that each lacks."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

from tests.cli.test_filter import RENDERED, ROOT

WITHOUT = """
import os, signal, subprocess, sys, tempfile, zoneinfo
import psutil
system, with_psutil = sys.argv[1:3]
del sys.argv[1:3]
if system == "win32":
    for name in ("fcntl", "grp", "pwd", "resource", "termios"):
        sys.modules[name] = None
    for name in ("geteuid", "getuid", "fork", "killpg", "memfd_create", "setsid",
                 "O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK"):
        delattr(os, name)
    for name in ("SIGALRM", "SIGHUP", "SIGPIPE"):
        delattr(signal, name)
    del psutil.Process.uids
    def username(process):
        if process.pid != os.getpid():
            raise psutil.AccessDenied(process.pid)
        return "jane"
    psutil.Process.username = username
if with_psutil == "no":
    sys.modules["psutil"] = None
sys.platform = system
from postrender.cli.main import run
run()
"""
"""Modules of the standard library that choose by the platform are imported first."""
ARGUMENTS = ("--release", "shirts", "--namespace", "default", "--helm-version", "3.12.3")
SETTINGS = ("--live", "examples/shirts/live.yaml", *ARGUMENTS)
SYSTEMS = [("win32", "yes"), ("win32", "no"), ("darwin", "yes"), ("darwin", "no")]


@functools.cache
def ran(system: tuple[str, str] | None, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A call as on a system, with or without psutil; ``None`` for this one."""
    program = [sys.executable, *(("-c", WITHOUT, *system) if system else ("-m", "postrender"))]
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("HELM_", "POSTRENDER_"))}
    return subprocess.run([*program, *arguments], input=RENDERED, env=environ, cwd=ROOT, capture_output=True)


@pytest.mark.parametrize("system", SYSTEMS, ids="-".join)
@pytest.mark.parametrize(
    "arguments",
    [
        SETTINGS,
        ("--offline", "--release", "shirts"),
        ("lint", "examples/shirts/rendered.yaml"),
        ("plan", "--manifests", "examples/shirts/rendered.yaml", *SETTINGS),
    ],
    ids=["filter", "offline", "lint", "plan"],
)
def test_the_offline_commands_write_the_same(system: tuple[str, str], arguments: tuple[str, ...]) -> None:
    there, linux = ran(system, *arguments), ran(None, *arguments)
    assert (there.returncode, there.stdout) == (linux.returncode, linux.stdout), there.stderr.decode()
    assert linux.stdout


@pytest.mark.parametrize("system", [each for each in SYSTEMS if each[1] == "no"], ids="-".join)
def test_without_psutil_the_missing_settings_are_named(system: tuple[str, str]) -> None:
    done = ran(system, "--offline")
    assert b"No parent Helm process found; use --helm-version VERSION." in done.stderr
    assert b"The release is unknown: no Helm was found above this process; use --release NAME." in done.stderr
