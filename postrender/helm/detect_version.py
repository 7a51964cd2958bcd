"""The version of a Helm, asked of its very program, which is run for nothing else."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

from postrender._record import Record
from postrender.helm.process import Helm, Processes
from postrender.helm.versions import HelmVersion, behaviour_of

VERSION_TIMEOUT = 5.0
"""Seconds that Helm may take to say its version (it takes about a tenth of one)."""

_LONGEST = 200
"""Bytes of an answer that are read at most."""


class VersionUnknown(Record):
    """Helm's version is not known; ``reason`` is a sentence without a full stop."""

    reason: str


def ask_version(helm: Helm, processes: Processes, environ: Mapping[str, str]) -> HelmVersion | VersionUnknown:
    """The version of a running Helm, from the same program run without kubeconfig, plugins and user configuration.

    The version of a file that was asked before is read from the user's cache folder, which ``environ`` names.
    """
    process = helm.process
    if not helm.named:
        program = f"its program is {process.exe}" if process.exe else "its program cannot be seen"
        return VersionUnknown(f"process {process.pid} runs as helm, but {program}")
    if not process.ours:
        return VersionUnknown(f"{process.exe} (pid {process.pid}) runs as another user")
    from postrender.helm.version_cache import identify, recall, remember  # Needed only where a Helm calls.

    program = processes.program(process)
    identity = identify(program, process.exe)
    known = recall(identity, environ) if identity else None
    if known is not None:
        return known
    answer = version_of(program)
    if isinstance(answer, HelmVersion) and identity and identity == identify(program, process.exe):
        remember(identity, answer, environ)
    return VersionUnknown(f"{process.exe} version {answer.reason}") if isinstance(answer, VersionUnknown) else answer


def version_of(program: str) -> HelmVersion | VersionUnknown:
    """Run ``program version``, as ``ask`` does; the reason is what follows the words "PROGRAM version"."""
    answer = _run(program)
    if isinstance(answer, VersionUnknown):
        return answer
    found = exact(answer)
    return VersionUnknown(f"said {answer!r}, {found.reason}") if isinstance(found, VersionUnknown) else found


def exact(text: str) -> HelmVersion | VersionUnknown:
    """Parse a version; one without a patch number is accepted only if all its patch releases behave alike.

    A Helm that was built from source without being told its version says ``v3.17`` (internal/version/version.go).
    """
    found = HelmVersion.parse(text)
    if found is None:
        return VersionUnknown("which is not a version")
    complete = re.match(r"v?\d+\.\d+\.\d", text.strip())
    if not complete and behaviour_of(found) != behaviour_of(HelmVersion(found.major, found.minor, 10**6)):
        return VersionUnknown("whose patch releases behave differently")
    return found


def _run(program: str) -> str | VersionUnknown:
    import subprocess

    try:
        process = subprocess.Popen(
            ["helm", "version", "--template", "{{.Version}}"],
            executable=program,
            env=_HARMLESS,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        return VersionUnknown(f"could not be run: {error.strerror}")
    with process:
        assert process.stdout is not None
        try:
            deadline = time.monotonic() + VERSION_TIMEOUT
            answer = _read(process.stdout.fileno(), deadline)
            code = process.wait(max(deadline - time.monotonic(), 0))
        except (TimeoutError, subprocess.TimeoutExpired):
            return VersionUnknown(f"gave no answer within {VERSION_TIMEOUT:g} s")
        finally:
            process.kill()
    return answer if code == 0 else VersionUnknown(f"failed with exit code {code}")


def _read(descriptor: int, deadline: float) -> str:
    """Read to the end, but no more than a version takes; raises TimeoutError."""
    import select  # Only a Helm that called is asked.

    data = b""
    while len(data) < _LONGEST:
        if not select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError
        more = os.read(descriptor, _LONGEST - len(data))
        if not more:
            break
        data += more
    return data.decode("utf-8", "replace").strip()


_HARMLESS = {"HOME": "/nonexistent", "HELM_NO_PLUGINS": "1", "GOGC": "off"}
"""An environment in which ``helm version`` opens nothing of the user's, and no connection.

Helm opens its storage driver and loads the kubeconfig before any command runs (``main``, cmd/helm/helm.go): an
inherited ``HELM_DRIVER=sql`` would connect to the database. Every path of Helm's starts at ``HOME`` where no other
variable says otherwise, and has to be missing rather than be no folder, which Helm gives up on
(``newDefaultRegistryClient``, cmd/helm/root.go). ``GOGC=off`` spares a third of the time: collecting garbage.
"""
