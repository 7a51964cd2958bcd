"""What ``postrender plan`` plans: a chart rendered by Helm or a stream; and where live objects are looked up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from postrender._record import Record, replace
from postrender.cli.arguments import FILTER_SETTINGS, add_arguments, chosen
from postrender.cli.console import progress
from postrender.cli.inputs import caller_of, policy_of, sources_of, stdin
from postrender.cluster.interface import ClusterReader
from postrender.errors import ManifestError, UsageError
from postrender.helm import binary
from postrender.helm.binary import HelmBinary, debugging, template
from postrender.helm.invocation import Action
from postrender.helm.versions import HelmVersion, behaviour_of
from postrender.manifest.edit import splice
from postrender.models import Unknown
from postrender.operations.filter.pipeline import Planned, plan_stream, require_known
from postrender.planner.facts import base_revision
from postrender.settings import SETTINGS, Caller
from postrender.settings.connection import connection_flags
from postrender.settings.parse import Value
from postrender.text import to_stderr

VALUE_FLAGS = {
    "values": "FILE",
    "set": "KEY=VALUE",
    "set-string": "KEY=VALUE",
    "set-json": "KEY=JSON",
    "set-file": "KEY=FILE",
    "set-literal": "KEY=VALUE",
}
"""Helm's flags for values, with what they take; whatever else Helm knows goes behind ``--``."""

_LOOKS_UP = HelmVersion(3, 13, 0)
"""From here on ``helm template --dry-run=server`` lets templates look up what is live (cmd/helm/template.go)."""

_UNSERVED = "resource mapping not found"
"""How client-go's builder says that a kind is not served (``Builder.Do``, k8s.io/cli-runtime/pkg/resource)."""

_NOT_LOOKED_UP = (
    "postrender: the cluster does not serve the kinds that this chart brings itself, so it was rendered with "
    "--dry-run=client: lookup in templates found nothing\n"
)


def add_value_flags(parser: argparse.ArgumentParser) -> None:
    """Helm's flags for a chart's values."""
    group = parser.add_argument_group("the chart's values, as for helm install (more of Helm's flags: behind --)")
    for name, metavar in VALUE_FLAGS.items():
        group.add_argument(
            f"--{name}", action="append", default=[], metavar=metavar, help=f"handed to helm as --{name}"
        )


def rendered(
    program: HelmBinary, options: argparse.Namespace, rest: Sequence[str], caller: Caller, source: ClusterReader | None
) -> bytes:
    """The stream of ``helm template``, hooks included; raises ManifestError with Helm's words.

    ``rest`` is what stood behind ``--``. Where a cluster is asked, templates see its version, its kinds and, from Helm
    3.13 on, its objects; but not its objects where the chart brings kinds of its own that are not served yet, and Helm
    is 4.
    """
    release = caller.invocation.release
    namespace = release.namespace if release else caller.namespace or "default"
    arguments = [release.name if release else "--generate-name", options.chart, "--namespace", namespace]
    if caller.invocation.action is Action.UPGRADE:
        arguments.append("--is-upgrade")
    arguments += value_arguments(options)
    looking_up, seen = _as_the_cluster(program, source, rest)
    environ = {**os.environ, **_environ(caller)}

    def render(flags: Sequence[str]) -> bytes:
        typed = debugging(program, [*arguments, *flags, *rest], more=connection_flags(caller))
        return template(program, [*arguments, *flags, *seen, *rest], environ, typed)

    if not looking_up:
        return render(())
    try:
        return render(looking_up)
    except ManifestError as error:
        if program.version.major < 4 or _UNSERVED not in error.cause:
            raise
        # Helm 4 builds the objects of a dry run on the server (``RunWithContext``, pkg/action/install.go of 4.0.0 to
        # 4.3.1), and installs the chart's own kinds in a real run only.
        found = render(("--dry-run=client",))
        to_stderr(_NOT_LOOKED_UP)
        return found


def value_arguments(options: argparse.Namespace) -> list[str]:
    """The value flags as Helm takes them."""
    return [f"--{name}={value}" for name in VALUE_FLAGS for value in getattr(options, name.replace("-", "_"))]


