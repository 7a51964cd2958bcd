"""``postrender rename``: the stored revisions and the objects of a release under another name."""

from __future__ import annotations

import argparse
import os

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import NOTHING, add_terminal, chosen_paint, confirm, progress, require_answerable
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_output, show
from postrender.cli.parsers import command_parser
from postrender.cli.recorded import Writing, done_with
from postrender.errors import UsageError
from postrender.models import ReleaseName
from postrender.operations.rename import carry_out, plan_rename
from postrender.operations.stored_revisions import back_up, backup_path
from postrender.operations.unfinished import unfinished
from postrender.report.rename import FORMATS, RenameReport
from postrender.settings import find
from postrender.settings.connection import reached
from postrender.text import Hint, to_stderr

DESCRIPTION = """\
Rename a Helm release: store all of its revisions under the new name, and give
its objects the new ownership metadata. No object is deleted or recreated.

  postrender rename shop store -n prod --dry-run
  postrender rename shop store -n prod

Refused if names of objects contain the release's name and the chart may use it,
because the next upgrade would create new objects and delete these. If only
other fields do, --with-changes renames the release all the same. A copy of the
old revisions goes into a file first. If the command is interrupted, run it
again; to undo it, rename the release back.
"""

EPILOG = """\
exit codes: 0 done, 2 bad usage, 4 refused or not agreed to,
            5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Rename a release; raises PostrenderError."""
    options = parser().parse_args(arguments)
    if not options.dry_run:
        require_answerable(yes=options.yes)
    caller = find(replace(flags(options, CONNECTION_SETTINGS), release=release_name(options.name)), os.environ)
    old = caller.invocation.release
    if old is None:
        raise no_namespace(caller)
    new = ReleaseName(options.to_namespace or old.namespace, release_name(options.new))
    if new == old:
        raise UsageError("the release has that name already", where=f"release {old}")
    driver = caller.invocation.driver
    cluster = reached(caller)
    with unfinished("rename", f"{old.namespace}-{old.name}", cluster.description, os.environ):
        with progress("looking at the release", quiet=options.quiet):
            plan = plan_rename(cluster, old, new, driver, with_changes=options.with_changes)
        report = RenameReport(plan, cluster, chosen_paint(options), dry_run=options.dry_run)
        if options.dry_run:
            show(options, FORMATS, report)
            return 0
        if not options.yes:
            to_stderr(report.text())
            confirm(f"rename release {old} to {new} in {cluster.description}?", yes=False)
        backup = ""
        if plan.stored:
            backup = options.backup or backup_path(old, os.environ)
            back_up(plan.stored, backup)
        with Writing(options) as writing:
            carry_out(cluster, plan, writing.done)
    elsewhere = f" --to-namespace {old.namespace}" if old.namespace != new.namespace else ""
    changes = " --with-changes" if plan.differences else ""
    undo = cluster.typed(f"postrender rename {new.name} {old.name}{elsewhere}{changes}", new.namespace)
    done_with(options, FORMATS, replace(report, written=True, backup=backup, hints=(Hint(undo, "to undo it"),)))
    return 0


def parser() -> argparse.ArgumentParser:
    """Two names."""
    made = command_parser("rename", DESCRIPTION, epilog=EPILOG)
    made.add_argument("name", metavar="RELEASE", help="the release")
    made.add_argument("new", metavar="NEW", help="its new name")
    made.add_argument("--to-namespace", metavar="NAMESPACE", help="its new namespace; its objects stay in theirs")
    made.add_argument(
        "--with-changes", action="store_true", help="rename it though the next upgrade changes fields of its objects"
    )
    made.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    made.add_argument("--yes", "-y", action="store_true", help="write without asking")
    made.add_argument(
        "--backup", metavar="PATH", help="the file for the old revisions (default: one in the user's state folder)"
    )
    add_output(made, FORMATS)
    add_terminal(made, "show every write", NOTHING)
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made
