"""``postrender adopt``: a release's ownership metadata written to live objects by hand, and taken back."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Collection, Iterator, Sequence

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, FIELD_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import NOTHING, add_terminal, chosen_paint, confirm, progress, require_answerable
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_output, show, write
from postrender.cli.parsers import command_parser
from postrender.cli.recorded import new_file
from postrender.cluster.client import Cluster
from postrender.cluster.discovery import named_object
from postrender.errors import ClusterError, Refused, UsageError
from postrender.models import ReleaseName
from postrender.operations import state_files
from postrender.operations.adopt import (
    Adoption,
    carry_out,
    managed_fields,
    objects_of_release,
    plan_adoption,
    undo,
)
from postrender.report.adopt import (
    FORMATS,
    AdoptReport,
    NoReport,
    Report,
    adoption_data,
    preview,
    report_from,
    report_of,
)
from postrender.settings import Caller, find
from postrender.settings.connection import connection_flags, reached
from postrender.settings.table import Flags
from postrender.text import AGAIN, Hint, hint_lines, joined, one_line, to_stderr

DESCRIPTION = """\
Write a release's ownership metadata (one label, two annotations) to live
objects, so that Helm adopts them into the release. Nothing else changes.

  postrender adopt shop -n prod configmaps/prod/settings secret/login
  postrender adopt shop -n prod --dry-run
  postrender adopt shop -n prod deploy/web --take-fields kubectl-edit
  postrender adopt --undo report.json

Name objects as in messages, or as for kubectl. Without names, the objects of
the release's stored manifest that lack its ownership metadata are adopted. If
any object belongs to another installed release, nothing is written. A report
of the old metadata goes into a file first; --undo restores it.

