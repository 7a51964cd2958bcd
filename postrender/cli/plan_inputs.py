"""What ``postrender plan`` plans: a chart rendered by Helm or a stream; and where live objects are looked up."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from postrender._record import Record, replace
from postrender.cli.arguments import FILTER_SETTINGS, add_arguments, add_caller, chosen, release_name
from postrender.cli.console import progress
from postrender.cli.inputs import caller_of, policy_of, sources_of, stdin
from postrender.cluster.client import Cluster
from postrender.cluster.interface import ClusterReader
from postrender.errors import ManifestError, UsageError
from postrender.helm import binary
from postrender.helm.binary import HelmBinary, debugging, template
from postrender.helm.command_line import COMMANDS
from postrender.helm.invocation import Action
from postrender.helm.versions import HelmVersion, behaviour_of
from postrender.manifest.edit import splice
from postrender.models import Unknown
from postrender.operations.filter.pipeline import Planned, plan_stream, require_known
from postrender.planner.facts import base_revision
from postrender.settings import Caller
from postrender.settings.connection import connection_flags
from postrender.settings.parse import Value
from postrender.text import one_line, to_stderr

_LOOKS_UP = HelmVersion(3, 13, 0)
"""From here on ``helm template --dry-run=server`` lets templates look up what is live (cmd/helm/template.go)."""

_UNSERVED = "resource mapping not found"
"""How client-go's builder says that a kind is not served (``Builder.Do``, k8s.io/cli-runtime/pkg/resource)."""

_NOT_LOOKED_UP = (
    "warning: the cluster does not serve the kinds that this chart brings itself, so it was rendered with "
    "--dry-run=client: lookup in templates found nothing\n"
)


VALUE_FLAGS = {
    "values": "FILE",
    "set": "KEY=VALUE",
    "set-string": "KEY=VALUE",
    "set-json": "KEY=JSON",
    "set-file": "KEY=FILE",
    "set-literal": "KEY=VALUE",
}
"""Helm's flags for values, with what they take."""

_UPGRADE = COMMANDS["upgrade"].takes_next
_KNOWN = {**COMMANDS["install"].takes_next, **_UPGRADE}
_LETTERS = COMMANDS["upgrade"].letters
_OURS = frozenset(("output", "post-renderer", "post-renderer-args", "help", "color", "colour", "v", "version"))
_ONLY_UPGRADE = frozenset(_UPGRADE) - frozenset(COMMANDS["install"].takes_next)
_ONLY_INSTALL = frozenset(COMMANDS["install"].takes_next) - frozenset(_UPGRADE)


def add_value_flags(parser: argparse.ArgumentParser, *, letter: bool = False) -> None:
    """Helm's flags for a chart's values; ``letter`` for ``-f`` too."""
    group = parser.add_argument_group("the chart's values (as for helm install)")
    for name, metavar in VALUE_FLAGS.items():
        names = ["-f"] if letter and name == "values" else []
        group.add_argument(
            *names, f"--{name}", action="append", default=[], metavar=metavar, help=f"passed to helm as --{name}"
        )


def value_arguments(options: argparse.Namespace) -> list[str]:
    """The value flags as Helm takes them."""
    return [f"--{name}={value}" for name in VALUE_FLAGS for value in getattr(options, name.replace("-", "_"))]


