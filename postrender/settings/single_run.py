"""Callers that run no upgrade of their own accord after the first run, so that drift they store would stay."""

from __future__ import annotations

import os

from postrender.helm.process import Processes, ancestors


def runs_once(pid: int, processes: Processes, *, helm: bool) -> bool:
    """True if the caller of the process ``pid`` runs Helm only when its own inputs change.

    ``helm`` says whether a Helm is above the process. Terraform and Pulumi have none: their providers embed Helm and
    compare chart and values with their own state. Ansible's module ``kubernetes.core.helm`` runs one and compares
    chart version and values with the stored release (``default_check``, plugins/modules/helm.py of 6.5.0).
    """
    if not helm:
        return True
    return any(
        os.path.basename(argument) == "AnsiballZ_helm.py"
        for ancestor in ancestors(pid, processes)
        for argument in ancestor.argv[:3]
    )
