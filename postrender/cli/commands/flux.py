"""``postrender flux HELMRELEASE.yaml``: the filter's edits as patches of a HelmRelease."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, FILTER_SETTINGS, add_arguments, chosen, flags
from postrender.cli.inputs import policy_of, sources_of, stdin
from postrender.cli.parsers import command_parser, parted
from postrender.cli.plan_inputs import add_value_flags, value_arguments
from postrender.cli.run_info import setting_origins
from postrender.cli.stdout import write
from postrender.cluster.interface import ClusterReader
from postrender.errors import ManifestError, Refused, UsageError
from postrender.helm import binary
from postrender.helm.versions import HelmVersion
from postrender.integrations.flux.helm_release import Chart, HelmRelease, read, values_elsewhere
from postrender.integrations.flux.patches import patches
from postrender.integrations.flux.writer import in_place, to_include
from postrender.operations.filter.pipeline import Planned, check, plan_stream, require_known
from postrender.report.plan_summary import SummaryHeading, plan_summary
from postrender.settings import Caller, find
from postrender.settings.parse import Value
from postrender.text import Advice, Hint, to_stderr

DESCRIPTION = """\
Write the filter's edits as patches into a Flux HelmRelease, since the
helm-controller cannot run a post-renderer program. Comments and other patches
stay; run it again to update its own patches.

  postrender flux shop.yaml --chart ./charts/shop
  postrender flux shop.yaml --chart ./charts/shop --check
  helm template shop ./chart -n prod | postrender flux shop.yaml --stream -

The chart is rendered with spec.values. Every patch is checked against the
rendered manifests, since Flux ignores a patch without a match. A cluster is
read only with --kube-context, or a file with --live.
"""

EPILOG = """\
exit codes: 0 done, 2 bad usage, 3 the chart cannot be rendered or read,
            4 refused, or with --check: the patches are not up to date,
            5 cannot reach the API server
"""

USAGE = """postrender flux HELMRELEASE.yaml [FLAG ...] [-- HELM TEMPLATE FLAG ...]"""

# Patches in Git write to no live object, and what is live changes after they were made.
FLUX_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name not in ("adopt", "on_drift", "offline"))
_OTHERS = {"adopt": None, "on_drift": None, "offline": None}
_CALLER = tuple(each for each in CONNECTION_SETTINGS if each.name not in ("namespace", "driver"))

_FROM_RELEASE = ("release", "namespace", "action", "take_ownership", "server_side", "force_conflicts", "replace")
"""What the HelmRelease tells, whatever flag it is handed on as."""


STREAM = Hint("--stream FILE", "FILE holds what helm template printed")


def main(arguments: list[str]) -> int:
    """Write the patches, or with ``--check`` tell whether they are up to date; raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    if rest and options.stream:
        raise UsageError("flags behind -- are for helm template, and --stream is rendered", where=" ".join(rest))
    helm_release = read(options.file, _bytes(options.file), options.name)
    values = {**chosen(options, FLUX_SETTINGS, os.environ), **_OTHERS}
    caller = _caller(helm_release, options)
    source = _source(helm_release, caller, values)
    data = _stream(helm_release, options, rest)
    policy = replace(policy_of(values), for_git=True)
    planned = plan_stream(data, caller.invocation, policy, source)
    if not planned.manifest.objects:
        # An empty stream is what a failed helm template leaves in a pipe.
        raise ManifestError(
            "nothing was rendered, and all patches of postrender would be removed",
            where=options.stream or options.chart or "",
            next=STREAM,
        )
    _check(planned)
    made = patches(planned)
    changed = in_place(helm_release, made)
    if options.check:
        _check_up_to_date(helm_release, changed)
    elif options.patch_file == "-":
        write(to_include(helm_release, made))
    elif options.patch_file:
        _write(options.patch_file, to_include(helm_release, made))
    elif changed != helm_release.manifest.data:
        _write(options.file, changed)
    if not values["quiet"]:
        place = "the patch file" if options.patch_file and not options.check else helm_release.path
        text = _summary(helm_release, planned, caller, source, len(made), place, verbose=bool(values["verbose"]))
        to_stderr(text)
    return 0


def parser() -> argparse.ArgumentParser:
    """A HelmRelease, where its manifests come from, where the patches go."""
    made = command_parser("flux", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    made.add_argument("file", metavar="HELMRELEASE.yaml", help="the file that holds the HelmRelease")
    made.add_argument("--name", metavar="NAME", help="the HelmRelease, if the file contains several")
    made.add_argument("--check", action="store_true", help="write nothing; fail if the patches are outdated")
    made.add_argument(
        "--patch-file",
        metavar="FILE",
        help="leave the HelmRelease alone and write a patch of it to FILE (- for stdout)",
    )
    made.add_argument("--stream", metavar="FILE", help="rendered manifests; - is stdin")
    made.add_argument("--chart", metavar="CHART", help="the chart, as for helm (default: from the sources in FILE)")
    made.add_argument("--helm", metavar="PATH", help="the Helm that renders the chart (default: the one on PATH)")
    made.add_argument(
        "--helm-version", metavar="VERSION", help="the Helm in the helm-controller (1.6: 4.2, 1.5: 4.1, 1.4: 3.19)"
    )
    add_value_flags(made)
    add_arguments(made, "options of the filter", FLUX_SETTINGS, positional=True)
    add_arguments(made, CONNECTION, _CALLER, positional=True)
    return made


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path) from error


