"""Which of several sources a setting is taken from, and what all of them together say about the caller.

A flag of ours wins over a ``POSTRENDER_`` variable, that over the calling Helm's command line, and that over the
variables which Helm itself reads; what nobody says has a default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from postrender.caller import kubeconfig, parent, process
from postrender.caller.commandline import CommandLine, Release, parse_bool, release
from postrender.caller.model import Caller, Parent
from postrender.caller.options import SETTINGS, Flags, Setting
from postrender.caller.parent import Helm, Unclear
from postrender.caller.values import Value, from_text, split
from postrender.connection import Connection
from postrender.errors import UsageError
from postrender.helm.invocation import Action, DryRun, Invocation
from postrender.helm.versions import HelmVersion
from postrender.live import ReleaseName

DEFAULT = "default"

_ACTIONS = {
    "install": Action.INSTALL,
    "upgrade": Action.UPGRADE,
    "upgrade-install": Action.UPGRADE_INSTALL,
    "template": Action.TEMPLATE,
}
_DRY_RUNS = {"none": DryRun.NO, "client": DryRun.CLIENT, "server": DryRun.SERVER}
_NAMES_CLUSTER = ("kubeconfig", "kube_context", "kube_apiserver")


@dataclass(frozen=True, slots=True)
class _Told:
    """A setting's value and who told it; ``None`` from ``default`` where nobody did."""

    value: Value | None
    origin: str
    by_user: bool = False

    def __repr__(self) -> str:
        return f"_Told(from {self.origin})"


def find(flags: Flags, environ: Mapping[str, str], pid: int | None = None) -> Caller:
    """Who called the process ``pid`` (ours, unless told), with which settings.

    Runs the calling Helm's program to ask for its version, unless the version is told. Raises UsageError.
    """
    helm = parent.find(os.getpid() if pid is None else pid)
    inherited = (process.environment(helm.process.pid) if helm else None) or environ
    told = {setting.name: _told(setting, flags, environ, helm, inherited) for setting in SETTINGS}
    notes: list[str] = []
    version = _version(told, helm, notes)
    namespace = _namespace(told, inherited, notes)
    name = _release(told, helm, notes)
    action = _ACTIONS[str(told["action"].value or "upgrade-install")]
    dry_run = _DRY_RUNS[str(told["dry_run"].value or "none")]
    if action is Action.TEMPLATE and dry_run is DryRun.NO:
        dry_run = DryRun.CLIENT
    invocation = Invocation(
        helm=version,
        action=action,
        release=ReleaseName(namespace, name) if name and namespace else None,
        dry_run=dry_run,
        generate_name=_on(told["generate_name"]),
        force=_on(told["force"]),
        force_conflicts=_on(told["force_conflicts"]),
        take_ownership=_on(told["take_ownership"]),
        server_side=_text(told["server_side"]) or "auto",
        atomic=_on(told["atomic"]),
        replace=_on(told["replace"]),
        driver=_text(told["driver"]) or "secret",
    )
    named = any(told[name].by_user and told[name].value for name in _NAMES_CLUSTER)
    return Caller(
        invocation=invocation,
        connection=_connection(told),
        namespace=namespace,
        cluster_named=named or (helm is not None and _talks(helm.line, version)),
        parent=_parent(helm),
        origins={name: value.origin for name, value in told.items()},
        notes=tuple(notes),
    )


def _told(
    setting: Setting, flags: Flags, environ: Mapping[str, str], helm: Helm | None, inherited: Mapping[str, str]
) -> _Told:
    given = getattr(flags, setting.name)
    if given not in (None, ()):
        value = from_text(setting, given, setting.flags[0]) if isinstance(given, str) else given
        return _Told(value, setting.flags[0], by_user=True)
    text = environ.get(setting.variable, "")
    if text:
        return _Told(from_text(setting, text, setting.variable), setting.variable, by_user=True)
    if helm is not None:
        said = _said(setting, helm)
        if said is not None:
            return _Told(said, _origin(helm))
    text = inherited.get(setting.helm_variable, "") if setting.helm_variable else ""
    if not text:
        return _Told(None, DEFAULT)
    if setting.kind == "bool":
        # A value that is no boolean counts as unset: envBoolOr, pkg/cli/environment.go.
        value = parse_bool(text)
        return _Told(value, setting.helm_variable) if value is not None else _Told(None, DEFAULT)
    if setting.kind == "list":
        return _Told(split(text), setting.helm_variable)
    return _Told(from_text(setting, text, setting.helm_variable), setting.helm_variable)


