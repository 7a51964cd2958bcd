"""``postrender unpin RELEASE``: takes pins out of every stored revision, and says which."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence

from postrender._record import replace
from postrender.cli.arguments import CONNECTION, CONNECTION_SETTINGS, add_arguments, flags, release_name
from postrender.cli.console import NOTHING, add_verbosity
from postrender.cli.inputs import no_namespace
from postrender.cli.output import write
from postrender.cli.parsers import command_parser
from postrender.cluster.client import Cluster
from postrender.cluster.offline import Offline
from postrender.manifest import ObjectRef
from postrender.models import ObjectKey, ReleaseName, Resource, object_name
from postrender.operations.stored_revisions import backup_path
from postrender.operations.unpin import RevisionPins, carry_out, find_pins, pinned
from postrender.settings import find
from postrender.settings.connection import reached
from postrender.text import Hint, columns, hint_lines, one_line, wrapped

DESCRIPTION = """\
Remove metadata.resourceVersion from every stored revision of a release, so that
any Helm can upgrade it, and roll back to it, without postrender.

Only the stored revisions change, guarded by their resourceVersion, and a copy
goes into a file first. Live objects are not changed.

  postrender unpin shop -n prod --dry-run
  postrender unpin shop -n prod
"""


def main(arguments: list[str]) -> int:
    """Unpin one release, or with ``--dry-run`` say what would be done; raises PostrenderError."""
    options = parser().parse_args(arguments)
    caller = find(replace(flags(options, CONNECTION_SETTINGS), release=release_name(options.name)), os.environ)
    release = caller.invocation.release
    if release is None:
        raise no_namespace(caller)
    cluster = reached(caller)
    found = find_pins(cluster, release, caller.invocation.driver)
    backup = ""
    if pinned(found) and not options.dry_run:
        backup = options.backup or backup_path(release, os.environ)
        carry_out(cluster, found, backup)
    if not options.quiet:
        lines = _summary(cluster, release, found, backup, verbose=options.verbose)
        write("".join(f"{one_line(line)}\n" for line in lines))
    return 0


def parser() -> argparse.ArgumentParser:
    """A release, and where it is stored."""
    made = command_parser("unpin", DESCRIPTION)
    made.add_argument("name", metavar="RELEASE", help="the release")
    made.add_argument("--dry-run", action="store_true", help="show the changes and write nothing")
    made.add_argument(
        "--backup", metavar="PATH", help="the file for the old payloads (default: one in the user's state folder)"
    )
    add_verbosity(made, "show revisions that contain no resourceVersion, too", NOTHING)
    add_arguments(made, CONNECTION, CONNECTION_SETTINGS, positional=True)
    return made


def _summary(
    cluster: Cluster, release: ReleaseName, found: Sequence[RevisionPins], backup: str, *, verbose: bool
) -> Iterator[str]:
    """What was done, or with no ``backup`` what would be; a line for each revision and each pin."""
    names = _Names(cluster, release, found)
    yield from wrapped(f"postrender: release {release}, {cluster.description}", width=columns(sys.stdout))
    for each in found if verbose else pinned(found):
        yield from _about(each, names, "removed" if backup else "to remove")
    count = len(pinned(found))
    total = f"{len(found)} revision{'s' * (len(found) != 1)}"
    if not count:
        yield f"  {total}, none contains a resourceVersion. Nothing was written."
    elif not backup:
        yield f"  {total}, {count} would be changed; nothing was written (--dry-run)."
    else:
        yield f"  {total}, {count} changed."
        yield from hint_lines(
            [Hint(cluster.kubectl(f"replace -f {shlex.quote(backup)}"), "to restore the old revisions")]
        )


def _about(found: RevisionPins, names: _Names, done: str) -> Iterator[str]:
    revision, without = found.stored.revision, found.without
    head = f"revision {revision.revision} ({revision.status})"
    if without is None:
        yield f"  {head}: no resourceVersion"
        return
    yield f"  {head}: {len(without.pins)} resourceVersion{'s' * (len(without.pins) != 1)} {done}"
    for pin in without.pins:
        yield from wrapped(
            f"{names.of(pin.ref)} (resourceVersion {pin.version})",
            first="    - ",
            rest="      ",
            width=columns(sys.stdout),
        )
    if without.rewritten:
        yield "      the whole document is rewritten; its values are unchanged"
    if revision.status.startswith("pending-"):
        yield from wrapped(
            f"it is {revision.status}: a running Helm may write them again; if so, run this again",
            first="      ",
            rest="      ",
            width=columns(sys.stdout),
        )


class _Names:
    """Objects as every message names them; a kind that is not served any more gets a guess."""

    def __init__(self, cluster: Cluster, release: ReleaseName, found: Sequence[RevisionPins]) -> None:
        gvks = {pin.ref.gvk for each in found if each.without for pin in each.without.pins}
        self._served = cluster.resolve_kinds(gvks) if gvks else {}
        self._namespace = release.namespace

    def of(self, ref: ObjectRef) -> str:
        answer = self._served.get(ref.gvk)
        resource = answer if isinstance(answer, Resource) else Offline().resource(ref.gvk)
        namespace = (ref.namespace or self._namespace) if resource.namespaced else ""
        return object_name(resource, ObjectKey(ref.gvk.group_kind, namespace, ref.name))
