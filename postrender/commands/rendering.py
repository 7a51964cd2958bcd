"""A chart, rendered by the Helm that is to install it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence

from postrender.caller import Caller
from postrender.helm.invocation import Action
from postrender.helm.versions import HelmVersion
from postrender.program import Program, template
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
    3.13 on, its objects.
    """
    release = caller.invocation.release
    named = [release.name] if release else ["--generate-name"]
    arguments = [*named, options.chart, "--namespace", release.namespace if release else caller.namespace or "default"]
    if caller.invocation.action is Action.UPGRADE:
        arguments.append("--is-upgrade")
    arguments += value_arguments(options)
    arguments += _as_the_cluster(program, source, rest)
    return template(program, [*arguments, *rest], {**os.environ, **_environ(caller)})


def value_arguments(options: argparse.Namespace) -> list[str]:
    """The value flags as Helm takes them."""
    return [f"--{name}={value}" for name in VALUE_FLAGS for value in getattr(options, name.replace("-", "_"))]


def _as_the_cluster(program: Program, source: Source | None, rest: Sequence[str]) -> Iterator[str]:
    """What makes ``helm template`` see the cluster as ``helm install`` does, but for what the user set himself."""
    from postrender.cluster import Cluster

    if not isinstance(source, Cluster):
        return
    given = {argument.partition("=")[0] for argument in rest}
    if program.version >= _LOOKS_UP and not given & {"--dry-run", "--validate"}:
        yield "--dry-run=server"
    told = source.capabilities()
    if told.version and "--kube-version" not in given:
        yield f"--kube-version={told.version}"
    yield from (f"--api-versions={each}" for each in told.kinds)


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