def _said(setting: Setting, helm: Helm) -> Value | None:
    """What Helm's own command line says about a setting; ``None`` where it is silent."""
    line = helm.line
    if setting.name == "action":
        return "upgrade-install" if line.command == "upgrade" and line.switch("install") else line.command
    if setting.name == "release":
        return release(line).name
    if setting.name == "generate_name":
        return release(line).generated
    if setting.name == "dry_run":
        return _simulates(line)
    values = line.values(*setting.helm_flags)
    if not values:
        return None
    if setting.kind == "list":
        return tuple(value for value in values if value is not None)
    if setting.kind == "bool":
        return parse_bool(values[-1])
    if setting.name == "server_side" and line.command != "upgrade":
        return "true" if parse_bool(values[-1]) else "false"
    text = values[-1] or ""
    return os.path.join(process.folder(helm.process.pid), text) if setting.path and text else text


def _simulates(line: CommandLine) -> str | None:
    """``validateDryRunOptionFlag`` (cmd/helm/install.go of 3.13) and ``cmdGetDryRunFlagStrategy`` (v4)."""
    if line.command == "template" and line.switch("validate"):
        return "server"
    values = line.values("dry-run")
    if not values:
        return None
    if values[-1] == "server":
        return "server"
    return "client" if values[-1] == "client" or parse_bool(values[-1]) else "none"


def _talks(line: CommandLine, version: HelmVersion | None) -> bool:
    """Whether that Helm talks to a cluster.

    ``helm template`` only where it is told to (``ClientOnly``), ``helm upgrade`` always, for its history;
    ``helm install --dry-run=client`` does in Helm 3 (``IsReachable``, RunWithContext of pkg/action/install.go), but
    not in Helm 4 (``interactWithServer``).
    """
    if line.command == "template":
        return _simulates(line) == "server"
    if line.command == "upgrade" or _simulates(line) != "client":
        return True
    return version is not None and version.major == 3


def _version(told: dict[str, _Told], helm: Helm | None, notes: list[str]) -> HelmVersion | None:
    given = told["helm_version"].value
    if given:
        return HelmVersion.parse(str(given))
    if helm is None:
        notes.append("No Helm was found above this process; --helm-version VERSION tells which one it is.")
        return None
    answer = parent.version(helm)
    if isinstance(answer, Unclear):
        notes.append(f"The version of Helm cannot be told: {answer.reason}; --helm-version VERSION tells it.")
        return None
    told["helm_version"] = _Told(str(answer), _origin(helm))
    return answer


def _namespace(told: dict[str, _Told], inherited: Mapping[str, str], notes: list[str]) -> str | None:
    if told["namespace"].value:
        return str(told["namespace"].value)
    try:
        found = kubeconfig.namespace(_text(told["kubeconfig"]) or "", _text(told["kube_context"]) or "", inherited)
    except kubeconfig.Unreadable as error:
        notes.append(f"The namespace cannot be told: {error}; --namespace NAMESPACE tells it.")
        return None
    told["namespace"] = _Told(found.name, found.origin)
    return found.name


def _release(told: dict[str, _Told], helm: Helm | None, notes: list[str]) -> str | None:
    name, made_up = told["release"], told["generate_name"]
    if made_up.by_user and made_up.value:
        if name.by_user:
            raise UsageError(f"{name.origin} and {made_up.origin} exclude each other: a name is given or made up")
        return None
    if name.value:
        if made_up.value:
            told["generate_name"] = _Told(False, name.origin)
        return str(name.value)
    if not made_up.value:
        found = release(helm.line) if helm else Release(None, why_not="no Helm was found above this process")
        notes.append(f"The release cannot be told: {found.why_not}; --release NAME tells it.")
    return None


def _connection(told: Mapping[str, _Told]) -> Connection:
    groups, timeout = told["kube_as_group"].value, _text(told["request_timeout"])
    return Connection(
        kubeconfig=_text(told["kubeconfig"]),
        context=_text(told["kube_context"]),
        as_user=_text(told["kube_as_user"]),
        as_groups=groups if isinstance(groups, tuple) else (),
        as_uid=_text(told["kube_as_uid"]),
        token=_text(told["kube_token"]),
        apiserver=_text(told["kube_apiserver"]),
        ca_file=_text(told["kube_ca_file"]),
        tls_server_name=_text(told["kube_tls_server_name"]),
        insecure_skip_tls_verify=_on(told["kube_insecure_skip_tls_verify"]),
        request_timeout=float(timeout) if timeout else None,
    )


def _parent(helm: Helm | None) -> Parent | None:
    if helm is None:
        return None
    secret = {name for setting in SETTINGS if setting.secret for name in setting.helm_flags}
    flags = tuple(
        f"--{name}" if value is None else f"--{name}={'***' if name in secret else value}"
        for name, value in helm.line.flags
    )
    return Parent(helm.process.pid, helm.process.exe, helm.process.up, flags)


def _origin(helm: Helm) -> str:
    return f"parent helm (pid {helm.process.pid})"


def _text(told: _Told) -> str | None:
    return told.value if isinstance(told.value, str) and told.value else None


def _on(told: _Told) -> bool:
    return told.value is True
