"""``postrender plan``: what the filter and Helm will do to each object, before either does anything."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from postrender import program, redact
from postrender.caller import SETTINGS, Caller
from postrender.caller.values import Value
from postrender.commands.about import about_of
from postrender.commands.holding import save
from postrender.commands.options import FILTER_SETTINGS, add_arguments, chosen
from postrender.commands.output import add_output, structured, write
from postrender.commands.parsers import command_parser
from postrender.commands.progress import progress
from postrender.commands.rendering import add_value_flags, rendered, value_arguments
from postrender.commands.session import caller_of, policy_of, sources_of
from postrender.errors import UsageError
from postrender.helm.invocation import Action
from postrender.live import Unknown
from postrender.pipeline import Planned, plan_stream, require_known
from postrender.plan.facts import upgraded_from
from postrender.program import Program
from postrender.record import replace
from postrender.report.view import View
from postrender.source import Source
from postrender.splice import splice

DESCRIPTION = """\
Show what the filter and Helm will do to each object, before either does
anything: whose it is, what will be live, what will be stored, what to type.

  postrender plan ./chart --release shop -n prod --values prod.yaml
  postrender plan ./chart --release shop -n prod -o markdown > comment.md
  helm template shop ./chart -n prod | postrender plan - --release shop -n prod
"""

EPILOG = """\
exit codes: 0 nothing to do, 10 something will be done, 4 it would be refused,
            2 bad usage, 3 unreadable manifests, 5 the cluster cannot be asked
"""

USAGE = """postrender plan CHART [FLAG ...] [-- FLAG OF HELM TEMPLATE ...]
       postrender plan -f STREAM [FLAG ...]
       postrender plan - [FLAG ...] < STREAM"""

EXIT = {"nothing": 0, "something": 10, "refused": 4}

_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name != "quiet")


def main(arguments: list[str]) -> int:
    """Show one plan; raises PostrenderError."""
    ours, rest = _parted(arguments)
    options = parser().parse_args(ours)
    if (options.chart is None) == (options.file is None):
        raise UsageError("one thing is planned: a chart, -f STREAM, or - for stdin", next="postrender plan --help")
    if rest and not _chart(options):
        raise UsageError("flags behind -- are for helm template, and no chart is given", where=" ".join(rest))
    values = chosen(options, _SETTINGS, os.environ)
    policy = policy_of({**values, "quiet": None})
    digests = redact.digests(os.environ)
    helm = _helm(options)
    caller = _told(caller_of(options), helm)
    sources = sources_of(caller, values, policy, only_reads=True)
    with progress("asking what is stored"):
        caller = _guessed(caller, sources.source)
    data = _stream(options, rest, helm, caller, sources.source)
    with progress("looking up what is live"):
        planned = plan_stream(data, caller.invocation, policy, sources.source, whole=True)
    splice(planned.manifest, planned.plan.edits)
    with progress("comparing"):
        shown = _view(planned, caller, sources.source, digests)
    if options.save and shown.outcome != "refused":
        save(options.save, shown)
    write(_output(shown, options, _commands(options, caller, values)))
    return EXIT[shown.outcome]


def parser() -> argparse.ArgumentParser:
    """What is planned, how it is shown, and all that the filter takes."""
    made = command_parser("plan", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    made.add_argument("chart", nargs="?", metavar="CHART", help="a chart as helm takes it, or - for a stream on stdin")
    made.add_argument("-f", "--file", metavar="STREAM", help="a file of rendered manifests; - is stdin")
    made.add_argument("--helm", metavar="PATH", help="the Helm that renders the chart (default: the one on PATH)")
    add_output(made, "markdown", "html")
    made.add_argument(
        "--save", metavar="FILE", help="keep the plan, unless it is refused, so that the filter is held to it (--plan)"
    )
    made.add_argument("--quiet", action="store_true", help="one line for each object")
    made.add_argument("--verbose", action="store_true", help="show what stays as it is, and what is stored, too")
    made.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        metavar="WHEN",
        help="auto (on a terminal), always, never",
    )
    add_value_flags(made)
    add_arguments(made, "what is planned", _SETTINGS, positional=True)
    add_arguments(made, "who will call (default: an installation, or an upgrade)", SETTINGS, positional=True)
    return made


def _parted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and those behind ``--``."""
    if "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _chart(options: argparse.Namespace) -> str | None:
    return None if options.chart in (None, "-") else str(options.chart)


def _helm(options: argparse.Namespace) -> Program | None:
    """The Helm that renders; for a stream, the one that is named, if only for its version."""
    if not _chart(options) and not options.helm:
        return None
    return program.find(options.helm, os.environ)


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
    if _chart(options):
        assert helm is not None
        with progress(f"rendering {options.chart}"):
            return rendered(helm, options, rest, caller, source)
    if options.file not in (None, "-"):
        try:
            return Path(options.file).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=options.file) from error
    if sys.stdin.isatty():
        raise UsageError("manifests are expected on stdin, and stdin is a terminal", next="postrender plan --help")
    return sys.stdin.buffer.read()


def _view(planned: Planned, caller: Caller, source: Source | None, digests: redact.Digests) -> View:
    from postrender.report.build import view

    return view(planned.plan, planned.facts, about_of(caller, planned.facts, source), digests)


def _output(shown: View, options: argparse.Namespace, commands: Sequence[str]) -> str:
    if options.output in ("json", "yaml"):
        from postrender.report.json import plan_json

        return structured(plan_json(shown), options.output)
    if options.output == "markdown":
        from postrender.report.markdown import plan_markdown

        return plan_markdown(shown, commands)
    if options.output == "html":
        from postrender.report.html import plan_html

        return plan_html(shown, commands)
    from postrender.report.paint import paint
    from postrender.report.terminal import NORMAL, QUIET, VERBOSE, plan_text

    detail = QUIET if options.quiet else VERBOSE if options.verbose else NORMAL
    return plan_text(shown, paint(options.color, sys.stdout.isatty(), os.environ), detail, commands)


def _commands(options: argparse.Namespace, caller: Caller, values: Mapping[str, Value | None]) -> tuple[str, ...]:
    """The call that carries the plan out; values of the chart are left out, since they may be secret."""
    import shlex

    invocation = caller.invocation
    if invocation.action is Action.TEMPLATE or invocation.release is None:
        return ()
    verb = "upgrade" if invocation.action is Action.UPGRADE else "install"
    chart = shlex.quote(_chart(options) or "CHART")
    said = f"helm {verb} {invocation.release.name} {chart} -n {invocation.release.namespace}"
    further = "   (with the same values)" if value_arguments(options) else ""
    asked = "".join(
        f" --post-renderer-args=--{name.replace('_', '-')}={','.join(given) if isinstance(given, tuple) else given}"
        for name in ("adopt", "on_drift", "allow")
        if (given := values[name])
    )
    if options.save:
        asked += f" --post-renderer-args=--plan={shlex.quote(os.path.abspath(options.save))}"
    return (f"{said} --post-renderer postrender{asked}{further}",)
