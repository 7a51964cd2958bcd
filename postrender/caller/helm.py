"""The Helm that called us."""

from __future__ import annotations

import os
import re

from postrender.caller.commandline import CommandLine, parse
from postrender.caller.processes import Process, Processes, ancestors
from postrender.record import Record

_NAME = r"helm(?:[-_]?v?\d+(?:\.\d+)*)?(?:[-_](?:linux|darwin|windows)[-_][a-z0-9]+)?(?:\.exe)?"


class Helm(Record):
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
    """Tell whether a program is called helm: ``helm``, ``helm3``, ``helm-v3.12.3``, ``helm-linux-amd64``, ``helm.exe``.

    A link called helm does not make it one: what counts is the file it leads to.
    """
    name = os.path.basename(path)
    return name.startswith("helm") and re.fullmatch(_NAME, name) is not None