def _caller(helm_release: HelmRelease, options: argparse.Namespace) -> Caller:
    """The controller, as its Helm would be called; raises UsageError."""
    release = helm_release.release
    given = replace(
        flags(options, _CALLER),
        helm_version=options.helm_version,
        release=release.name,
        namespace=release.namespace,
        action="upgrade-install",
        take_ownership=helm_release.takes_ownership,
        server_side=helm_release.server_side,
        force_conflicts=True,
        replace=bool(helm_release.of_install("replace")),
    )
    caller = find(given, os.environ)
    require_known(caller.invocation.helm)
    origins = {name: helm_release.path for name in _FROM_RELEASE if not caller.origins[name].startswith("POSTRENDER_")}
    return replace(caller, origins={**caller.origins, **origins})


def _source(helm_release: HelmRelease, caller: Caller, values: Mapping[str, Value | None]) -> ClusterReader | None:
    """Where live objects are looked up: nowhere unless somebody text where."""
    if not values["live"] and not caller.cluster_named:
        return None
    if helm_release.stores_elsewhere:
        raise UsageError(
            "its revisions are stored in another namespace (spec.storageNamespace), where they are not looked for",
            where=helm_release.path,
            next=Advice("leave out --live and --kube-context"),
        )
    return sources_of(caller, values, policy_of(values), only_reads=True).source


def _stream(helm_release: HelmRelease, options: argparse.Namespace, rest: Sequence[str]) -> bytes:
    """The manifests as Helm gives them to a post-renderer; raises UsageError, ManifestError."""
    if options.stream == "-":
        return stdin("manifests are", "postrender flux --help")
    if options.stream:
        return _bytes(options.stream)
    chart = Chart(options.chart) if options.chart else helm_release.chart()
    if chart is None:
        raise UsageError(
            "its chart can only be found in the cluster", where=helm_release.path, next=("--chart CHART", STREAM)
        )
    named = values_elsewhere(helm_release)
    given = value_arguments(options)
    if named and not given:
        raise UsageError(
            f"takes values from {', '.join(named)}, which it does not hold itself",
            where=helm_release.path,
            next=(Hint("--values FILE", "FILE holds these values"), STREAM),
        )
    return _rendered(helm_release, chart, given, options.helm, rest)


def _rendered(
    helm_release: HelmRelease, chart: Chart, given: Sequence[str], helm: str | None, rest: Sequence[str]
) -> bytes:
    """What ``helm template`` makes of the chart; ``spec.values`` win over the files that were given."""
    release = helm_release.release
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as own:
        json.dump(helm_release.spec.get("values") or {}, own)
        own.flush()
        arguments = [release.name, chart.name, f"--namespace={release.namespace}", *given, f"--values={own.name}"]
        if chart.repository:
            arguments.append(f"--repo={chart.repository}")
        if chart.version:
            arguments.append(f"--version={chart.version}")
        found = binary.locate(helm, os.environ)
        # The file of the values is gone once this is typed.
        shown = [each for each in arguments if each != f"--values={own.name}"]
        typed = binary.debugging(found, [*shown, *rest], remark="--values of a file that holds spec.values")
        return binary.template(found, [*arguments, *rest], os.environ, typed)


def _check(planned: Planned) -> None:
    """Raises Refused; what is true for a moment only has Flux's own ways out."""
    try:
        check(planned.plan)
    except Refused as error:
        if not any(finding.code == "PR311" for _, finding in planned.plan.errors):
            raise
        raise Refused(
            error.cause,
            next=(
                Advice("use helm-controller 1.5.0 or later: its Helm 4 applies server-side (--helm-version 4.1.1)"),
                Advice("set spec.driftDetection.mode to enabled: the controller applies what Helm leaves unapplied"),
                Advice("or suspend the HelmRelease, run helm upgrade --install with postrender, and resume it"),
                *(step for step in error.next if not step.startswith("helm upgrade")),
            ),
        ) from None


def _check_up_to_date(helm_release: HelmRelease, changed: bytes) -> None:
    if changed != helm_release.manifest.data:
        raise Refused(
            "its patches are not what the chart needs now", where=helm_release.path, next="... without --check"
        )


def _summary(
    helm_release: HelmRelease,
    planned: Planned,
    caller: Caller,
    source: ClusterReader | None,
    count: int,
    place: str,
    *,
    verbose: bool,
) -> str:
    helm: HelmVersion | None = caller.invocation.helm
    controller = f"a helm-controller with Helm {helm}" if helm else "a helm-controller with a Helm of unknown version"
    looked = source.description if source else "no cluster was asked"
    notes = [note for note in caller.notes if source is not None and "version" in note]
    if helm_release.takes_ownership:
        notes.append(
            "helm-controller takes over what it finds, including objects of installed releases, unless "
            "spec.install.disableTakeOwnership is true"
        )
    heading = SummaryHeading(controller, f"release {caller.invocation.release}", looked, setting_origins(caller))
    total = len(planned.plan.verdicts)
    objects = f"{total} object{'s' * (total != 1)}"
    patched = f"{count} patch{'es' * (count != 1)} in {place}, each checked against what was rendered"
    closing = f"{objects}, {patched}" if count else f"{objects}, none of which needs a patch"
    return plan_summary(planned.plan, heading, notes, closing, verbose=verbose)


def _write(path: str, data: bytes) -> None:
    """A file as a whole or not at all; raises UsageError."""
    unfinished = f"{path}.{os.getpid()}.unfinished"
    try:
        Path(unfinished).write_bytes(data)
        if os.path.exists(path):
            os.chmod(unfinished, os.stat(path).st_mode)
        os.replace(unfinished, path)
    except OSError as error:
        Path(unfinished).unlink(missing_ok=True)
        raise UsageError(f"cannot be written: {error.strerror}", where=path) from error
