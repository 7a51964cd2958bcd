"""A Helm that postrender itself runs: found, asked for its version, made to render a chart."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from postrender.caller.version import Unclear, version_of
from postrender.errors import ManifestError, UsageError
from postrender.helm.versions import HelmVersion
from postrender.record import Record

_DEBUG = "helm template --debug ...   (with the same arguments)"


class Program(Record):
    """One Helm: an absolute path, and the version that it said."""

    path: str
    version: HelmVersion


def find(named: str | None, environ: Mapping[str, str]) -> Program:
    """The Helm that was named, a path or a name on PATH; ``None`` is the ``helm`` on PATH.

    It runs once, to say its version, without the user's configuration. Raises UsageError.
    """
    wanted = named or "helm"
    path = shutil.which(wanted, path=environ.get("PATH"))
    if path is None:
        cause = "is no program that can be run" if os.sep in wanted else "is not on PATH"
        raise UsageError(cause, where=wanted, next="--helm PATH")
    answer = version_of(os.path.abspath(path))
    if isinstance(answer, Unclear):
        raise UsageError(
            f"its version cannot be told: {path} version {answer.reason}", where=wanted, next="--helm PATH"
        )
    return Program(os.path.abspath(path), answer)


def template(program: Program, arguments: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """What ``helm template ARGUMENTS`` prints; Helm's warnings go to our stderr.

    Raises ManifestError with Helm's own words where it fails.
    """
    done = subprocess.run(
        [program.path, "template", *arguments], env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True
    )
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        cause = said.removeprefix("Error: ") or f"exit code {done.returncode}"
        raise ManifestError(
            f"the chart cannot be rendered: {cause}", next="helm template --debug ...   (with the same arguments)"
        )
    if said:
        os.write(2, f"{said}\n".encode())
    return done.stdout
