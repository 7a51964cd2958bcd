"""``postrender move``: objects from one release to another, and back."""

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
from postrender.cluster.client import Cluster
from postrender.errors import UsageError
from postrender.models import ReleaseName
from postrender.operations.move import (
    MoveRecord,
    Request,
    carry_out,
    plan_move,
    plan_undo,
    record_of,
    undo,
)
from postrender.operations.unfinished import unfinished
from postrender.report.move import FORMATS, MoveReport, record_bytes, record_from
from postrender.settings import find
from postrender.settings.connection import connection_flags, reached
from postrender.settings.table import Flags
from postrender.text import Hint, counted, to_stderr

DESCRIPTION = """\
Move objects from one Helm release to another without deleting or recreating
them. They leave the stored manifests of the first release, and get the
ownership metadata of the second one, which may be installed later.

  postrender move configmaps/settings --from shop --to web -n shop
  postrender move 'configmaps/web-*' secret/login --from shop --to web -n shop
  postrender move --selector app=web --from shop --to web -n shop --dry-run
  postrender move --undo record.json

Name objects as in messages, or as for kubectl; a kind alone means all of its
objects, and patterns are those of a shell. A record of what was there goes into
a file first; --undo restores it. If the command is interrupted, run it again.
"""

EPILOG = """\
exit codes: 0 done, 2 bad usage, 4 refused or not agreed to,
            5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Move objects, or undo a move; raises PostrenderError."""
    options = parser().parse_intermixed_args(arguments)
    chosen = bool(options.objects or options.all or options.selector)
    if options.undo:
        if chosen or options.source or options.goal:
            raise UsageError(
                "the record names the objects", where="--undo", next=f"postrender move --undo {options.undo}"
            )
    elif not (chosen and options.source and options.goal):
        raise UsageError(
            "name objects and both releases, or the record to be undone",
            next="postrender move --help",
        )
    if not options.dry_run:
        require_answerable(yes=options.yes)
    given = flags(options, CONNECTION_SETTINGS)
    return _undo(options, given) if options.undo else _move(options, given)


def parser() -> argparse.ArgumentParser:
    """Objects and two releases, or a record."""
    made = command_parser("move", DESCRIPTION, epilog=EPILOG)
    made.add_argument(
        "objects", nargs="*", metavar="OBJECT", help="such as deployment/web, secrets, 'configmaps/web-*'"
    )
    made.add_argument("--from", dest="source", metavar="RELEASE", help="the release that has the objects")
    made.add_argument("--to", dest="goal", metavar="RELEASE", help="the release that gets them")
    made.add_argument("--to-namespace", metavar="NAMESPACE", help="its namespace (default: that of --namespace)")
    made.add_argument("--all", action="store_true", help="move every object of the release")
    made.add_argument("--selector", "-l", metavar="LABELS", default="", help="move objects with these live labels")
    made.add_argument(
        "--newest",
        action="store_true",
        help="rewrite only the newest revision and the deployed one; a rollback to another one takes the objects back",
    )
    made.add_argument("--undo", metavar="FILE", help="restore what was there from this record")
    made.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    made.add_argument("--yes", "-y", action="store_true", help="write without asking")
    made.add_argument(
        "--record", metavar="FILE", help="a new file for the record (default: one in the user's state folder)"
    )
    add_output(made, FORMATS)
    add_terminal(made, "show every write", NOTHING)
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made


def _move(options: argparse.Namespace, given: Flags) -> int:
    caller = find(replace(given, release=release_name(options.source)), os.environ)
    source = caller.invocation.release
    if source is None:
        raise no_namespace(caller)
    goal = ReleaseName(options.to_namespace or source.namespace, release_name(options.goal))
    if goal == source:
        raise UsageError(f"the objects are in release {source} already", where="--to")
    driver = caller.invocation.driver
    cluster = reached(caller)
    request = Request(source, goal, driver, tuple(options.objects), options.selector, options.all, options.newest)
    name = f"{source.namespace}-{source.name}-to-{goal.namespace}-{goal.name}"
    with unfinished("move", name, cluster.description, os.environ) as notes:
        file = notes.record()
        begun = _begun(file)
        with progress("looking at the objects", quiet=options.quiet):
            plan = plan_move(cluster, request, begun)
        report = MoveReport(plan, cluster, chosen_paint(options), dry_run=options.dry_run)
        if plan.nothing or options.dry_run:
            show(options, FORMATS, report)
            if not options.dry_run and begun:
                notes.end(file)
            return 0
        _ask(options, report, f"move {counted(len(plan.changes), 'object')}", cluster)
        data = record_bytes(record_of(plan, cluster.description, driver, begun))
        file = keep_record(data, options.record or "", file if begun else "", "move", name)
        notes.begin(file)
        back = f"postrender move --undo {shlex.quote(file)}{connection_flags(caller)}"
        with Writing(options, Hint(back, "to undo what was written")) as writing:
            carry_out(cluster, plan, driver, writing.done)
        notes.end(file)
    done_with(options, FORMATS, replace(report, record=file, hints=(Hint(back, "to undo the move"),)))
    return 0


def _undo(options: argparse.Namespace, given: Flags) -> int:
    record = read_record(options.undo, record_from, "move")
    caller = find(given, os.environ)
    cluster = reached(caller)
    note_other_cluster(options, cluster, record.cluster)
    source, goal = record.source, record.goal
    name = f"{source.namespace}-{source.name}-to-{goal.namespace}-{goal.name}"
    with unfinished("move", name, cluster.description, os.environ) as notes:
        with progress("looking at the objects", quiet=options.quiet):
            plan = plan_undo(cluster, record)
        report = MoveReport(plan, cluster, chosen_paint(options), undoing=True, dry_run=options.dry_run)
        if plan.nothing or options.dry_run:
            show(options, FORMATS, report)
            if not options.dry_run:
                notes.end(options.undo)
            return 0
        _ask(options, report, f"undo the move of {counted(len(plan.changes), 'object')}", cluster)
        with Writing(options) as writing:
            undo(cluster, plan, writing.done)
        notes.end(options.undo)
    done_with(options, FORMATS, replace(report, record=options.undo))
    return 0


def _ask(options: argparse.Namespace, report: MoveReport, what: str, cluster: Cluster) -> None:
    if not options.yes:
        to_stderr(report.text())
        confirm(f"{what} in {cluster.description}?", yes=False)


def _begun(file: str) -> MoveRecord | None:
    """The record of an interrupted move, ``None`` for none; a record that is gone cannot be gone on with."""
    return read_record(file, record_from, "move") if file and os.path.exists(file) else None