def add_planned(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is planned."""
    parser.add_argument(
        "named", nargs="*", metavar="RELEASE CHART", help="as for helm upgrade --install; - reads manifests from stdin"
    )
    parser.add_argument("--manifests", metavar="FILE", help="plan rendered manifests instead of a chart; - is stdin")
    parser.add_argument("--version", metavar="VERSION", help="the chart's version, passed to helm as --version")
    parser.add_argument("--file", help=argparse.SUPPRESS)


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str], rest: Sequence[str]) -> argparse.Namespace:
    """The options, with ``chart``, ``manifests``, ``release`` and ``helm_flags`` settled; raises UsageError.

    ``rest`` is what stands behind ``--``: more of Helm's flags. Older forms are read with a warning.
    """
    ours, passed = _parted(parser, arguments)
    options = parser.parse_intermixed_args(ours)
    return _settled(options, passed, rest)


def _settled(options: argparse.Namespace, passed: Sequence[str], rest: Sequence[str]) -> argparse.Namespace:
    version = [f"--version={options.version}"] if options.version else []
    options.helm_flags = [*version, *passed, *rest]
    options.chart = None
    if any(flag == "--install" for flag in passed) and options.action is None:
        options.action = "upgrade-install"
    named = list(options.named)
    if options.manifests is None and options.file is not None:
        options.manifests = options.file
        _deprecated(options, "--file", f"--manifests {shlex.quote(options.file)}")
    if named == ["-"]:
        named, options.manifests = [], "-"
    if not named and options.manifests is None and len(options.values) == 1:
        (options.manifests,) = options.values
        options.values = []
        _deprecated(options, "-f for manifests", f"--manifests {shlex.quote(options.manifests)}")
    if bool(named) == (options.manifests is not None) or len(named) > 2:
        raise UsageError(
            "specify either RELEASE and CHART, or rendered manifests", next=f"postrender {options.command} --help"
        )
    if options.manifests is not None:
        flags = [each.partition("=")[0] for each in (*value_arguments(options), *options.helm_flags)]
        if flags:
            what = "flags of helm need a chart, and rendered manifests are planned"
            raise UsageError(what, where=" ".join(flags), next=f"postrender {options.command} --help")
        return options
    return _named(options, named)


def _named(options: argparse.Namespace, named: Sequence[str]) -> argparse.Namespace:
    if len(named) == 2:
        name, options.chart = named
        if options.release not in (None, name):
            raise UsageError(f"the release is called {name}", where="--release")
        options.release = release_name(name)
        return options
    (options.chart,) = named
    release = options.release or os.environ.get("POSTRENDER_RELEASE")
    if release is None and not options.generate_name:
        raise UsageError(
            "release name or chart missing: specify RELEASE and CHART", next=f"postrender {options.command} --help"
        )
    if options.release is not None:
        _deprecated(options, "CHART --release NAME", f"{release} {shlex.quote(options.chart)}")
    return options


def _deprecated(options: argparse.Namespace, what: str, instead: str) -> None:
    to_stderr(
        f"warning: postrender {options.command} {one_line(what)} will not work in the next version; "
        f"use postrender {options.command} {one_line(instead)}\n"
    )


def _parted(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and Helm's flags among them."""
    known = parser._option_string_actions
    ours: list[str] = []
    passed: list[str] = []
    left = list(reversed(arguments))
    while left:
        argument = left.pop()
        if argument not in known and (long := _LETTERS.get(argument[1:])) and argument.startswith("-"):
            argument = f"--{long}"
        flag, assigned, _ = argument.partition("=")
        name = flag.removeprefix("--")
        action = known.get(flag)
        if action is None and flag.startswith("--") and name in _KNOWN and name not in _OURS:
            value = [] if assigned or not _KNOWN[name] or not left else [left.pop()]
            passed.append("=".join([argument, *value]))
            continue
        ours.append(argument)
        if action is not None and action.nargs is None and not assigned and left:
            ours.append(left.pop())
    return ours, passed


def template_flags(options: argparse.Namespace) -> list[str]:
    """Those of Helm's flags that ``helm template`` knows as well."""
    known = COMMANDS["template"].takes_next
    return [each for each in options.helm_flags if (name := _name(each)) not in _UPGRADE or name in known]


def stored_values(options: argparse.Namespace, *, upgrade: bool) -> tuple[str, ...] | None:
    """The flags of ``helm get values`` for the stored values that an upgrade starts from; ``None`` for none.

    ``reuseValues`` (pkg/action/upgrade.go of 3.9.0 to 4.3.2): without any new value, those of the last revision stay.
    """
    given = {_name(each) for each in options.helm_flags}
    if not upgrade or "reset-values" in given:
        return None
    if "reuse-values" in given:
        return ("--all",)
    if "reset-then-reuse-values" in given or not value_arguments(options):
        return ()
    return None


def _name(flag: str) -> str:
    return flag.partition("=")[0].removeprefix("--")


def helm_command(options: argparse.Namespace, verb: str, namespace: str, further: str = "") -> str:
    """``helm upgrade shop ./chart -n prod -f prod.yaml --wait``, as it was asked for; ``further`` stands behind it."""
    chart = options.chart or "CHART"
    given = [*value_arguments(options), *options.helm_flags]
    other = _ONLY_UPGRADE if verb == "install" else _ONLY_INSTALL
    words = ["helm", verb, options.release or "RELEASE", chart, "-n", namespace]
    return shlex.join([*words, *(each for each in given if _name(each) not in other)]) + further


def rendered(program: HelmBinary, options: argparse.Namespace, caller: Caller, source: ClusterReader | None) -> bytes:
    """The stream of ``helm template``, hooks included; raises ManifestError with Helm's words.

    If a cluster is asked, templates see its version, its kinds and, from Helm
    3.13 on, its objects; but not its objects where the chart brings kinds of its own that are not served yet, and Helm
    is 4.
    """
    release = caller.invocation.release
    namespace = release.namespace if release else caller.namespace or "default"
    arguments = [release.name if release else "--generate-name", options.chart, "--namespace", namespace]
    upgrade = _upgrades(caller, source)
    if upgrade:
        arguments.append("--is-upgrade")
    arguments += value_arguments(options)
    rest = template_flags(options)
    looking_up, seen = _as_the_cluster(program, source, rest)
    environ = {**os.environ, **_environ(caller)}
    stored = stored_values(options, upgrade=upgrade)
    if stored is not None and release is not None and isinstance(source, Cluster):
        with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(_get_values(program, [release.name, "--namespace", namespace, *stored], environ))
            file.flush()
            arguments.insert(arguments.index("--namespace"), f"--values={file.name}")
            return _render(program, arguments, looking_up, [*seen, *rest], environ, connection_flags(caller))
    return _render(program, arguments, looking_up, [*seen, *rest], environ, connection_flags(caller))


def _upgrades(caller: Caller, source: ClusterReader | None) -> bool:
    """Whether Helm will upgrade: ``upgrade --install`` does if a revision is deployed."""
    invocation = caller.invocation
    if invocation.action is not Action.UPGRADE_INSTALL or source is None or invocation.release is None:
        return invocation.action is Action.UPGRADE
    own = source.get_revisions(invocation.release, manifest=False, driver=invocation.driver)
    return not isinstance(own, Unknown) and base_revision(invocation, own) is not None


def _render(
    program: HelmBinary,
    arguments: Sequence[str],
    looking_up: Sequence[str],
    rest: Sequence[str],
    environ: Mapping[str, str],
    connection: str,
) -> bytes:

    def render(flags: Sequence[str]) -> bytes:
        typed = debugging(program, [*arguments, *flags, *rest], more=connection)
        return template(program, [*arguments, *flags, *rest], environ, typed)

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


def _get_values(program: HelmBinary, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The values of the stored release, which an upgrade may start from; raises ManifestError with Helm's words."""
    answer = binary.run(program, ["get", "values", *arguments, "--output", "json"], environ)
    if answer.code:
        raise ManifestError(
            f"its stored values cannot be read: {answer.stderr.strip().removeprefix('Error: ')}",
            where=f"release {arguments[0]}",
            next=shlex.join(["helm", "get", "values", *arguments]),
        )
    return answer.stdout


def _as_the_cluster(
    program: HelmBinary, source: ClusterReader | None, rest: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The flags with which ``helm template`` looks up what is live, and those that tell it what the cluster serves.

    Together they make it see the cluster as ``helm install`` does, but for what the user set himself.
    """
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


_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name not in ("quiet", "verbose"))


class Planning(Record):
    """One plan, with who would call, where was looked (``None``: nowhere), and the settings of the filter."""

    planned: Planned
    caller: Caller
    source: ClusterReader | None
    values: Mapping[str, Value | None]


def add_planning(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is planned."""
    add_planned(parser)
    parser.add_argument("--helm", metavar="PATH", help="the Helm that renders and installs (default: on PATH)")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The chart's values, and all that the filter takes."""
    add_value_flags(parser, letter=True)
    add_arguments(parser, "options of the filter", _SETTINGS, positional=True)
    add_caller(parser)


def planning(
    options: argparse.Namespace, through: Callable[[ClusterReader | None], ClusterReader | None] = lambda source: source
) -> Planning:
    """The plan of a chart or a stream, its edits proved; ``options`` as ``planned_chart.parse`` reads them.

    ``through`` may put something before the source. Raises PostrenderError.
    """
    values = chosen(options, _SETTINGS, os.environ)
    policy = policy_of({**values, "quiet": None})
    helm = _helm(options)
    caller = _with_version(caller_of(options), helm)
    found = sources_of(caller, values, policy, only_reads=True).source
    source = through(found)
    with progress("reading the stored revisions"):
        caller = _guessed(caller, source)
    data = _stream(options, helm, caller, found)
    with progress("looking up the live objects"):
        planned = plan_stream(data, caller.invocation, policy, source, whole=True)
        if options.chart is None and not planned.manifest.objects:
            raise ManifestError(
                "no Kubernetes object found",
                where="stdin" if options.manifests == "-" else options.manifests,
                next=f"postrender {options.command} --help",
            )
    splice(planned.manifest, planned.plan.edits)
    return Planning(planned, caller, source, values)


def _helm(options: argparse.Namespace) -> HelmBinary | None:
    """The Helm that renders; for a stream, the one whose version counts where none is told, if there is one."""
    if options.chart or options.helm:
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
        origins={**caller.origins, "action": "the stored revisions"},
    )


def _stream(
    options: argparse.Namespace, helm: HelmBinary | None, caller: Caller, source: ClusterReader | None
) -> bytes:
    """The manifests; raises UsageError, ManifestError."""
    if options.chart:
        assert helm is not None
        with progress(f"rendering {options.chart}"):
            return rendered(helm, options, caller, source)
    if options.manifests != "-":
        try:
            return Path(options.manifests).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=options.manifests) from error
    return stdin("manifests are", f"postrender {options.command} --help")
