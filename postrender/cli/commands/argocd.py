"""``postrender argocd init|generate|params``: a config management plugin of Argo CD."""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, FILTER_SETTINGS, add_arguments, chosen, flags
from postrender.cli.inputs import policy_of
from postrender.cli.parsers import command_parser
from postrender.cli.run_info import setting_origins
from postrender.cli.stdout import write
from postrender.cluster import builtin_kinds
from postrender.cluster.interface import ClusterReader
from postrender.errors import ManifestError, Refused
from postrender.helm import binary
from postrender.helm.invocation import Action, ArgoCD
from postrender.integrations.argocd import (
    Application,
    announced,
    application,
    arguments,
    build,
    homes,
    time_limit,
    unserved,
)
from postrender.manifest import Manifest
from postrender.manifest.edit import splice
from postrender.operations.filter.pipeline import Planned, check, plan_stream
from postrender.report.plan_summary import SummaryHeading, plan_summary
from postrender.settings import Caller, Setting, find
from postrender.text import Advice, Hint, to_stderr

DESCRIPTION = """\
A config management plugin of Argo CD: renders the chart in the working folder
with Helm, filters it, and prints the manifests for Argo CD.

  postrender argocd init       download the chart's dependencies
  postrender argocd generate   render and filter
  postrender argocd params     the parameters of an Application

The Application's settings come from the environment that Argo CD sets. Without
--look-up no cluster is contacted: templates see KUBE_VERSION and
KUBE_API_VERSIONS, and only labels and ownership metadata are added.
"""

EPILOG = """\
An Application sets stamp, label-key, no-label, allow and prune-false, as
parameters or in plugin.env (POSTRENDER_STAMP); a flag here takes precedence.
exit codes: 0 done, 2 bad usage, 3 the chart cannot be rendered, or is empty,
            4 refused, 5 cannot reach the API server
"""

ARGOCD_SETTINGS: tuple[Setting, ...] = (
    *(
        setting
        for setting in FILTER_SETTINGS
        if setting.name in ("stamp", "label_key", "no_label", "allow", "quiet", "verbose")
    ),
    Setting("prune_false", "bool", "", "add the sync option Prune=false to what the chart keeps"),
    Setting("look_up", "bool", "", "look live objects up, by the kubeconfig or as the Pod's service account"),
)
_CALLER = tuple(each for each in CONNECTION_SETTINGS if each.name != "namespace")
_OF_APPLICATION = ("stamp", "label_key", "no_label", "allow", "prune_false")
"""What an Application may set. Whom to connect to, and whether at all, is not its to say: it could send the sidecar's
credentials anywhere.
"""


def main(arguments_given: list[str]) -> int:
    """Do one of the plugin's three commands; raises PostrenderError."""
    options = parser().parse_args(arguments_given)
    if options.command == "params":
        write(announced().encode())
        return 0
    with _limited(time_limit(os.environ)), tempfile.TemporaryDirectory(prefix="postrender-") as folder:
        helm = binary.locate(options.helm, os.environ)
        environ = homes(os.environ, folder)
        if options.command == "init":
            helm_output = build(helm, os.curdir, environ)
            # Argo CD logs a warning for a command that prints nothing (``runCommand``, cmpserver/plugin/plugin.go).
            write(b"dependencies downloaded\n" if helm_output else b"no dependencies to download\n")
            to_stderr(helm_output)
            return 0
        app = application(os.environ)
        values = chosen(options, ARGOCD_SETTINGS, _environ(app))
        policy = replace(policy_of({**_OTHERS, **values}), argocd_prune_false=bool(values["prune_false"]))
        caller = _caller(app, options)
        source = _source(caller, app) if values["look_up"] or caller.cluster_named else None
        data = binary.template(helm, arguments(app, os.curdir, _inline(app, folder), os.environ), environ)
        planned = plan_stream(data, caller.invocation, policy, source)
        if not planned.manifest.objects:
            raise ManifestError(
                "the chart renders to nothing, and Argo CD would prune all that it had",
                where=f"Application {app.name}",
                next=Hint(f"helm template {app.release.name} .", "with the same values"),
            )
        check(planned.plan)
        output = splice(planned.manifest, planned.plan.edits)
    write(output.data)
    if not values["quiet"]:
        to_stderr(_summary(app, planned, caller, source, verbose=bool(values["verbose"])))
    return 0


