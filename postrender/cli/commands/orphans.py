"""``postrender orphans``: kept objects whose release is gone."""

from __future__ import annotations

import argparse
import os

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags
from postrender.cli.console import add_terminal, chosen_paint, progress
from postrender.cli.hints import of_command
from postrender.cli.output import add_detailed_exitcode, add_output, found_code, show
from postrender.cli.parsers import command_parser
from postrender.errors import ClusterError, UsageError
from postrender.models import Unknown
from postrender.operations.orphans import LABELLED, Scope, search
from postrender.report.orphans import FORMATS, OrphansReport, Typing
from postrender.settings import find
from postrender.settings.connection import reached
from postrender.text import Advice

DESCRIPTION = """\
Find objects of uninstalled releases: their ownership metadata names a release
that is no longer stored. Nothing is written.

  postrender orphans -n shop
  postrender orphans --all-namespaces
  postrender orphans -A -o json | jq -r '.orphans[].commands.delete'

All kinds that you may list are searched, by metadata only. If a release cannot
be looked up, its objects are counted separately, not as orphans. As for Helm,
objects with the label app.kubernetes.io/managed-by=Helm count; objects that a
controller created belong to their owner.
"""

EPILOG = """\
exit codes: 0 searched; with --detailed-exitcode 10 if there are orphans,
            2 bad usage, 5 a request failed (kinds that you may not list do not
            count)
"""


def main(arguments: list[str]) -> int:
    """Search, and print what was found; raises PostrenderError."""
    options = parser().parse_args(arguments)
    caller = find(flags(options, CONNECTION_SETTINGS), os.environ)
    namespace = "" if options.all_namespaces else caller.namespace
    if namespace is None:
        raise UsageError(
            "namespace required", next=("--all-namespaces", Advice("or add --namespace with one namespace"))
        )
    scope = Scope(namespace, "" if options.unlabelled else LABELLED, caller.invocation.driver)
    cluster = reached(caller)
    with progress("listing releases", quiet=options.quiet) as update:
        found = search(
            cluster, scope, lambda objects, kinds: update(f"{objects:,} objects looked at, kinds to go: {kinds}")
        )
    found = replace(
        found,
        undecided=tuple(replace(each, why=_whole(each.why, arguments)) for each in found.undecided),
        failed=tuple((name, _whole(why, arguments)) for name, why in found.failed),
    )
    further = [*([] if namespace else ["--all-namespaces"]), *(["--unlabelled"] if options.unlabelled else [])]
    details = f"{cluster.typed(' '.join(['postrender orphans', *further]), namespace)} --verbose"
    report = OrphansReport(
        found,
        cluster.description,
        namespace,
        Typing(cluster),
        chosen_paint(options),
        "" if options.verbose else details,
    )
    show(options, FORMATS, report)
    if found.undecided or found.failed:
        return ClusterError.exit_code
    return found_code(options, found=bool(found.orphans))


def _whole(why: Unknown, arguments: list[str]) -> Unknown:
    return replace(why, next=of_command(why.next, "orphans", arguments))


def parser() -> argparse.ArgumentParser:
    """Where to search, and how it is told."""
    made = command_parser("orphans", DESCRIPTION, epilog=EPILOG)
    made.add_argument("--all-namespaces", "-A", action="store_true", help="search all namespaces")
    made.add_argument(
        "--unlabelled",
        action="store_true",
        help="search all objects, including those without Helm's label; slower",
    )
    add_output(made, FORMATS, alias="text")
    add_terminal(made, "show the commands that adopt or delete what was found")
    add_detailed_exitcode(made, "there are orphans")
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made
