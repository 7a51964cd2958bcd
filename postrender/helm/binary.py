"""A Helm that postrender itself runs: found, asked for its version and plugins, made to render a chart."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from postrender._record import Record
from postrender.errors import ManifestError, UsageError
from postrender.helm.detect_version import VersionUnknown, version_of
from postrender.helm.process import is_helm
from postrender.helm.versions import HelmVersion
from postrender.text import Advice, Hint, quoted, to_stderr

_SET = ("--set", "--set-string", "--set-json", "--set-literal")
"""Flags whose values may be secret: no message repeats them."""

_CLUSTER = ("--kube-version", "--api-versions")
"""Flags that describe a cluster: no error comes of them, and there may be hundreds."""

RUN_WITHIN = 30.0
"""Seconds that a command may take that only prints something."""


class HelmBinary(Record):
    """A Helm program: its absolute path, and the version that it printed."""

    path: str
    version: HelmVersion


class CommandResult(Record):
    """The exit code and the output of a Helm command."""

    code: int
    stdout: str
    stderr: str


_OTHER = Hint("command -v helm", "install Helm, or give the path of its program")


def locate(named: str | None, environ: Mapping[str, str]) -> HelmBinary:
    """The Helm at a path or of a name on PATH; ``None`` for the ``helm`` on PATH.

    It runs once, to say its version, without the user's configuration. Raises UsageError.
    """
    wanted = named or "helm"
    path = shutil.which(wanted, path=environ.get("PATH"))
    if path is None:
        cause = "is not a program that can be run" if os.sep in wanted else "is not on PATH"
        raise UsageError(cause, where=wanted, next=_OTHER)
    answer = version_of(os.path.abspath(path))
    if isinstance(answer, VersionUnknown):
        raise UsageError(f"cannot detect its version: {path} version {answer.reason}", where=wanted, next=_OTHER)
    return HelmBinary(os.path.abspath(path), answer)


def template(program: HelmBinary, arguments: Sequence[str], environ: Mapping[str, str], next: str = "") -> bytes:
    """The output of ``helm template ARGUMENTS``; Helm's warnings go to stderr.

    Raises ManifestError with Helm's own words where it fails, and with ``next`` or the same command to type.
    """
    done = subprocess.run(
        [program.path, "template", *arguments], env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True
    )
    stderr = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        cause = stderr.removeprefix("Error: ") or f"exit code {done.returncode}"
        raise ManifestError(f"the chart cannot be rendered: {cause}", next=next or debugging(program, arguments))
    if stderr:
        to_stderr(quoted(stderr, "helm"))
    return done.stdout


def debugging(program: HelmBinary, arguments: Sequence[str], *, remark: str = "", more: str = "") -> str:
    """The command ``helm template ARGUMENTS --debug``, for hints: with it, Helm prints the text that it cannot parse.

    Values of ``--set`` are left out, and what describes a cluster. ``more`` are the flags that reach one, with a blank
    before each; ``remark`` says what else is missing.
    """
    typed: list[str] = []
    hidden: dict[str, None] = {}
    left = iter(arguments)
    for argument in left:
        flag, assigned, _ = argument.partition("=")
        if flag not in (*_SET, *_CLUSTER):
            typed.append(argument)
            continue
        if not assigned:
            next(left, None)
        if flag in _SET:
            hidden[flag] = None
    name = "helm" if shutil.which("helm") == program.path else program.path
    missing = [*([f"the same {', '.join(hidden)}"] if hidden else []), *([remark] if remark else [])]
    command = shlex.join([name, "template", *typed, "--debug"]) + more
    return Hint(command, f"with {' and '.join(missing)}") if missing else command


def on_path(environ: Mapping[str, str]) -> list[HelmBinary]:
    """Each Helm on PATH, under any name (``helm``, ``helm3``, ``helm-v4.3.1``); runs each once for its version."""
    found: dict[str, HelmBinary] = {}
    for folder in os.get_exec_path(environ):
        try:
            names = sorted(filter(is_helm, os.listdir(folder or os.curdir)))
        except OSError:
            continue
        for name in names:
            path = os.path.abspath(os.path.join(folder, name))
            real = os.path.realpath(path)
            if real in found or not os.path.isfile(real) or not os.access(real, os.X_OK):
                continue
            answer = version_of(path)
            if isinstance(answer, HelmVersion):
                found[real] = HelmBinary(path, answer)
    return list(found.values())


def plugin_folders(program: HelmBinary, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The plugin directories of a Helm, absolute, in the order it searches them (``helm env HELM_PLUGINS``).

    Raises UsageError with Helm's own message if it fails.
    """
    # A plugin that cannot be loaded is complained of, and the SQL driver connects, before any command runs
    # (``newRootCmd`` and ``OnInitialize``, cmd/helm of 3.9.0 to 3.21.4, pkg/cmd of 4.0.0 to 4.3.1).
    harmless = {**environ, "HELM_NO_PLUGINS": "1", "HELM_DRIVER": "secret"}
    answer = run(program, ["env", "HELM_PLUGINS"], harmless)
    folders = tuple(os.path.abspath(folder) for folder in answer.stdout.strip().split(os.pathsep) if folder)
    if answer.code or not folders:
        raise UsageError(
            f"cannot detect its plugin folder: helm env HELM_PLUGINS failed: {answer.stderr.strip()}",
            where=program.path,
            next=Advice("add --plugins-dir with the folder of Helm's plugins"),
        )
    return folders


def run(
    program: HelmBinary, arguments: Sequence[str], environ: Mapping[str, str], within: float | None = RUN_WITHIN
) -> CommandResult:
    """Run a Helm command; one that takes longer than ``within`` seconds counts as failed."""
    try:
        done = subprocess.run(
            [program.path, *arguments], env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=within
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return CommandResult(1, "", str(error))
    return CommandResult(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
