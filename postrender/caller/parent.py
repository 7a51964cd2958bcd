"""The Helm that called us: the nearest process above ours that renders, and the version it says it has."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from postrender.caller import process
from postrender.caller.commandline import CommandLine, parse
from postrender.caller.process import Process
from postrender.helm.versions import HelmVersion, behaviour

VERSION_TIMEOUT = 5.0
"""Seconds that Helm may take to say its version (it takes a tenth of one)."""

_NAME = re.compile(r"helm(?:-?v?\d+(?:\.\d+)*)?(?:\.exe)?")


@dataclass(frozen=True, slots=True)
class Helm:
    """A Helm above us that runs install, upgrade or template.

    ``named`` says that the program itself is called helm and not only its command line: only such a program is run.
    """

    process: Process
    line: CommandLine
    named: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """What could not be told, as a sentence without a full stop."""

    reason: str


def find(pid: int) -> Helm | None:
    """The nearest ancestor of ``pid`` that is a Helm and renders.

    A Helm that does something else (a plugin such as ``helm diff``, which runs another Helm) is passed over. So is a
    script called helm: its program is the shell, and the real Helm is nearer to us than it is.
    """
    for ancestor in process.ancestors(pid):
        named = is_helm(ancestor.exe)
        if not (named or (ancestor.argv and is_helm(ancestor.argv[0]))):
            continue
        line = parse(ancestor.argv[1:])
        if line is not None:
            return Helm(ancestor, line, named)
    return None


def is_helm(path: str) -> bool:
    """Whether a program of that path is called helm: ``helm``, ``helm3``, ``helm-3.12.3``, ``helm-v3.12.3``."""
    return _NAME.fullmatch(os.path.basename(path)) is not None


def version(helm: Helm) -> HelmVersion | Unclear:
    """Ask that very program for its version; it is given no kubeconfig, no plugins and no configuration of its own."""
    if not helm.named:
        program = helm.process.exe or "unreadable"
        return Unclear(f"process {helm.process.pid} runs as helm, but its program is {program}, which is not run")
    if not helm.process.ours:
        return Unclear(f"helm (pid {helm.process.pid}) belongs to another user and is not run")
    answer = _ask(process.program(helm.process))
    return answer if isinstance(answer, Unclear) else exact(answer)


def exact(text: str) -> HelmVersion | Unclear:
    """The version that a text names; one without a patch number only where all patches behave alike.

    A Helm built from source without a version says ``v3.17`` (``version``, internal/version/version.go).
    """
    found = HelmVersion.parse(text)
    if found is None:
        return Unclear(f"{text!r} is no version")
    if re.match(r"v?\d+\.\d+\.\d", text.strip()) is None:
        last = HelmVersion(found.major, found.minor, 10**6)
        if behaviour(found) != behaviour(last):
            return Unclear(f"{text.strip()} does not say which patch release, and they behave differently")
    return found


def _ask(program: str) -> str | Unclear:
    import subprocess

    try:
        answer = subprocess.run(
            ["helm", "version", "--template", "{{.Version}}"],
            executable=program,
            env=_harmless(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VERSION_TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return Unclear(f"helm version gave no answer within {VERSION_TIMEOUT:g} s")
    except subprocess.CalledProcessError as error:
        return Unclear(f"helm version failed with exit code {error.returncode}")
    except OSError as error:
        return Unclear(f"helm could not be run to ask for its version: {error.strerror}")
    return answer.stdout[:200].decode("utf-8", "replace")


def _harmless() -> dict[str, str]:
    """An environment in which ``helm version`` opens no file of the user's and no connection.

    Before any command runs, Helm opens its storage driver and loads the kubeconfig (``OnInitialize`` in
    cmd/helm/helm.go): an inherited ``HELM_DRIVER=sql`` would connect to the database.
    """
    nothing = os.devnull
    return {
        "HELM_NO_PLUGINS": "1",
        "HELM_CACHE_HOME": nothing,
        "HELM_CONFIG_HOME": nothing,
        "HELM_DATA_HOME": nothing,
        "HELM_PLUGINS": nothing,
        "HELM_REGISTRY_CONFIG": nothing,
        "HELM_REPOSITORY_CONFIG": nothing,
        "HOME": nothing,
        "KUBECONFIG": nothing,
    }
