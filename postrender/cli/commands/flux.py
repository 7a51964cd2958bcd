"""``postrender flux HELMRELEASE.yaml``: the filter's edits as patches of a HelmRelease."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, FILTER_SETTINGS, add_arguments, chosen, flags
from postrender.cli.inputs import policy_of, sources_of, stdin
from postrender.cli.parsers import command_parser, parted
from postrender.cli.plan_inputs import add_value_flags, value_arguments
from postrender.cli.run_info import setting_origins
from postrender.cli.stdout import write
from postrender.cluster.interface import ClusterReader, unreadable
from postrender.errors import ManifestError, PostrenderError, Refused, UsageError
from postrender.helm import binary
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion, behaviour_of
from postrender.integrations.flux.controllers import (
    FIELD_MANAGER,
    NEWEST,
    Controller,
    controllers,
    of_version,
    with_helm,
)
from postrender.integrations.flux.helm_release import Chart, HelmRelease, read, values_elsewhere
from postrender.integrations.flux.patches import patches
from postrender.integrations.flux.writer import in_place, to_include
from postrender.models import Unknown
from postrender.operations.filter.pipeline import Planned, check, plan_stream, require_known
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.verdict import Plan, Verdict
from postrender.report.plan_summary import SummaryHeading, plan_summary
from postrender.settings import Caller, find
from postrender.settings.parse import Value
from postrender.text import AGAIN, Advice, Hint, in_command, to_stderr

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
_OTHERS = dict.fromkeys(("adopt", "on_drift", "offline", "keep_live"))
FLUX_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name not in _OTHERS)
_CALLER = tuple(each for each in CONNECTION_SETTINGS if each.name not in ("namespace", "driver"))

_LEFT_TO_DRIFT_DETECTION = frozenset({"PR301", "PR310", "PR313", "PR318"})
"""What is an error if the live spec may not be stored instead."""


STREAM = Advice("or add --stream with a file that helm template wrote")

CHART = Advice("add --chart with the chart, as helm takes it")


def main(arguments: list[str]) -> int:
    """Write the patches, or with ``--check`` tell whether they are up to date; raises PostrenderError."""
    try:
        return _main(arguments)
    except PostrenderError as error:
        error.next = in_command(error.next, "postrender flux --help" if isinstance(error, UsageError) else AGAIN)
        raise


def _main(arguments: list[str]) -> int:
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    if rest and options.stream:
        raise UsageError("flags behind -- are for helm template, and --stream is rendered", where=" ".join(rest))
    helm_release = read(options.file, _bytes(options.file), options.name, options.namespace)
    values = {**chosen(options, FLUX_SETTINGS, os.environ), **_OTHERS}
    known = _controller(options)
    caller = _caller(helm_release, options, known)
    controller = known or with_helm(caller.invocation.helm, helm3_defaults=options.helm3_defaults)
    source = _source(caller, values)
    caller = _as_run(caller, helm_release, controller, source)
    data = _stream(helm_release, options, rest)
    planned = plan_stream(data, caller.invocation, _policy(helm_release, values), source)
    if not planned.manifest.objects:
        # An empty stream is what a failed helm template leaves in a pipe.
        raise ManifestError(
            "nothing was rendered, and all patches of postrender would be removed",
            where=options.stream or options.chart or "",
            next=Advice("add --stream with a file that helm template wrote"),
        )
    _check(planned, helm_release)
    if helm_release.corrects_drift:
        planned = replace(planned, plan=_left_to_controller(planned.plan))
    made = patches(planned, helm_release.strategy(controller))
    if options.check:
        _check_up_to_date(helm_release, in_place(helm_release, made))
    elif options.patch_file == "-":
        write(to_include(helm_release, made, "FILE"))
    elif options.patch_file:
        _write(options.patch_file, to_include(helm_release, made, Path(options.patch_file).name))
    elif (changed := in_place(helm_release, made)) != helm_release.manifest.data:
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
    made.add_argument(
        "--namespace", "-n", metavar="NAMESPACE", help="the HelmRelease's namespace, if the file does not contain it"
    )
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
        "--controller-version", metavar="VERSION", help=f"the version of helm-controller, such as {NEWEST}"
    )
    made.add_argument(
        "--helm-version", metavar="VERSION", help="the Helm in helm-controller (default: by --controller-version)"
    )
    made.add_argument(
        "--helm3-defaults", action="store_true", help="helm-controller has the feature gate UseHelm3Defaults"
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


def _controller(options: argparse.Namespace) -> Controller | None:
    """The helm-controller of ``--controller-version``, ``None`` without one; raises UsageError."""
    version = options.controller_version
    if not version:
        return None
    if options.helm_version:
        raise UsageError("--controller-version and --helm-version exclude each other")
    found = of_version(version, helm3_defaults=options.helm3_defaults)
    if found is None:
        raise UsageError(
            f"unknown helm-controller {version!r} (known: {', '.join(controllers())})",
            where="--controller-version",
            next=Advice("use --helm-version with the Helm in that helm-controller's go.mod instead"),
        )
    return found


def _caller(helm_release: HelmRelease, options: argparse.Namespace, known: Controller | None) -> Caller:
    """The controller, as its Helm would be called; raises UsageError."""
    release = helm_release.release
    given = replace(
        flags(options, _CALLER),
        helm_version=str(known.helm) if known else options.helm_version,
        release=release.name,
        namespace=release.namespace,
    )
    caller = find(given, os.environ)
    require_known(caller.invocation.helm)
    origins = dict.fromkeys(("release", "namespace"), helm_release.path)
    if known:
        origins["helm_version"] = "--controller-version"
    run = replace(caller.invocation, field_manager=FIELD_MANAGER)
    return replace(caller, invocation=run, origins={**caller.origins, **origins})


def _source(caller: Caller, values: Mapping[str, Value | None]) -> ClusterReader | None:
    """Where live objects are looked up: nowhere unless a flag or variable names a cluster or a file."""
    if not values["live"] and not caller.cluster_named:
        return None
    return sources_of(caller, values, policy_of(values), only_reads=True).source


def _as_run(caller: Caller, helm_release: HelmRelease, controller: Controller, source: ClusterReader | None) -> Caller:
    """The caller with the action that is next for the controller, and that action's flags; raises ClusterError."""
    run = helm_release.run(caller.invocation, (), controller)
    if source is None:
        return replace(caller, invocation=replace(run, action=Action.UPGRADE_INSTALL))
    assert run.stored_as is not None  # A HelmRelease has a name and a namespace.
    # Only the whole revision shows how it was applied.
    own = source.get_revisions(run.stored_as, manifest=True, driver=run.driver)
    if isinstance(own, Unknown):
        raise unreadable(run.stored_as, source.description, own)
    return replace(caller, invocation=helm_release.run(caller.invocation, own, controller))


