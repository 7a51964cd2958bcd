"""``postrender plan``: what the filter and Helm will do to each object, before either does anything."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence

from postrender import redact
from postrender._record import replace
from postrender.cli.console import add_terminal, chosen_paint, progress
from postrender.cli.hints import in_findings, of_call, of_command
from postrender.cli.output import add_detailed_exitcode, add_output, found_code, show
from postrender.cli.parsers import command_parser, parted
from postrender.cli.plan_inputs import Planning, add_planning, add_settings, helm_command, parse, planning
from postrender.cli.run_info import about_of
from postrender.cli.saved_plan import save
from postrender.errors import Refused
from postrender.helm.invocation import Action
from postrender.planner.view import View
from postrender.report.plan_formats import FORMATS, PlanReport
from postrender.report.terminal import NORMAL, QUIET, VERBOSE
from postrender.settings.connection import connection_flags
from postrender.text import one_line, to_stderr

DESCRIPTION = """\
Show what the filter and Helm will do to each object, without changing
anything: its owner, the live object afterwards, and the command to run.

  postrender plan shop ./chart -n prod -f prod.yaml
  postrender plan shop ./chart -n prod -f prod.yaml -o markdown > comment.md
  helm template shop ./chart -n prod | postrender plan - --release shop -n prod
"""

EPILOG = """\
exit codes: 0 planned; with --detailed-exitcode 10 if something would change,
            4 the run would be refused, 2 bad usage, 3 invalid manifests,
            5 the API server cannot be reached
"""

USAGE = """postrender plan RELEASE CHART [FLAG ...] [FLAG OF HELM UPGRADE ...]
       postrender plan --manifests FILE --release NAME [FLAG ...]
       postrender plan - --release NAME [FLAG ...] < MANIFESTS"""


def main(arguments: list[str]) -> int:
    """Show one plan; raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parse(parser(), ours, rest)
    digests = redact.digests(os.environ)
    made = planning(options)
    with progress("comparing"):
        shown = _view(made, digests)
    if options.save and shown.outcome == "blocked":
        to_stderr(f"postrender: no plan is kept in {one_line(options.save)}, since an object is blocked\n")
    elif options.save:
        save(options.save, shown)
    commands = _commands(options, made)
    show(options, FORMATS, _report(_whole(shown, commands, arguments), options, commands))
    if shown.outcome == "blocked":
        return Refused.exit_code
    return found_code(options, found=shown.outcome == "change")


def parser() -> argparse.ArgumentParser:
    """What is planned, how it is shown, and all that the filter takes."""
    made = command_parser("plan", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    add_planning(made)
    add_output(made, FORMATS)
    made.add_argument("--save", metavar="FILE", help="save the plan for the filter's --plan, unless it is refused")
    add_terminal(made, "show unchanged objects, changes of the manifest, and where each setting comes from")
    add_detailed_exitcode(made, "something would change")
    add_settings(made)
    made.set_defaults(command="plan")
    return made


def _view(made: Planning, digests: redact.Digests) -> View:
    from postrender.planner.build_view import view

    facts = made.planned.facts
    return view(made.planned.plan, facts, about_of(made.caller, facts, made.source), digests)


def _report(shown: View, options: argparse.Namespace, commands: Sequence[str]) -> PlanReport:
    detail = QUIET if options.quiet else VERBOSE if options.verbose else NORMAL
    file = options.manifests if options.manifests not in (None, "-") else ""
    return PlanReport(shown, commands, chosen_paint(options), detail, file)


def _whole(shown: View, commands: Sequence[str], arguments: Sequence[str]) -> View:
    """The plan with its hints as whole commands: those of Helm's, and of this one."""

    def whole(steps: Sequence[str]) -> tuple[str, ...]:
        return of_command(of_call(steps, shlex.split(commands[0]) if commands else ()), "plan", arguments)

    return replace(shown, objects=in_findings(shown.objects, whole))


def _commands(options: argparse.Namespace, made: Planning) -> tuple[str, ...]:
    """The call that carries the plan out, as far as the chart is known."""
    invocation = made.caller.invocation
    if invocation.action is Action.TEMPLATE or invocation.release is None:
        return ()
    verb = "install" if invocation.action is Action.INSTALL else "upgrade"
    if invocation.action is Action.UPGRADE_INSTALL and "--install" not in options.helm_flags:
        options.helm_flags.append("--install")
    options.release = invocation.release.name
    text = helm_command(options, verb, invocation.release.namespace, connection_flags(made.caller))
    asked = "".join(
        " --post-renderer-args="
        + shlex.quote(f"--{name.replace('_', '-')}={','.join(given) if isinstance(given, tuple) else given}")
        for name in ("adopt", "on_drift", "keep_live", "allow")
        if (given := made.values[name])
    )
    if options.save:
        asked += f" --post-renderer-args=--plan={shlex.quote(os.path.abspath(options.save))}"
    return (f"{text} --post-renderer postrender{asked}",)
