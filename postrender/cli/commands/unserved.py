"""``postrender unserved RELEASE``: stored objects of removed APIs, in every revision, and their repair."""

from __future__ import annotations

import argparse
import os

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import add_terminal, chosen_paint, progress
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_detailed_exitcode, add_output, found_code, show
from postrender.cli.parsers import command_parser
from postrender.operations.stored_revisions import backup_path
from postrender.operations.unserved import find_unserved, fix, require_fixable
from postrender.report.unserved import FORMATS, UnservedReport
from postrender.settings import find
from postrender.settings.connection import reached

DESCRIPTION = """\
Find stored objects whose apiVersion the API server no longer serves. They make
every helm upgrade fail: "unable to build kubernetes objects from current
release manifest".

  postrender unserved shop -n prod
  postrender unserved shop -n prod --fix

--fix writes the served apiVersion of the same kind into every stored revision,
and removes objects of kinds that no longer exist. Only the stored revisions
change, guarded by their resourceVersion, and a copy goes into a file first.
Live objects are not changed.
"""

EPILOG = """\
exit codes: 0 compared or fixed; with --detailed-exitcode 10 if a stored API is
            not served and was not fixed, 2 bad usage, 4 objects that still
            exist could not be kept, 5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Look at one release, and with ``--fix`` rewrite its revisions; raises PostrenderError."""
    options = parser().parse_args(arguments)
    caller = find(replace(flags(options, CONNECTION_SETTINGS), release=release_name(options.name)), os.environ)
    release = caller.invocation.release
    if release is None:
        raise no_namespace(caller)
    cluster = reached(caller)
    with progress(f"looking at release {release}", quiet=options.quiet):
        found = find_unserved(cluster, release, caller.invocation.driver)
    backup = ""
    if options.fix:
        require_fixable(found)
        if found.affected and not options.dry_run:
            backup = options.backup or backup_path(release, os.environ)
            fix(cluster, found, backup)
    paint = chosen_paint(options)
    show(options, FORMATS, UnservedReport(found, cluster, paint, backup, options.dry_run, options.verbose))
    return found_code(options, found=bool(found.affected) and not backup)


def parser() -> argparse.ArgumentParser:
    """A release, and what is to be done about it."""
    made = command_parser("unserved", DESCRIPTION, epilog=EPILOG)
    made.add_argument("name", metavar="RELEASE", help="the release")
    made.add_argument("--fix", action="store_true", help="write the served apiVersion into every stored revision")
    made.add_argument("--dry-run", action="store_true", help="with --fix: show the changes and write nothing")
    made.add_argument(
        "--backup", metavar="PATH", help="the file for the old payloads (default: one in the user's state folder)"
    )
    add_output(made, FORMATS, alias="text")
    add_terminal(made, "show revisions whose APIs are all served, too")
    add_detailed_exitcode(made, "a stored API is not served")
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made
