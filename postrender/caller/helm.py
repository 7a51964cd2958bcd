"""The Helm that called us, and the version it says it has."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from postrender.caller.commandline import CommandLine, parse
from postrender.caller.processes import Process, Processes, ancestors
from postrender.helm.versions import HelmVersion, behaviour

VERSION_TIMEOUT = 5.0
"""Seconds that Helm may take to say its version (it takes about a tenth of one)."""

_NAME = re.compile(r"helm(?:-?v?\d+(?:\.\d+)*)?(?:\.exe)?")


@dataclass(frozen=True, slots=True)
class Helm:
    """A Helm above us that runs install, upgrade or template.

    ``named`` says that the program itself is called helm, and not only its command line: no other program is ever run.
    """

    process: Process
    line: CommandLine
    named: bool

    @property
    def origin(self) -> str:
        """``parent helm (pid 123)``."""
        return f"parent helm (pid {self.process.pid})"


@dataclass(frozen=True, slots=True)
class Unclear:
    """What could not be told, and why: ``reason`` is a sentence without a full stop."""

    reason: str


def find(pid: int, processes: Processes) -> Helm | None:
    """Find the nearest ancestor of ``pid`` that is a Helm and renders.

    A Helm that does something else (``helm diff``, which runs another Helm) is passed over. So is a script called
    helm: its program is the shell, and the real Helm that it runs is nearer to us.
    """
    for ancestor in ancestors(pid, processes):
        named = is_helm(ancestor.exe)
        if named or (ancestor.argv and is_helm(ancestor.argv[0])):
            line = parse(ancestor.argv[1:], whole=ancestor.whole)
            if line is not None:
                return Helm(ancestor, line, named)
    return None


def is_helm(path: str) -> bool:
    """Tell whether a program is called helm: ``helm``, ``helm3``, ``helm-3.12.3``, ``helm-v3.12.3``, ``helm.exe``."""
    return _NAME.fullmatch(os.path.basename(path)) is not None


def version(helm: Helm, processes: Processes) -> HelmVersion | Unclear:
    """Ask that very program for its version, with no kubeconfig, no plugins and none of the user's configuration."""
    process = helm.process
    if not helm.named:
        program = f"its program is {process.exe}" if process.exe else "its program cannot be seen"
        return Unclear(f"process {process.pid} runs as helm, but {program}")
    if not process.ours:
        return Unclear(f"{process.exe} (pid {process.pid}) runs as another user")
    answer = _ask(processes.program(process))
    if isinstance(answer, Unclear):
        return Unclear(f"{process.exe} version {answer.reason}")
    found = exact(answer)
    return Unclear(f"{process.exe} version said {answer!r}, {found.reason}") if isinstance(found, Unclear) else found


def exact(text: str) -> HelmVersion | Unclear:
    """Read a version; one without a patch number is taken only where all its patch releases behave alike.

    A Helm that was built from source without being told its version says ``v3.17`` (internal/version/version.go).
    """
    found = HelmVersion.parse(text)
    if found is None:
        return Unclear("which is no version")
    complete = re.match(r"v?\d+\.\d+\.\d", text.strip())
    if not complete and behaviour(found) != behaviour(HelmVersion(found.major, found.minor, 10**6)):
        return Unclear("whose patch releases behave differently")
    return found


def _ask(program: str) -> str | Unclear:
    import subprocess

    try:
        answer = subprocess.run(
            ["helm", "version", "--template", "{{.Version}}"],
            executable=program,
            env=_HARMLESS,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VERSION_TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return Unclear(f"gave no answer within {VERSION_TIMEOUT:g} s")
    except subprocess.CalledProcessError as error:
        return Unclear(f"failed with exit code {error.returncode}")
    except OSError as error:
        return Unclear(f"could not be run: {error.strerror}")
    return answer.stdout[:200].decode("utf-8", "replace").strip()


_HARMLESS = {"HOME": "/nonexistent", "HELM_NO_PLUGINS": "1", "GOGC": "off"}
"""An environment in which ``helm version`` opens nothing of the user's, and no connection.

Helm opens its storage driver and loads the kubeconfig before any command runs (``OnInitialize``, cmd/helm/helm.go): an
inherited ``HELM_DRIVER=sql`` would connect to the database. Every path of Helm's starts at ``HOME`` where no other
variable says otherwise, and has to be missing rather than be no folder, which Helm gives up on
(``newDefaultRegistryClient``, cmd/helm/root.go). ``GOGC=off`` spares a third of the time: collecting garbage.
"""
