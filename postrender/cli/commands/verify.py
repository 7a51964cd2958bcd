"""``postrender verify``: a stored release held against what is live."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, FIELD_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import add_terminal, chosen_paint, confirm, progress, require_answerable
from postrender.cli.hints import of_command
from postrender.cli.inputs import no_namespace
from postrender.cli.output import add_detailed_exitcode, add_output, found_code, show, write
from postrender.cli.parsers import command_parser
from postrender.cluster.client import Cluster
from postrender.cluster.releases import newest
from postrender.errors import ClusterError, PostrenderError, Refused, UsageError
from postrender.helm.storage import storage
from postrender.models import ObjectKey, ReleaseName, Unknown
from postrender.operations.verify import (
    ObjectStatus,
    ReleaseStatus,
    State,
    repairable,
    repaired,
    require_settled,
    require_unchanged,
    verify,
)
from postrender.redact import digests
from postrender.report.formats import COLOURED
from postrender.report.verify import RELEASE_FORMATS, RELEASES_FORMATS, Failed, ReleaseReport, ReleasesReport
from postrender.settings import Caller, find
from postrender.settings.connection import reached

DESCRIPTION = """\
Compare the stored manifest of a release with the cluster: each object is in
sync, drifted (with the fields that differ), missing, or another owner's.

  postrender verify shop -n prod
  postrender verify shop -n prod --fix
  postrender verify --all -A -o json

Only fields that the stored manifest names count. If one differs, a dry run
shows what the server would store, so that defaults and other notations of a
value do not count as drift. Secret values are shown as digests.

--fix sends the differences as Helm does, or the stored object for a release
that Helm 4 applies server-side, and creates missing objects. It asks first, and
never writes to an object of another owner.
"""

EPILOG = """\
exit codes: 0 compared; with --detailed-exitcode 10 if something differs,
            2 bad usage, 4 not confirmed, 5 a request failed
"""


def main(arguments: list[str]) -> int:
    """Verify one release or all, and mend what was agreed to; raises PostrenderError."""
    options = parser().parse_args(arguments)
    options.typed = arguments
    if bool(options.name) == options.all:
        raise UsageError("name one release, or all", next="postrender verify --all")
    if options.all_namespaces and not options.all:
        raise UsageError("--all-namespaces goes with --all", next="postrender verify --all --all-namespaces")
    if options.fix and (options.all or options.output not in COLOURED):
        raise UsageError("--fix works on one release and prints text", next="postrender verify --help")
    if options.fix:
        require_answerable(yes=options.yes)
    given = flags(options, FIELD_SETTINGS)
    caller = find(replace(given, release=release_name(options.name)) if options.name else given, os.environ)
    if caller.namespace is None and not options.all_namespaces:
        raise no_namespace(caller)
    cluster = reached(caller)
    return _all(options, caller, cluster) if options.all else _one(options, caller, cluster)


def parser() -> argparse.ArgumentParser:
    """Which release, and what is to be done about it."""
    made = command_parser("verify", DESCRIPTION, epilog=EPILOG)
    made.add_argument("name", nargs="?", metavar="RELEASE", help="the release")
    made.add_argument("--all", action="store_true", help="every release of the namespace, as one table")
    made.add_argument("--all-namespaces", "-A", action="store_true", help="with --all: of every namespace")
    made.add_argument("--fix", action="store_true", help="restore drifted and missing objects from the stored manifest")
    made.add_argument("--yes", "-y", action="store_true", help="do so without asking")
    add_output(made, RELEASE_FORMATS, alias="text")
    add_terminal(made, "show objects that are in sync, too")
    add_detailed_exitcode(made, "an object differs from the stored release")
    add_arguments(made, CONNECTION, FIELD_SETTINGS, positional=True)
    return made


def _one(options: argparse.Namespace, caller: Caller, cluster: Cluster) -> int:
    release = caller.invocation.release
    assert release is not None
    with progress(f"looking at release {release}", quiet=options.quiet):
        found = verify(cluster, release, caller.invocation.driver)
        objects = (replace(each, next=of_command(each.next, "verify", options.typed)) for each in found.objects)
        found = replace(found, objects=tuple(objects))
    show(
        options,
        RELEASE_FORMATS,
        ReleaseReport(found, digests(os.environ), cluster, chosen_paint(options), options.verbose),
    )
    todo = repairable(found.objects) if options.fix else ()
    if not todo:
        return _exit_code(options, [found], found=not found.in_sync)
    require_settled(cluster, found)
    confirm(f"write to {len(todo)} object{'s' * (len(todo) != 1)} of {cluster.description}?", yes=options.yes)
    after = repaired_all(cluster, found, caller.invocation.driver)
    return _exit_code(options, [after], found=not after.in_sync)


def repaired_all(cluster: Cluster, found: ReleaseStatus, driver: str) -> ReleaseStatus:
    """The release after what can be mended was; raises Refused, also if it changed since it was read, ClusterError."""
    done: dict[ObjectKey, ObjectStatus] = {}
    for each in repairable(found.objects):
        try:
            require_unchanged(cluster, found, driver)
            done[each.key] = repaired(cluster, each)
        except (ClusterError, Refused) as error:
            before = ", ".join(str(one.name) for one in done.values()) or "nothing"
            raise type(error)(
                f"{error.cause}; written before it: {before}", where=error.where, next=error.next
            ) from error
        write(f"{each.name}: {'made' if each.found is None else 'as stored again'}\n")
    return replace(found, objects=tuple(done.get(each.key, each) for each in found.objects))


def _all(options: argparse.Namespace, caller: Caller, cluster: Cluster) -> int:
    namespace = "" if options.all_namespaces else str(caller.namespace)
    rows: list[ReleaseStatus | Failed] = []
    with progress("listing releases", quiet=options.quiet) as update:
        names = _releases(cluster, namespace, caller.invocation.driver)
        for index, release in enumerate(names):
            update(f"release {index + 1} of {len(names)}: {release}")
            row = _row(cluster, release, caller.invocation.driver)
            if isinstance(row, Failed):
                row = replace(row, next=of_command(row.next, "verify", options.typed))
            rows.append(row)
    report = ReleasesReport(rows, digests(os.environ), cluster, chosen_paint(options))
    show(options, RELEASES_FORMATS, report)
    return _exit_code(options, rows, found=bool(report.not_in_sync))


def _releases(cluster: Cluster, namespace: str, driver: str) -> list[ReleaseName]:
    """What is stored and not a mere record of an uninstall; raises ClusterError."""
    kept = storage(driver)
    found = kept if isinstance(kept, Unknown) else newest(cluster, namespace, kept)
    if isinstance(found, Unknown):
        raise ClusterError(f"cannot list its releases: {found.reason}", where=cluster.description, next=found.next)
    return sorted((name for name, last in found.items() if last.status != "uninstalled"), key=str)


def _row(cluster: Cluster, release: ReleaseName, driver: str) -> ReleaseStatus | Failed:
    try:
        return verify(cluster, release, driver)
    except PostrenderError as error:
        return Failed(release, error.cause, error.next)


def _exit_code(options: argparse.Namespace, rows: Sequence[ReleaseStatus | Failed], *, found: bool) -> int:
    if any(isinstance(row, Failed) or row.count(State.UNKNOWN) for row in rows):
        return ClusterError.exit_code
    return found_code(options, found=found)
