"""Where a run begins: anew, or where an earlier one of the same command was interrupted."""

from __future__ import annotations

from postrender.errors import Refused
from postrender.live import StoredRelease, Unknown
from postrender.record import Record
from postrender.running import told
from postrender.running.command import HelmCommand
from postrender.running.journal import Journal, Noted
from postrender.running.order import Order, Say, left_pending, revisions, say_lines, unless_at_work
from postrender.source import unreadable
from postrender.unpin import backup_path, keep


class Beginning(Record):
    """The command to begin with, what is noted of the run, and whether an earlier one is gone on with."""

    command: HelmCommand
    noted: Noted
    resumed: bool = False


def beginning(order: Order, notes: Journal, say: Say) -> Beginning:
    """Where to begin; a record whose Helm died at work for the interrupted run is taken away.

    Raises Refused where another Helm may be at work on the release, and ClusterError.
    """
    command, digest = order.command, order.command.digest(order.folder)
    stored = revisions(order)
    noted = notes.noted(digest)
    if noted is None:
        noted = Noted(stored[-1].revision if stored else 0, digest)
        notes.note(noted)
        return Beginning(command, noted)
    last = stored[-1] if stored else None
    pending = last is not None and last.revision > noted.before and last.status.startswith("pending-")
    plan = told.read(notes.plan(noted.helm)) if noted.helm else None
    if last is not None and pending and not left_pending(noted, plan, last):
        raise Refused(
            f"its revision {last.revision} is {last.status}, by a Helm that this run did not start and that may be at "
            "work, so nothing was done",
            where=f"release {order.release}",
            next=unless_at_work(order, last),
        )
    say_lines(say, f"postrender: an earlier run for release {order.release} was interrupted, and is gone on with")
    if last is not None and pending:
        _forget(order, last, say)
        last = stored[-2] if len(stored) > 1 else None
    if command.installs and last is not None and (last.revision > noted.before or last.status == "superseded"):
        # Helm would say that the name is in use: by what the interrupted run installed, or by the revision that its
        # --replace gave up before it stored another (``replaceRelease``, pkg/action/install.go).
        command = command.as_upgrade()
    return Beginning(command, noted, resumed=True)


def _forget(order: Order, revision: StoredRelease, say: Say) -> None:
    """Take away the record of a revision whose Helm died at work; nothing else is touched.

    Helm refuses every operation while there is one (``isUpgradable``, pkg/action of 3.9.0 to 4.3.1).
    """
    stored = order.cluster.payloads(order.release, order.driver)
    if isinstance(stored, Unknown):
        raise unreadable(order.release, order.cluster.description, stored)
    objects = [each for each in stored if each.revision.revision == revision.revision]
    path = backup_path(order.release, order.environ)
    keep(objects, path)
    for each in objects:
        order.cluster.delete(each)
    say_lines(
        say,
        f"the record of revision {revision.revision} ({revision.status}), whose Helm died, is taken away; "
        f"a copy is in {path}",
        first="  ",
    )