--take-fields moves the fields that another field manager set to Helm's, so that
Helm's next server-side apply sets or removes them as the chart says.
"""

EPILOG = """\
exit codes: 0 done, 2 bad usage, 4 refused or not agreed to,
            5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Stamp objects or take the stamps back; raises PostrenderError."""
    # Objects may stand behind flags: postrender adopt shop -n prod configmaps/prod/settings.
    options = parser().parse_intermixed_args(arguments)
    if bool(options.name) == bool(options.undo):
        raise UsageError(
            "name a release, or the report to be undone",
            next="postrender adopt --help",
        )
    if options.undo and options.take_fields:
        raise UsageError("the report names the fields", where="--take-fields", next="postrender adopt --help")
    if not options.dry_run:
        require_answerable(yes=options.yes)
    given = flags(options, FIELD_SETTINGS)
    return _undo(options, given) if options.undo else _adopt(options, given)


def parser() -> argparse.ArgumentParser:
    """A release and objects, or a report."""
    made = command_parser("adopt", DESCRIPTION, epilog=EPILOG)
    made.add_argument("name", nargs="?", metavar="RELEASE", help="the release that gets the objects")
    made.add_argument("objects", nargs="*", metavar="OBJECT", help="such as shirts.stable.example.com/shop/shirt")
    made.add_argument("--undo", metavar="FILE", help="restore the metadata from this report")
    made.add_argument(
        "--take-fields",
        action="append",
        default=[],
        metavar="MANAGER",
        help="also make this field manager's fields Helm's; repeat it for others",
    )
    made.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    made.add_argument("--yes", "-y", action="store_true", help="write without asking")
    made.add_argument(
        "--report", metavar="FILE", help="a new file for the report (default: one in the user's state folder)"
    )
    add_output(made, FORMATS)
    add_terminal(made, "show objects that are in the release already, too", NOTHING)
    add_arguments(made, CONNECTION, FIELD_SETTINGS, positional=True)
    return made


def _adopt(options: argparse.Namespace, given: Flags) -> int:
    caller = find(replace(given, release=release_name(options.name)), os.environ)
    release = caller.invocation.release
    if release is None:
        raise no_namespace(caller)
    driver = caller.invocation.driver
    cluster = reached(caller)
    with progress("looking at the objects", quiet=options.quiet):
        if options.objects:
            catalog = cluster.catalog()
            named = [
                named_object(text, release.namespace, catalog, kubectl=cluster.kubectl) for text in options.objects
            ]
            places = list(dict.fromkeys(named))
        else:
            places = objects_of_release(cluster, release, driver)
        managers = list(dict.fromkeys(options.take_fields))
        seen = plan_adoption(cluster, release, driver, places, absent=not options.objects, managers=managers)
    found = seen.adoptions
    report = report_of(found, cluster.description, release, seen.holders.read)
    note = "; ".join(
        filter(None, (seen.holders.note, *_unknown_managers(set(managers) - {cluster.field_manager}, found)))
    )
    _show(options, found, report, f"release {release}, {cluster.description}", note)
    if not report.written or options.dry_run:
        return 0
    confirm(_question(len(report.written), cluster), yes=options.yes)
    file = options.report or new_file("adopt", f"{release.namespace}-{release.name}")
    _keep(report, file)
    _write(cluster, found, release, driver, file, options)
    back = f"postrender adopt --undo {shlex.quote(file)}{connection_flags(caller)}"
    hint = [Hint(back, "to restore the old metadata")]
    painted = chosen_paint(options)
    if options.output != "text":
        to_stderr(joined(hint_lines(hint)))
    elif not options.quiet:
        write(joined(hint_lines(hint, painted)), coloured=painted.on)
    return 0


def _unknown_managers(managers: Collection[str], found: Sequence[Adoption]) -> Iterator[str]:
    """A note on each manager that set nothing in these objects, with those that did."""
    taken = {manager for each in found if each.fields for manager in each.fields.paths}
    there = sorted({str(entry.get("manager")) for each in found if managers for entry in managed_fields(each.live)})
    for manager in sorted(managers):
        if manager not in taken:
            yield f"{manager} owns no field of these objects; their field managers are {', '.join(there)}"


def _undo(options: argparse.Namespace, given: Flags) -> int:
    if options.objects:
        raise UsageError("the report names the objects", where="--undo", next=f"postrender adopt --undo {options.undo}")
    report = _read(options.undo)
    caller: Caller = find(given, os.environ)
    cluster = reached(caller)
    if cluster.description != report.cluster and not options.yes:
        to_stderr(f"note: {one_line(f'the report is about {report.cluster}, and this is {cluster.description}')}\n")
    with progress("looking at the objects", quiet=options.quiet):
        found = undo(cluster, report.release, caller.invocation.driver, report.written)
    undone = report_of(found, cluster.description, report.release)
    _show(options, found, undone, f"undo for release {report.release}, {cluster.description}")
    if not undone.written or options.dry_run:
        return 0
    confirm(_question(len(undone.written), cluster), yes=options.yes)
    _write(cluster, found, report.release, caller.invocation.driver, options.undo, options)
    return 0


def _show(
    options: argparse.Namespace, found: tuple[Adoption, ...], report: Report, heading: str, note: str = ""
) -> None:
    if options.output != "text" or not options.quiet or not options.yes:
        text = preview(found, heading, chosen_paint(options), note, verbose=options.verbose)
        show(options, FORMATS, AdoptReport(report, text))


def _question(count: int, cluster: Cluster) -> str:
    return f"write to {count} object{'s' * (count != 1)} of {cluster.description}?"


def _write(
    cluster: Cluster,
    found: tuple[Adoption, ...],
    release: ReleaseName,
    driver: str,
    file: str,
    options: argparse.Namespace,
) -> None:
    """Write all of them; raises ClusterError and Refused, which say what was written."""
    done: list[str] = []
    try:
        carry_out(cluster, found, release, driver, done.append)
    except (ClusterError, Refused) as error:
        before = f"written before it: {', '.join(done)}" if done else "nothing was written before it"
        raise type(error)(
            f"{error.cause}; {before}; what was there is in {file}",
            where=error.where,
            next=state_files.again_with("--report", file, error.next),
        ) from error
    if options.output == "text" and not options.quiet:
        write("".join(f"{name}: written\n" for name in done))


def _keep(report: Report, file: str) -> None:
    """Write the report where only the user may read it; raises UsageError."""
    try:
        state_files.write_private(file, json.dumps(adoption_data(report), indent=2).encode() + b"\n")
    except OSError as error:
        raise UsageError(
            f"cannot write the report, so nothing was changed: {error.strerror or error}",
            where=file,
            next=state_files.again_with("--report", os.path.basename(file), (AGAIN,)),
        ) from error


def _read(file: str) -> Report:
    try:
        with open(file, "rb") as handle:
            return report_from(handle.read())
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror or error}", where=file) from error
    except NoReport as error:
        raise UsageError(
            str(error),
            where=file,
            next=[Hint(f"ls {shlex.quote(_folder())}", "the reports that postrender adopt wrote")]
            if os.path.isdir(_folder())
            else (),
        ) from error


def _folder() -> str:
    return os.path.join(state_files.folder(os.environ), "adopt")