def _as_the_cluster(
    program: HelmBinary, source: ClusterReader | None, rest: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The flags with which ``helm template`` looks up what is live, and those that tell it what the cluster serves.

    Together they make it see the cluster as ``helm install`` does, but for what the user set himself.
    """
    from postrender.cluster.client import Cluster

    if not isinstance(source, Cluster):
        return [], []
    given = {argument.partition("=")[0] for argument in rest}
    looking_up = []
    if program.version >= _LOOKS_UP and not given & {"--dry-run", "--validate"}:
        looking_up.append("--dry-run=server")
    if behaviour_of(program.version).take_ownership and "--take-ownership" not in given:
        # Whose an object is, the plan says. Helm asks as well and renders nothing if it is another release's: Helm 4
        # with --dry-run=server, Helm 3 with --validate only (``newTemplateCmd``, cmd/helm/template.go of 3.13.0 to
        # 3.22.0). With this flag it does not ask (``RunWithContext``, pkg/action/install.go of 3.17.0 and later).
        looking_up.append("--take-ownership")
    served = source.capabilities()
    seen = [f"--kube-version={served.version}"] if served.version and "--kube-version" not in given else []
    return looking_up, seen + [f"--api-versions={each}" for each in served.kinds]


def _environ(caller: Caller) -> dict[str, str]:
    """The cluster in the variables that Helm reads: a token on a command line is seen by everybody."""
    connection = caller.connection
    variables = {
        "KUBECONFIG": connection.kubeconfig,
        "HELM_KUBECONTEXT": connection.context,
        "HELM_KUBETOKEN": connection.token,
        "HELM_KUBEAPISERVER": connection.apiserver,
        "HELM_KUBECAFILE": connection.ca_file,
        "HELM_KUBETLS_SERVER_NAME": connection.tls_server_name,
        "HELM_KUBEASUSER": connection.as_user,
        "HELM_KUBEASGROUPS": ",".join(connection.as_groups),
        "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true" if connection.insecure_skip_tls_verify else "",
        "HELM_DRIVER": caller.invocation.driver,
    }
    return {name: value for name, value in variables.items() if value}


_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name != "quiet")


class Planning(Record):
    """One plan, with who would call, where was looked (``None``: nowhere), and the settings of the filter."""

    planned: Planned
    caller: Caller
    source: ClusterReader | None
    values: Mapping[str, Value | None]


def add_planning(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is planned."""
    parser.add_argument("chart", nargs="?", metavar="CHART", help="a chart as helm takes it, or - for stdin")
    parser.add_argument("-f", "--file", metavar="STREAM", help="a file of rendered manifests; - is stdin")
    parser.add_argument(
        "--helm", metavar="PATH", help="the Helm that renders the chart and installs it (default: on PATH)"
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The chart's values, and all that the filter takes."""
    add_value_flags(parser)
    add_arguments(parser, "what is planned", _SETTINGS, positional=True)
    add_arguments(parser, "who will call (default: an installation, or an upgrade)", SETTINGS, positional=True)


def planning(
    options: argparse.Namespace,
    rest: Sequence[str],
    through: Callable[[ClusterReader | None], ClusterReader | None] = lambda source: source,
) -> Planning:
    """The plan of a chart or a stream, its edits proved; ``rest`` is for ``helm template``.

    ``through`` may put something before the source. Raises PostrenderError.
    """
    if (options.chart is None) == (options.file is None):
        what = "one thing is planned: a chart, -f STREAM, or - for stdin"
        raise UsageError(what, next=f"postrender {options.command} --help")
    if rest and not chart_of(options):
        raise UsageError("flags behind -- are for helm template, and no chart is given", where=" ".join(rest))
    values = chosen(options, _SETTINGS, os.environ)
    policy = policy_of({**values, "quiet": None})
    helm = _helm(options)
    caller = _with_version(caller_of(options), helm)
    found = sources_of(caller, values, policy, only_reads=True).source
    source = through(found)
    with progress("asking what is stored"):
        caller = _guessed(caller, source)
    data = _stream(options, rest, helm, caller, found)
    with progress("looking up what is live"):
        planned = plan_stream(data, caller.invocation, policy, source, whole=True)
    splice(planned.manifest, planned.plan.edits)
    return Planning(planned, caller, source, values)


def chart_of(options: argparse.Namespace) -> str | None:
    """The chart, where one was given."""
    return None if options.chart in (None, "-") else str(options.chart)


def _helm(options: argparse.Namespace) -> HelmBinary | None:
    """The Helm that renders; for a stream, the one whose version counts where none is told, if there is one."""
    if chart_of(options) or options.helm:
        return binary.locate(options.helm, os.environ)
    if options.helm_version or os.environ.get("POSTRENDER_HELM_VERSION"):
        return None
    try:
        return binary.locate(None, os.environ)
    except UsageError:
        return None


def _with_version(caller: Caller, helm: HelmBinary | None) -> Caller:
    """The caller with the version of the Helm that we run, unless another one was named."""
    if helm is None or caller.origins["helm_version"] in ("--helm-version", "POSTRENDER_HELM_VERSION"):
        return caller
    require_known(helm.version)
    return replace(
        caller,
        invocation=replace(caller.invocation, helm=helm.version),
        origins={**caller.origins, "helm_version": helm.path},
        notes=tuple(note for note in caller.notes if "--helm-version" not in note),
    )


def _guessed(caller: Caller, source: ClusterReader | None) -> Caller:
    """The caller with the action that the stored release suggests, where nobody said which."""
    invocation = caller.invocation
    if caller.origins["action"] != "default" or source is None or invocation.release is None:
        return caller
    own = source.get_revisions(invocation.release, manifest=False, driver=invocation.driver)
    if isinstance(own, Unknown):
        return caller
    upgrade = base_revision(invocation, own) is not None
    return replace(
        caller,
        invocation=replace(invocation, action=Action.UPGRADE if upgrade else Action.INSTALL),
        origins={**caller.origins, "action": "what is stored"},
    )


def _stream(
    options: argparse.Namespace,
    rest: Sequence[str],
    helm: HelmBinary | None,
    caller: Caller,
    source: ClusterReader | None,
) -> bytes:
    """The manifests; raises UsageError, ManifestError."""
    if chart_of(options):
        assert helm is not None
        with progress(f"rendering {options.chart}"):
            return rendered(helm, options, rest, caller, source)
    if options.file not in (None, "-"):
        try:
            return Path(options.file).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=options.file) from error
    return stdin("manifests are", f"postrender {options.command} --help")
