"""Which of several sources a setting is taken from, and what the calling Helm's command line says about each.

A flag of postrender wins over a ``POSTRENDER_`` variable, that over the calling Helm's command line, and that over the
variables which Helm itself reads (where Helm's own flag wins too: ``AddFlags``, pkg/cli/environment.go).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from postrender._record import Record
from postrender.helm.command_line import CommandLine, parse_bool, release
from postrender.helm.process import Helm
from postrender.helm.versions import HelmVersion
from postrender.settings.parse import Value, from_text, split
from postrender.settings.table import Flags, Setting


def from_command_line(setting: Setting, line: CommandLine, folder: str) -> Value | None:
    """Tell a setting's value, ``None`` where the command line is silent; ``folder`` is where Helm runs."""
    if setting.name == "action":
        return "upgrade-install" if line.command == "upgrade" and line.switch("install") else line.command
    if setting.name == "release":
        return release(line).name
    if setting.name == "generate_name":
        return release(line).generated
    if setting.name == "dry_run":
        return dry_run_mode(line)
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
    return absolute_path(text, folder) if setting.path else text


def absolute_path(path: str, folder: str) -> str:
    """Make a path of Helm's (or several, as in ``$KUBECONFIG``) one that holds outside the folder it runs in."""
    return os.pathsep.join(os.path.join(folder, part) if part else part for part in path.split(os.pathsep))


def dry_run_mode(line: CommandLine) -> str | None:
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


def contacts_cluster(line: CommandLine, version: HelmVersion | None) -> bool:
    """Tell whether that Helm talks to a cluster.

    ``helm template`` does only where it is asked to (``ClientOnly``), ``helm upgrade`` always, if only for its
    history; ``helm install --dry-run=client`` does in Helm 3, but not in Helm 4 (``RunWithContext``,
    pkg/action/install.go, asks whether the server is reachable).
    """
    if line.command == "template":
        return dry_run_mode(line) == "server"
    if line.command == "upgrade" or dry_run_mode(line) != "client":
        return True
    return version is not None and version.major == 3


DEFAULT = "default"


class ResolvedSetting(Record, hidden=("value",)):
    """A setting's value and its source; no value if no source has one.

    ``by_user`` is set if a flag or a variable of ours gave it. The value is left out of ``repr``: one is a token.
    """

    value: Value | None = None
    origin: str = DEFAULT
    by_user: bool = False

    @property
    def text(self) -> str | None:
        """The value of a text; ``None`` for an empty one too: Helm takes that for not given."""
        return self.value if isinstance(self.value, str) and self.value else None

    @property
    def on(self) -> bool:
        """The value of a switch; off if no source sets it."""
        return self.value is True

    @property
    def many(self) -> tuple[str, ...]:
        """The values of a list."""
        return self.value if isinstance(self.value, tuple) else ()


class Sources(Record, hidden=("environ", "helm_environ")):
    """All sources of settings.

    ``folder`` and ``helm_environ`` are those that the calling Helm runs in; where no Helm called, the environment is
    ours, since a Helm in the same shell would read it.
    """

    flags: Flags
    environ: Mapping[str, str]
    helm: Helm | None
    folder: str
    helm_environ: Mapping[str, str]

    def lookup(self, setting: Setting) -> ResolvedSetting:
        """Ask every source in turn; raises UsageError for a value that makes no sense."""
        given = getattr(self.flags, setting.name)
        if given not in (None, ()):
            value = from_text(setting, given, setting.flags[0]) if isinstance(given, str) else given
            return ResolvedSetting(value, setting.flags[0], by_user=True)
        text = self.environ.get(setting.variable, "")
        if text:
            return ResolvedSetting(from_text(setting, text, setting.variable), setting.variable, by_user=True)
        return self.helm_value(setting)

    def helm_value(self, setting: Setting) -> ResolvedSetting:
        """Ask only what Helm itself goes by: its command line, then its variables; raises UsageError."""
        if self.helm:
            value = from_command_line(setting, self.helm.line, self.folder)
            if value is not None:
                checked = from_text(setting, value, self.helm.origin) if value and isinstance(value, str) else value
                return ResolvedSetting(checked, self.helm.origin)
        name = setting.helm_variable
        text = self.helm_environ.get(name, "") if name else ""
        if not text:
            return ResolvedSetting()
        if setting.kind == "bool":
            # What is no boolean counts as not given: envBoolOr, pkg/cli/environment.go.
            on = parse_bool(text)
            return ResolvedSetting() if on is None else ResolvedSetting(on, name)
        if setting.kind == "list":
            return ResolvedSetting(split(text), name)
        return ResolvedSetting(
            absolute_path(text, self.folder) if setting.path else from_text(setting, text, name), name
        )
