"""Resolves the settings of a run from its flags, the environment and the calling Helm."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from postrender._record import Record, replace
from postrender.cluster import kubeconfig_files
from postrender.errors import UsageError
from postrender.helm import process as helms
from postrender.helm.command_line import Release, release
from postrender.helm.detect_version import VersionUnknown, ask_version
from postrender.helm.invocation import FIELD_MANAGER, Action, DryRun, Invocation
from postrender.helm.process import Helm, Processes, here
from postrender.helm.versions import HelmVersion
from postrender.models import Connection, ReleaseName
from postrender.settings.parse import from_text, shown
from postrender.settings.sources import ResolvedSetting, Sources, contacts_cluster
from postrender.settings.table import SETTINGS, Flags

_ACTIONS = {
    "install": Action.INSTALL,
    "upgrade": Action.UPGRADE,
    "upgrade-install": Action.UPGRADE_INSTALL,
    "template": Action.TEMPLATE,
}
_DRY_RUNS = {"none": DryRun.NO, "client": DryRun.CLIENT, "server": DryRun.SERVER}
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_SWITCHES = tuple(
    name for name, setting in _BY_NAME.items() if setting.kind == "bool" and name in Invocation.__match_args__
)
"""Boolean settings that are fields of the invocation, such as ``force``."""
_RELEASE = ("release", "namespace", "action")
_CLUSTER = ("kubeconfig", "kube_context", "kube_apiserver")


class Parent(Record):
    """The Helm that called.

    ``up`` counts processes from ours: 1 is the direct parent. ``flags`` are its flags that postrender reads, in its
    order and in full (``--namespace=shop``), secret values replaced by ``***``; no other flag is kept.
    """

    pid: int
    exe: str
    up: int
    flags: tuple[str, ...]


class Caller(Record):
    """The settings of one run, from flags, variables and the calling Helm.

    ``namespace`` is the release's, ``None`` if unknown. ``cluster_named`` is set if a Helm that contacts a cluster
    called us, or a flag or variable gives a kubeconfig, context or API server. ``origins`` maps each setting's name to
    the source of its value; ``notes`` are sentences about unknown settings, each with the flag that sets it.
    """

    invocation: Invocation
    connection: Connection
    namespace: str | None
    cluster_named: bool
    parent: Parent | None
    origins: Mapping[str, str]
    notes: tuple[str, ...]


def find(
    flags: Flags, environ: Mapping[str, str], pid: int | None = None, processes: Processes | None = None
) -> Caller:
    """The settings of the process ``pid`` (default: ours) and its caller.

    Runs the calling Helm's program to get its version, unless a setting has it. Raises UsageError.
    """
    processes = processes or here()
    pid = os.getpid() if pid is None else pid
    helm = helms.find(pid, processes)
    sources = _sources(flags, environ, helm, processes)
    resolved = {name: sources.lookup(setting) for name, setting in _BY_NAME.items()}
    if helm is None and not resolved["field_manager"].text and (provider := helms.provider(pid, processes)):
        resolved["field_manager"] = ResolvedSetting(
            os.path.basename(provider.argv[0]), f"parent {os.path.basename(provider.argv[0])} (pid {provider.pid})"
        )
    notes: list[str] = []
    version = _version(resolved, helm, processes, sources.environ, notes)
    talking = helm is not None and contacts_cluster(helm.line, version)
    notes += _contradictions(resolved, sources, talking=talking)
    namespace = _namespace(resolved, sources, version, notes)
    name = _release(resolved, helm, notes)
    cluster_named = _cluster(resolved, sources, version, notes, talking=talking)
    return Caller(
        invocation=_invocation(resolved, version, namespace or "", name),
        connection=_connection(resolved),
        namespace=namespace,
        cluster_named=cluster_named,
        parent=_parent(helm),
        origins=MappingProxyType({setting: value.origin for setting, value in resolved.items()}),
        notes=tuple(notes),
    )


def _sources(flags: Flags, environ: Mapping[str, str], helm: Helm | None, processes: Processes) -> Sources:
    """Collect the sources. Helm's environment is its own where it can be read: what stands between may change ours."""
    if helm is None:
        return Sources(flags, environ, None, "", environ)
    pid = helm.process.pid
    return Sources(flags, environ, helm, processes.folder(pid), processes.environment(pid) or environ)


def _contradictions(resolved: Mapping[str, ResolvedSetting], sources: Sources, *, talking: bool) -> Iterator[str]:
    """Warnings about settings that contradict the calling Helm, such as a forgotten variable."""
    if sources.helm is None:
        return
    for name in (*_RELEASE, *(_CLUSTER if talking else ())):
        ours, theirs = resolved[name], sources.helm_value(_BY_NAME[name])
        if ours.by_user and ours.text and theirs.text and not _same(name, ours.text, theirs.text):
            yield (
                f"{ours.origin} says {shown(name, ours.text)}, but {theirs.origin} says {shown(name, theirs.text)}: "
                f"{ours.origin} is taken."
            )


def _same(name: str, ours: str, theirs: str) -> bool:
    return ours == theirs or (_BY_NAME[name].path and os.path.abspath(ours) == os.path.abspath(theirs))


def _version(
    resolved: dict[str, ResolvedSetting],
    helm: Helm | None,
    processes: Processes,
    environ: Mapping[str, str],
    notes: list[str],
) -> HelmVersion | None:
    text = resolved["helm_version"].text
    if text:
        return HelmVersion.parse(text)
    if helm is None:
        notes.append("No parent Helm process found; use --helm-version VERSION.")
        return None
    answer = ask_version(helm, processes, environ)
    if isinstance(answer, VersionUnknown):
        notes.append(f"Helm's version is unknown: {answer.reason}; use --helm-version VERSION.")
        return None
    resolved["helm_version"] = ResolvedSetting(str(answer), helm.origin)
    return answer


