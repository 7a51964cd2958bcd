"""``postrender orphans``: kept objects whose release is gone."""

from __future__ import annotations

import argparse
import os

from postrender.cli.arguments import CONNECTION_SETTINGS, add_arguments, flags
from postrender.cli.console import add_terminal, chosen_paint, progress
from postrender.cli.output import add_output, structured, write
from postrender.cli.parsers import command_parser
from postrender.errors import ClusterError, UsageError
from postrender.operations.orphans import LABELLED, Scope, Search, search
from postrender.report.orphans import Typing, orphans_data, orphans_text
from postrender.settings import find
from postrender.settings.connection import reached

DESCRIPTION = """\
Find objects that releases left behind: their ownership metadata names a release
of which nothing is stored any more. Nothing is written.

  postrender orphans -n shop
  postrender orphans --all-namespaces
  postrender orphans -A -o json | jq -r '.orphans[].commands.delete'

Every kind that you may list is looked at, by metadata only. Where it cannot be
told whether a release lives, its objects are counted and not called orphans.
An object counts as Helm's by its label app.kubernetes.io/managed-by=Helm, as it
does for Helm; what a controller made of another object goes with that one.
"""

EPILOG = """\
exit codes: 0 no orphan, 10 orphans were found, 2 bad usage,
            5 something could not be told (kinds you may not list do not count)
"""


def main(arguments: list[str]) -> int:
    """Search, and print what was found; raises PostrenderError."""
    options = parser().parse_args(arguments)
    caller = find(flags(options, CONNECTION_SETTINGS), os.environ)
    namespace = "" if options.all_namespaces else caller.namespace
    if namespace is None:
        raise UsageError("the namespace cannot be told", next=("--namespace NAMESPACE", "--all-namespaces"))
    scope = Scope(namespace, "" if options.unlabelled else LABELLED, caller.invocation.driver)
    cluster = reached(caller)
    with progress("listing releases", quiet=options.quiet) as show:
        found = search(
            cluster, scope, lambda objects, kinds: show(f"{objects:,} objects looked at, kinds to go: {kinds}")
        )
    typing = Typing(cluster)
    if options.output != "text":
        write(structured(orphans_data(found, cluster.description, namespace, typing), options.output))
    elif options.quiet:
        write("".join(f"{each.name}\n" for each in found.orphans))
    else:
        where = f"{'namespace ' + namespace if namespace else 'all namespaces'}, {cluster.description}"
        write(orphans_text(found, where, typing, chosen_paint(options)), coloured=chosen_paint(options).on)
    return _exit_code(found)


def parser() -> argparse.ArgumentParser:
    """Where to search, and how it is told."""
    made = command_parser("orphans", DESCRIPTION, epilog=EPILOG)
    made.add_argument("--all-namespaces", "-A", action="store_true", help="search all namespaces")
    made.add_argument(
        "--unlabelled",
        action="store_true",
        help="look at every object there is, and so find those too that lost Helm's label; takes longer",
    )
    add_output(made)
    add_terminal(made, "print the orphans' names and nothing else")
    add_arguments(made, "where to search (default: where Helm would)", CONNECTION_SETTINGS, positional=True)
    return made


def _exit_code(found: Search) -> int:
    if found.undecided or found.failed:
        return ClusterError.exit_code
    return 10 if found.orphans else 0