def parser() -> argparse.ArgumentParser:
    """Which of the three, and what the operator of Argo CD decides."""
    made = command_parser("argocd", DESCRIPTION, epilog=EPILOG)
    made.add_argument("command", choices=("init", "generate", "params"), help="the step that Argo CD runs")
    made.add_argument("--helm", metavar="PATH", help="the Helm that renders (default: the one on PATH)")
    add_arguments(made, "options of the filter", ARGOCD_SETTINGS, positional=True)
    add_arguments(made, CONNECTION, _CALLER, positional=True)
    return made


_OTHERS = {setting.name: None for setting in FILTER_SETTINGS}


def _environ(app: Application) -> dict[str, str]:
    """Our variables: the sidecar's, and in front of them what the Application says."""
    found = dict(os.environ)
    for setting in ARGOCD_SETTINGS:
        if setting.name not in _OF_APPLICATION:
            continue
        name = setting.name.replace("_", "-")
        value = (
            app.given.text(name) or ",".join(app.given.many(name)) or os.environ.get(f"ARGOCD_ENV_{setting.variable}")
        )
        if value:
            found[setting.variable] = value
    return found


def _caller(app: Application, options: argparse.Namespace) -> Caller:
    """Argo CD, with the release that Helm renders for."""
    given = replace(
        flags(options, _CALLER), release=app.release.name, namespace=app.release.namespace, action="upgrade-install"
    )
    caller = find(given, os.environ)
    origins = dict.fromkeys(("release", "namespace", "action"), "Argo CD")
    invocation = replace(caller.invocation, argocd=ArgoCD(app.name), action=Action.UPGRADE_INSTALL)
    return replace(caller, invocation=invocation, origins={**caller.origins, **origins})


def _source(caller: Caller, app: Application) -> ClusterReader:
    """The cluster, if it is the destination as far as can be told; raises ClusterError, Refused."""
    from postrender.settings.connection import reached

    cluster = reached(caller)
    destination, here = os.environ.get("KUBE_VERSION", "").lstrip("v"), cluster.capabilities().version.lstrip("v")
    if destination and here and not _agree(destination, here):
        raise Refused(
            f"its destination runs Kubernetes {destination}, and {cluster.description} runs {here}: it is another "
            "cluster",
            where=f"Application {app.name}",
            next=Advice("set look-up only if Argo CD deploys to one cluster, and give it credentials for that cluster"),
        )
    return cluster


def _agree(destination: str, here: str) -> bool:
    """True if two versions are equal as far as Argo CD names the destination's.

    3.2 names ``1.34`` (``GetServerVersion``, pkg/utils/kube/ctl.go of gitops-engine), 3.5 ``1.34.3`` without the build
    (``parseKubeVersion``).
    """
    named = _release_of(destination)
    return _release_of(here)[: len(named)] == named


def _release_of(version: str) -> list[str]:
    """``1``, ``34`` and ``3`` of ``1.34.3+k3s1``."""
    return version.partition("+")[0].partition("-")[0].split(".")


def _inline(app: Application, folder: str) -> str | None:
    """The inline values in a file; ``None`` where there are none."""
    text = app.given.text("values")
    if not text:
        return None
    path = Path(folder, "values.yaml")
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Give up after so many seconds, and at once where Argo CD ends us, leaving no file behind."""

    def late(*_: object) -> None:
        raise ManifestError(
            f"gave up after {seconds:g} s, before Argo CD would",
            next=Advice("raise ARGOCD_EXEC_TIMEOUT of the sidecar and controller.repo.server.timeout.seconds"),
        )

    def ended(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, ended)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _summary(app: Application, planned: Planned, caller: Caller, source: ClusterReader | None, *, verbose: bool) -> str:
    looked = source.description if source else "no cluster was asked"
    heading = SummaryHeading(
        f"Argo CD Application {app.name}", f"release {app.release}", looked, setting_origins(caller)
    )
    return plan_summary(planned.plan, heading, _unserved(app, planned.manifest), verbose=verbose)


def _unserved(app: Application, manifest: Manifest) -> list[str]:
    crds = [ref for ref in manifest.objects if ref.gvk.kind == "CustomResourceDefinition"]
    defined = frozenset(
        resource.gvk for ref in crds for resource in builtin_kinds.resources_of_crd(manifest.value(ref))
    )
    return unserved(app, [ref.gvk for ref in manifest.objects], defined)
