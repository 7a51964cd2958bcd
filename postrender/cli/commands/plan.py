"""``postrender plan``: what the filter and Helm will do to each object, before either does anything."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from postrender import redact
from postrender.cli.console import chosen_paint, progress
from postrender.cli.output import add_output, structured, write
from postrender.cli.parsers import command_parser, parted
from postrender.cli.plan_inputs import Planning, add_planning, add_settings, chart_of, planning, value_arguments
from postrender.cli.run_info import about_of
from postrender.cli.saved_plan import save
from postrender.helm.invocation import Action
from postrender.planner.view import View
from postrender.text import one_line, to_stderr

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


def main(arguments: list[str]) -> int:
    """Show one plan; raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    digests = redact.digests(os.environ)
    made = planning(options, rest)
    with progress("comparing"):
        shown = _view(made, digests)
    if options.save and shown.outcome == "refused":
        to_stderr(f"postrender: no plan is kept in {one_line(options.save)}, since this one would be refused\n")
    elif options.save:
        save(options.save, shown)
    write(
        _output(shown, options, _commands(options, made)),
        coloured=options.output == "text" and chosen_paint(options).on,
    )
    return EXIT[shown.outcome]


def parser() -> argparse.ArgumentParser:
    """What is planned, how it is shown, and all that the filter takes."""
    made = command_parser("plan", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    add_planning(made)
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
    add_settings(made)
    made.set_defaults(command="plan")
    return made


def _view(made: Planning, digests: redact.Digests) -> View:
    from postrender.planner.build_view import view

    facts = made.planned.facts
    return view(made.planned.plan, facts, about_of(made.caller, facts, made.source), digests)


def _output(shown: View, options: argparse.Namespace, commands: Sequence[str]) -> str:
    if options.output in ("json", "yaml"):
        from postrender.planner.view_json import plan_json

        return structured(plan_json(shown), options.output)
    if options.output == "markdown":
        from postrender.report.markdown import plan_markdown

        return plan_markdown(shown, commands)
    if options.output == "html":
        from postrender.report.html import plan_html

        return plan_html(shown, commands)
    from postrender.report.terminal import NORMAL, QUIET, VERBOSE, paint, plan_text

    detail = QUIET if options.quiet else VERBOSE if options.verbose else NORMAL
    return plan_text(shown, paint(options.color, os.environ, terminal=sys.stdout.isatty()), detail, commands)


def _commands(options: argparse.Namespace, made: Planning) -> tuple[str, ...]:
    """The call that carries the plan out; values of the chart are left out, since they may be secret."""
    import shlex

    invocation = made.caller.invocation
    if invocation.action is Action.TEMPLATE or invocation.release is None:
        return ()
    verb = "upgrade" if invocation.action is Action.UPGRADE else "install"
    chart = shlex.quote(chart_of(options) or "CHART")
    command = f"helm {verb} {invocation.release.name} {chart} -n {invocation.release.namespace}"
    further = "   (with the same values)" if value_arguments(options) else ""
    asked = "".join(
        f" --post-renderer-args=--{name.replace('_', '-')}={','.join(given) if isinstance(given, tuple) else given}"
        for name in ("adopt", "on_drift", "allow")
        if (given := made.values[name])
    )
    if options.save:
        asked += f" --post-renderer-args=--plan={shlex.quote(os.path.abspath(options.save))}"
    return (f"{command} --post-renderer postrender{asked}{further}",)