def _namespace(
    resolved: dict[str, ResolvedSetting], sources: Sources, version: HelmVersion | None, notes: list[str]
) -> str | None:
    """Tell the namespace as Helm resolves it: by its own kubeconfig and context, whatever ours are, if it called."""
    if resolved["namespace"].text:
        return resolved["namespace"].text
    paths, context = (
        sources.helm_value(_BY_NAME[name]) if sources.helm else resolved[name]
        for name in ("kubeconfig", "kube_context")
    )
    environ = sources.helm_environ
    try:
        found = kubeconfig_files.namespace(
            kubeconfig_files.load_kubeconfig(paths.text or "", environ), context.text or "", environ, version
        )
    except kubeconfig_files.NotDetermined as error:
        notes.append(f"The namespace is unknown: {error}; use --namespace NAMESPACE.")
        return None
    resolved["namespace"] = ResolvedSetting(from_text(_BY_NAME["namespace"], found.name, found.origin), found.origin)
    return found.name


def _cluster(
    resolved: dict[str, ResolvedSetting],
    sources: Sources,
    version: HelmVersion | None,
    notes: list[str],
    *,
    talking: bool,
) -> bool:
    """Tell whether a cluster is named, and by which context if several kubeconfigs are read.

    Readers differ there: the kubernetes client takes the current context of the last file, Helm that of the first;
    and an old Helm takes apart what the others take as a whole.
    """
    if not talking and not any(resolved[name].by_user and resolved[name].text for name in _CLUSTER):
        return False
    if sources.helm and not resolved["kubeconfig"].text and _moved(sources):
        resolved["kubeconfig"] = ResolvedSetting(kubeconfig_files.at_home(sources.helm_environ), sources.helm.origin)
    paths = resolved["kubeconfig"].text or ""
    if os.pathsep not in paths:
        return True
    try:
        config = kubeconfig_files.load_kubeconfig(paths, sources.helm_environ)
    except kubeconfig_files.NotDetermined as error:
        notes.append(f"The cluster is unknown: {error}; use --kubeconfig PATH.")
        return False
    twice = kubeconfig_files.defined_twice(config, resolved["kube_context"].text or "")
    if twice and talking and (version is None or version < kubeconfig_files.FIRST_FILE_WINS):
        notes.append(
            f"The cluster is unknown: several kubeconfigs define {twice}, and Helm's versions differ in what they "
            "take; use --kubeconfig PATH."
        )
        return False
    if config.current and not resolved["kube_context"].text:
        resolved["kube_context"] = ResolvedSetting(config.current, "kubeconfig")
    return True


def _moved(sources: Sources) -> bool:
    """Tell whether a script between Helm and us changed which kubeconfig is read where none is named."""
    return any(
        (sources.environ.get(name) or "") != (sources.helm_environ.get(name) or "") for name in ("KUBECONFIG", "HOME")
    )


def _release(resolved: dict[str, ResolvedSetting], helm: Helm | None, notes: list[str]) -> str | None:
    """Tell the release's name; a name and one that is made up exclude each other, whoever says so."""
    name, generated = resolved["release"], resolved["generate_name"]
    if generated.by_user and generated.on:
        if name.by_user:
            raise UsageError(f"{name.origin} and {generated.origin} exclude each other")
        resolved["release"] = ResolvedSetting(None, generated.origin)
        return None
    if name.text:
        if generated.on:
            resolved["generate_name"] = ResolvedSetting(value=False, origin=name.origin)
        return name.text
    if not generated.on:
        found = release(helm.line) if helm else Release(None, why_not="no Helm was found above this process")
        notes.append(f"The release is unknown: {found.why_not}; use --release NAME.")
    return None


def _invocation(
    resolved: Mapping[str, ResolvedSetting], version: HelmVersion | None, namespace: str, name: str | None
) -> Invocation:
    action = _ACTIONS[resolved["action"].text or "upgrade-install"]
    dry_run = _DRY_RUNS[resolved["dry_run"].text or "none"]
    if action is Action.TEMPLATE and dry_run is DryRun.NO:
        dry_run = DryRun.CLIENT
    invocation = Invocation(
        helm=version,
        action=action,
        release=ReleaseName(namespace, name) if namespace and name else None,
        dry_run=dry_run,
        server_side=resolved["server_side"].text or "auto",
        driver=resolved["driver"].text or "secret",
        field_manager=resolved["field_manager"].text or FIELD_MANAGER,
        namespace="" if name else namespace,
    )
    return replace(invocation, **{name: resolved[name].on for name in _SWITCHES})


def _connection(resolved: Mapping[str, ResolvedSetting]) -> Connection:
    timeout = resolved["request_timeout"].text
    return Connection(
        kubeconfig=resolved["kubeconfig"].text,
        context=resolved["kube_context"].text,
        as_user=resolved["kube_as_user"].text,
        as_groups=resolved["kube_as_group"].many,
        as_uid=resolved["kube_as_uid"].text,
        token=resolved["kube_token"].text,
        apiserver=resolved["kube_apiserver"].text,
        ca_file=resolved["kube_ca_file"].text,
        tls_server_name=resolved["kube_tls_server_name"].text,
        insecure_skip_tls_verify=resolved["kube_insecure_skip_tls_verify"].on,
        request_timeout=float(timeout) if timeout else None,
    )


def _parent(helm: Helm | None) -> Parent | None:
    if helm is None:
        return None
    flags = (f"--{name}" if value is None else f"--{name}={shown(name, value)}" for name, value in helm.line.flags)
    return Parent(helm.process.pid, helm.process.exe, helm.process.up, tuple(flags))
