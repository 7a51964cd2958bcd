"""Callers that take no notice of how a post-renderer ends, and so would take its silence for an empty chart."""

from __future__ import annotations

import os

from postrender.caller.helm import is_helm
from postrender.caller.processes import Processes, ancestors

UNREADABLE = "{ postrender failed, and its caller does not look at exit codes; what it said is on stderr\n"
"""What no YAML reader takes: the brace stays open."""


def unheeding(pid: int, processes: Processes) -> bool:
    """Whether the process runs under Skaffold, which stands between Helm and its user's post-renderer.

    It reads what comes out and never waits for the end (``runFilter``, cmd/skaffold/app/cmd/filter.go of 2.24.0). An
    empty output then reaches Helm as an empty chart, and ``helm upgrade`` deletes every object of the release.
    """
    for ancestor in ancestors(pid, processes):
        names = (ancestor.exe, *ancestor.argv[:1])
        if any(os.path.basename(name).startswith("skaffold") for name in names):
            return True
        if is_helm(ancestor.exe):
            return False
    return False
