"""``postrender forget``: a release out of Helm's storage, with its objects left alone, and back."""

from __future__ import annotations

import argparse
import os
import shlex

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import NOTHING, add_terminal, chosen_paint, confirm, progress, require_answerable
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_output, show
from postrender.cli.parsers import command_parser
from postrender.cli.recorded import Writing, done_with, keep_record, note_other_cluster, read_record
from postrender.errors import UsageError
from postrender.operations.forget import carry_out, plan_forget, plan_restore, record_of, restore
from postrender.operations.unfinished import unfinished
from postrender.report.forget import FORMATS, ForgetReport, record_bytes, record_from
from postrender.settings import find
from postrender.settings.connection import connection_flags, reached
from postrender.settings.table import Flags
from postrender.text import Hint, to_stderr

DESCRIPTION = """\
Stop managing resources with Helm without deleting them: delete the stored
revisions of a release, and leave its objects running, without an owner.

  postrender forget shop -n prod --dry-run
  postrender forget shop -n prod
  postrender forget --undo record.json

Unlike helm uninstall, no object is deleted and no hook is run. Objects lose
their ownership metadata, so that another tool can manage them, or another
release adopt them (--adopt=unmanaged); --keep-metadata leaves it, for
--adopt=orphans. A record with all revisions goes into a file first; --undo
brings the release back. If the command is interrupted, run it again.
"""

EPILOG = """\
exit codes: 0 done, 2 bad usage, 4 refused or not agreed to,
            5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Forget a release, or bring it back; raises PostrenderError."""
    options = parser().parse_args(arguments)
    if bool(options.name) == bool(options.undo):
        raise UsageError(
            "name a release, or the record to be undone",
            next="postrender forget --help",
        )
    if not options.dry_run:
        require_answerable(yes=options.yes)
    given = flags(options, CONNECTION_SETTINGS)
    return _undo(options, given) if options.undo else _forget(options, given)


def parser() -> argparse.ArgumentParser:
    """A release, or a record."""
    made = command_parser("forget", DESCRIPTION, epilog=EPILOG)
    made.add_argument("name", nargs="?", metavar="RELEASE", help="the release")
    made.add_argument("--keep-metadata", action="store_true", help="leave the ownership metadata on the objects")
    made.add_argument("--undo", metavar="FILE", help="bring the release back from this record")
    made.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    made.add_argument("--yes", "-y", action="store_true", help="write without asking")
    made.add_argument(
        "--record", metavar="FILE", help="a new file for the record (default: one in the user's state folder)"
    )
    add_output(made, FORMATS)
    add_terminal(made, "show every write", NOTHING)
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made


def _forget(options: argparse.Namespace, given: Flags) -> int:
    caller = find(replace(given, release=release_name(options.name)), os.environ)
    release = caller.invocation.release
    if release is None:
        raise no_namespace(caller)
    driver = caller.invocation.driver
    cluster = reached(caller)
    name = f"{release.namespace}-{release.name}"
    with unfinished("forget", name, cluster.description, os.environ) as notes:
        file = notes.record()
        begun = read_record(file, record_from, "forget") if file and os.path.exists(file) else None
        if begun and cluster.get_revisions(release, manifest=False, driver=driver) == ():
            # It was interrupted after its last write.
            notes.end(file)
            report = ForgetReport(release, (), (), cluster, chosen_paint(options))
            show(options, FORMATS, report)
            return 0
        with progress("looking at the release", quiet=options.quiet):
            plan = plan_forget(cluster, release, driver, keep_metadata=options.keep_metadata)
        names = tuple(each.live.key.name for each in plan.revisions)
        report = ForgetReport(release, plan.changes, names, cluster, chosen_paint(options), dry_run=options.dry_run)
        if options.dry_run:
            show(options, FORMATS, report)
            return 0
        if not options.yes:
            to_stderr(report.text())
            confirm(f"delete the stored revisions of release {release} in {cluster.description}?", yes=False)
        data = record_bytes(record_of(plan, cluster.description, driver, begun))
        file = keep_record(data, options.record or "", file if begun else "", "forget", name)
        notes.begin(file)
        back = f"postrender forget --undo {shlex.quote(file)}{connection_flags(caller)}"
        with Writing(options, Hint(back, "to undo what was written")) as writing:
            carry_out(cluster, plan, writing.done)
        notes.end(file)
    done_with(options, FORMATS, replace(report, record=file, hints=(Hint(back, "to bring the release back"),)))
    return 0


def _undo(options: argparse.Namespace, given: Flags) -> int:
    record = read_record(options.undo, record_from, "forget")
    caller = find(given, os.environ)
    cluster = reached(caller)
    note_other_cluster(options, cluster, record.cluster)
    release = record.release
    with unfinished("forget", f"{release.namespace}-{release.name}", cluster.description, os.environ) as notes:
        with progress("looking at the release", quiet=options.quiet):
            plan = plan_restore(cluster, record)
        names = tuple(body["metadata"]["name"] for body in plan.revisions)
        report = ForgetReport(
            release, plan.changes, names, cluster, chosen_paint(options), undoing=True, dry_run=options.dry_run
        )
        if report.nothing or options.dry_run:
            show(options, FORMATS, report)
            if not options.dry_run:
                notes.end(options.undo)
            return 0
        if not options.yes:
            to_stderr(report.text())
            confirm(f"bring release {release} back in {cluster.description}?", yes=False)
        with Writing(options) as writing:
            restore(cluster, plan, writing.done)
        notes.end(options.undo)
    done_with(options, FORMATS, replace(report, record=options.undo))
    return 0
