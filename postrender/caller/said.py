"""What the calling Helm's own command line says about each setting."""

from __future__ import annotations

import os

from postrender.caller.commandline import CommandLine, parse_bool, release
from postrender.caller.options import Setting
from postrender.caller.values import Value
from postrender.helm.versions import HelmVersion


def said(setting: Setting, line: CommandLine, folder: str) -> Value | None:
    """Tell a setting's value, ``None`` where the command line is silent; ``folder`` is where Helm runs."""
    if setting.name == "action":
        return "upgrade-install" if line.command == "upgrade" and line.switch("install") else line.command
    if setting.name == "release":
        return release(line).name
    if setting.name == "generate_name":
        return release(line).generated
    if setting.name == "dry_run":
        return simulates(line)
    values = line.values(*setting.helm_flags)
    if not values:
        return None
    if setting.kind == "list":
        return tuple(value for value in values if value is not None)
    if setting.kind == "bool":
        return parse_bool(values[-1])
    if setting.name == "server_side" and line.command != "upgrade":
        # A boolean there, and a word in helm upgrade: newInstallCmd and newUpgradeCmd, pkg/cmd of 4.0.0.
        return "true" if parse_bool(values[-1]) else "false"
    text = values[-1] or ""
    if setting.name == "kubeconfig" and not text:
        # An empty path leaves $KUBECONFIG in force: ToRawKubeConfigLoader, config_flags.go of k8s.io/cli-runtime.
        return None
    return located(text, folder) if setting.path else text


def located(path: str, folder: str) -> str:
    """Make a path of Helm's (or several, as in ``$KUBECONFIG``) one that holds outside the folder it runs in."""
    return os.pathsep.join(os.path.join(folder, part) if part else part for part in path.split(os.pathsep))


def simulates(line: CommandLine) -> str | None:
    """Tell the mode of ``--dry-run``, which may stand alone and may be a boolean.

    ``validateDryRunOptionFlag`` (cmd/helm/install.go of 3.13.0), ``cmdGetDryRunFlagStrategy`` (pkg/cmd/helpers.go of
    4.0.0). ``helm template --validate`` is a dry run on the server by another name.
    """
    if line.command == "template" and line.switch("validate"):
        return "server"
    values = line.values("dry-run")
    if not values:
        return None
    if values[-1] == "server":
        return "server"
    return "client" if values[-1] == "client" or parse_bool(values[-1]) else "none"


def talks(line: CommandLine, version: HelmVersion | None) -> bool:
    """Tell whether that Helm talks to a cluster.

    ``helm template`` does only where it is asked to (``ClientOnly``), ``helm upgrade`` always, if only for its
    history; ``helm install --dry-run=client`` does in Helm 3, but not in Helm 4 (``RunWithContext``,
    pkg/action/install.go, asks whether the server is reachable).
    """
    if line.command == "template":
        return simulates(line) == "server"
    if line.command == "upgrade" or simulates(line) != "client":
        return True
    return version is not None and version.major == 3