def _policy(helm_release: HelmRelease, values: Mapping[str, Value | None]) -> Policy:
    """The user's options. Where the controller corrects drift, what Helm leaves out is no reason to stop."""
    policy = replace(policy_of(values), for_git=True)
    if not helm_release.corrects_drift:
        return policy
    return replace(policy, on_drift=OnDrift.FAIL, allow=policy.allow | _LEFT_TO_DRIFT_DETECTION)


def _left_to_controller(plan: Plan) -> Plan:
    """The plan without the hints for what the controller's drift detection applies: they are for other callers."""

    def left(verdict: Verdict) -> Verdict:
        findings = (
            replace(each, next=()) if each.code in _LEFT_TO_DRIFT_DETECTION else each for each in verdict.findings
        )
        return replace(verdict, findings=tuple(findings))

    return replace(plan, verdicts=tuple(map(left, plan.verdicts)))


def _stream(helm_release: HelmRelease, options: argparse.Namespace, rest: Sequence[str]) -> bytes:
    """The manifests as Helm gives them to a post-renderer; raises UsageError, ManifestError."""
    if options.stream == "-":
        return stdin("manifests are", "postrender flux --help")
    if options.stream:
        return _bytes(options.stream)
    chart = Chart(options.chart) if options.chart else helm_release.chart()
    if chart is None:
        folder = helm_release.folder
        here = Hint(f"--chart {shlex.quote(folder)}", "with the folder of the same name")
        raise UsageError(
            "its chart can only be found in the cluster",
            where=helm_release.path,
            next=here if folder and os.path.isdir(folder) else (CHART, STREAM),
        )
    named = values_elsewhere(helm_release)
    given = value_arguments(options)
    if named and not given:
        raise UsageError(
            f"takes values from {', '.join(named)}, which it does not hold itself",
            where=helm_release.path,
            next=(Advice("add --values with a file that holds these values"), STREAM),
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


def _check(planned: Planned, helm_release: HelmRelease) -> None:
    """Raises Refused, with what to change in Flux instead of flags for a helm command."""
    try:
        check(planned.plan)
    except Refused as error:
        invocation, found = planned.facts.invocation, [finding for _, finding in planned.plan.errors]
        of_state = [each for each in found if each.code == "PR311"]
        steps: list[str] = []
        if any(each.code in _ADOPTABLE for each in found):
            steps.append(Advice(f"remove {_take_ownership(invocation)}: helm-controller then takes the objects"))
        if of_state:
            steps += _other_controllers(invocation)
            if not helm_release.corrects_drift and not any("Version" in each.text for each in of_state):
                steps.append(_CORRECT)
            steps.append(
                Advice("or suspend the HelmRelease, run helm upgrade --install with postrender, and resume it")
            )
        steps += [step for step in error.next if not step.startswith(("helm upgrade", "helm ..."))]
        raise Refused(error.cause, next=tuple(steps)) from None


_ADOPTABLE = ("PR102", "PR103")
"""Objects that Helm would take if it were told to."""


def _take_ownership(invocation: Invocation) -> str:
    return f"spec.{'install' if invocation.action is Action.INSTALL else 'upgrade'}.disableTakeOwnership"


_CORRECT = Advice("set spec.driftDetection.mode to enabled: the controller applies what Helm leaves unapplied")


def _other_controllers(invocation: Invocation) -> Iterator[str]:
    """What a Helm that leaves the live object alone is to be replaced by, or called with."""
    helm, installs = invocation.helm, invocation.action is Action.INSTALL
    if helm is None or helm.major < 4:
        yield Advice("use helm-controller 1.5.0 or later: its Helm 4 applies server-side (--controller-version 1.5.0)")
    elif invocation.server_side == "false":
        field = "spec.install.serverSideApply to true" if installs else "spec.upgrade.serverSideApply to enabled"
        yield Advice(f"set {field}: Helm 4 then applies the chart")
    if installs and helm and behaviour_of(helm).three_way_on_take_ownership and not invocation.take_ownership:
        yield Advice(
            "remove spec.install.disableTakeOwnership: an install then compares the chart with the live object"
        )


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
    notes += _notes(helm_release, helm, planned.plan, looked_up=source is not None)
    heading = SummaryHeading(controller, f"release {caller.invocation.release}", looked, setting_origins(caller))
    total = len(planned.plan.verdicts)
    objects = f"{total} object{'s' * (total != 1)}"
    patched = f"{count} patch{'es' * (count != 1)} in {place}, each checked against what was rendered"
    closing = f"{objects}, {patched}" if count else f"{objects}, none of which needs a patch"
    return plan_summary(planned.plan, heading, notes, closing, verbose=verbose)


def _notes(helm_release: HelmRelease, helm: HelmVersion | None, plan: Plan, *, looked_up: bool) -> Iterator[str]:
    """What the plan does not show: how the controller treats objects that it finds."""
    if not helm_release.leaves_owners:
        yield (
            "helm-controller takes over what it finds, including objects of installed releases, unless "
            "disableTakeOwnership is true in spec.install and spec.upgrade"
        )
    if not looked_up and not helm_release.corrects_drift and (helm is None or helm.major < 4):
        which = "before 1.5" if helm is None else f"with Helm {helm}"
        yield (
            f"helm-controller {which} may adopt a kept object and leave the chart's changes unapplied, without an "
            "error; --kube-context NAME checks that"
        )
    if any(each.code in _LEFT_TO_DRIFT_DETECTION for verdict in plan.verdicts for each in verdict.findings):
        yield "drift detection is enabled: helm-controller applies the chart's fields after Helm"


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
