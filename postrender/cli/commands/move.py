"""``postrender move``: objects from one release to another, and back."""

from __future__ import annotations

import argparse
import os
import shlex
import time

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import NOTHING, add_terminal, chosen_paint, confirm, progress, require_answerable
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_output, show, write
from postrender.cli.parsers import command_parser
from postrender.cluster.client import Cluster
from postrender.errors import ClusterError, UsageError
from postrender.models import ReleaseName
from postrender.operations import state_files
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
from postrender.report.adopt import NoReport
from postrender.report.move import FORMATS, MoveReport, record_bytes, record_from
from postrender.settings import find
from postrender.settings.connection import connection_flags, reached
from postrender.settings.table import Flags
from postrender.text import AGAIN, Hint, counted, hint_lines, joined, one_line, to_stderr

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
            next=("postrender move OBJECT ... --from RELEASE --to RELEASE", "postrender move --undo FILE"),
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
        file = _keep(record_of(plan, cluster.description, driver, begun), options, file if begun else "", name)
        notes.begin(file)
        back = f"postrender move --undo {shlex.quote(file)}{connection_flags(caller)}"
        with _Writing(options, Hint(back, "to undo what was written")) as writing:
            carry_out(cluster, plan, driver, writing.done)
        notes.end(file)
    _done(options, replace(report, record=file, hints=(Hint(back, "to undo the move"),)))
    return 0


def _undo(options: argparse.Namespace, given: Flags) -> int:
    record = _read(options.undo)
    caller = find(given, os.environ)
    cluster = reached(caller)
    if cluster.description != record.cluster and not options.yes:
        to_stderr(f"note: {one_line(f'the record is about {record.cluster}, and this is {cluster.description}')}\n")
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
        with _Writing(options) as writing:
            undo(cluster, plan, writing.done)
        notes.end(options.undo)
    _done(options, replace(report, record=options.undo))
    return 0


def _ask(options: argparse.Namespace, report: MoveReport, what: str, cluster: Cluster) -> None:
    if not options.yes:
        to_stderr(report.text())
        confirm(f"{what} in {cluster.description}?", yes=False)


def _done(options: argparse.Namespace, report: MoveReport) -> None:
    if options.output != "text":
        to_stderr(joined(hint_lines(report.hints)))
        show(options, FORMATS, replace(report, hints=()))
    elif not options.quiet:
        show(options, FORMATS, report)


class _Writing:
    """Counts the writes, and says in an error what was written before it."""

    def __init__(self, options: argparse.Namespace, *back: str) -> None:
        self._shown = options.verbose and options.output == "text" and not options.quiet
        self._back = back
        self._count = 0

    def __enter__(self) -> _Writing:
        return self

    def done(self, line: str) -> None:
        self._count += 1
        if self._shown:
            write(f"{line}\n")

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ClusterError):
            before = f"{counted(self._count, 'write')} before it" if self._count else "nothing was written before it"
            raise ClusterError(
                f"{error.cause}; {before}; run the same command again to go on",
                where=error.where,
                next=(*(step for step in error.next if step != AGAIN), *(self._back if self._count else ())),
            ) from error


def _begun(file: str) -> MoveRecord | None:
    """The record of an interrupted move, ``None`` for none; a record that is gone cannot be gone on with."""
    return _read(file) if file and os.path.exists(file) else None


def _keep(record: MoveRecord, options: argparse.Namespace, file: str, name: str) -> str:
    """Write the record where only the user may read it, and return its path; raises UsageError."""
    data = record_bytes(record)
    path = file or options.record or _new_file(name)
    try:
        if file:
            state_files.replace_private(path, data)
        else:
            state_files.write_private(path, data)
    except OSError as error:
        raise UsageError(
            f"the record cannot be kept there, so nothing was changed: {error.strerror or error}",
            where=path,
            next=state_files.again_with("--record", os.path.basename(path), (AGAIN,)),
        ) from error
    return path


def _new_file(name: str) -> str:
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return state_files.unused(os.path.join(state_files.folder(os.environ), "move", f"{name}-{now}.json"))


def _read(file: str) -> MoveRecord:
    try:
        with open(file, "rb") as handle:
            return record_from(handle.read())
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror or error}", where=file) from error
    except NoReport as error:
        raise UsageError(
            str(error),
            where=file,
            next=Hint("postrender move --undo FILE", "FILE is a record that postrender move wrote"),
        ) from error
