"""A chart, rendered by the Helm that is to install it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from postrender.caller import Caller
from postrender.commands.typed import typed_flags
from postrender.errors import ManifestError
from postrender.helm.invocation import Action
from postrender.helm.versions import HelmVersion, behaviour
from postrender.program import Program, debugging, template
from postrender.source import Source

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
    b"postrender: the cluster does not serve the kinds that this chart brings itself, so it was rendered with "
    b"--dry-run=client: lookup in templates found nothing\n"
)


def add_value_flags(parser: argparse.ArgumentParser) -> None:
    """Helm's flags for a chart's values."""
    group = parser.add_argument_group("the chart's values, as for helm install (more of Helm's flags: behind --)")
    for name, metavar in VALUE_FLAGS.items():
        group.add_argument(
            f"--{name}", action="append", default=[], metavar=metavar, help=f"handed to helm as --{name}"
        )


def rendered(
    program: Program, options: argparse.Namespace, rest: Sequence[str], caller: Caller, source: Source | None
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
        typed = debugging(program, [*arguments, *flags, *rest], more=typed_flags(caller))
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
        os.write(2, _NOT_LOOKED_UP)
        return found


def value_arguments(options: argparse.Namespace) -> list[str]:
    """The value flags as Helm takes them."""
    return [f"--{name}={value}" for name in VALUE_FLAGS for value in getattr(options, name.replace("-", "_"))]


def _as_the_cluster(program: Program, source: Source | None, rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """The flags with which ``helm template`` looks up what is live, and those that tell it what the cluster serves.

    Together they make it see the cluster as ``helm install`` does, but for what the user set himself.
    """
    from postrender.cluster import Cluster

    if not isinstance(source, Cluster):
        return [], []
    given = {argument.partition("=")[0] for argument in rest}
    looking_up = []
    if program.version >= _LOOKS_UP and not given & {"--dry-run", "--validate"}:
        looking_up.append("--dry-run=server")
    if behaviour(program.version).take_ownership and "--take-ownership" not in given:
        # Whose an object is, the plan says. Helm asks as well and renders nothing if it is another release's: Helm 4
        # with --dry-run=server, Helm 3 with --validate only (``newTemplateCmd``, cmd/helm/template.go of 3.13.0 to
        # 3.22.0). With this flag it does not ask (``RunWithContext``, pkg/action/install.go of 3.17.0 and later).
        looking_up.append("--take-ownership")
    told = source.capabilities()
    seen = [f"--kube-version={told.version}"] if told.version and "--kube-version" not in given else []
    return looking_up, seen + [f"--api-versions={each}" for each in told.kinds]


def _environ(caller: Caller) -> dict[str, str]:
    """The cluster in the variables that Helm reads: a token on a command line is seen by everybody."""
    connection = caller.connection
    told = {
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
    return {name: value for name, value in told.items() if value}
