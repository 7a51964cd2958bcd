"""What is planned, and from what: a chart or a stream, the Helm behind it, and where live objects are looked up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from postrender import program
from postrender.caller import SETTINGS, Caller
from postrender.caller.values import Value
from postrender.commands.inputs import caller_of, policy_of, sources_of, stdin
from postrender.commands.options import FILTER_SETTINGS, add_arguments, chosen
from postrender.commands.progress import progress
from postrender.commands.rendering import add_value_flags, rendered
from postrender.errors import UsageError
from postrender.helm.invocation import Action
from postrender.live import Unknown
from postrender.pipeline import Planned, plan_stream, require_known
from postrender.plan.facts import upgraded_from
from postrender.program import Program
from postrender.record import Record, replace
from postrender.source import Source
from postrender.splice import splice

_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name != "quiet")


class Planning(Record):
    """One plan, with who would call, where was looked (``None``: nowhere), and the settings of the filter."""

    planned: Planned
    caller: Caller
    source: Source | None
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
    through: Callable[[Source | None], Source | None] = lambda source: source,
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
    caller = _told(caller_of(options), helm)
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


def _helm(options: argparse.Namespace) -> Program | None:
    """The Helm that renders; for a stream, the one whose version counts where none is told, if there is one."""
    if chart_of(options) or options.helm:
        return program.find(options.helm, os.environ)
    if options.helm_version or os.environ.get("POSTRENDER_HELM_VERSION"):
        return None
    try:
        return program.find(None, os.environ)
    except UsageError:
        return None


def _told(caller: Caller, helm: Program | None) -> Caller:
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


def _guessed(caller: Caller, source: Source | None) -> Caller:
    """The caller with the action that the stored release suggests, where nobody said which."""
    invocation = caller.invocation
    if caller.origins["action"] != "default" or source is None or invocation.release is None:
        return caller
    own = source.releases(invocation.release, manifest=False, driver=invocation.driver)
    if isinstance(own, Unknown):
        return caller
    upgrade = upgraded_from(invocation, own) is not None
    return replace(
        caller,
        invocation=replace(invocation, action=Action.UPGRADE if upgrade else Action.INSTALL),
        origins={**caller.origins, "action": "what is stored"},
    )


def _stream(
    options: argparse.Namespace, rest: Sequence[str], helm: Program | None, caller: Caller, source: Source | None
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
