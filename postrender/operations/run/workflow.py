"""``postrender run``, step by step, and how an interrupted run is resumed."""

from __future__ import annotations

from postrender._record import Record, replace
from postrender.cluster.interface import unreadable
from postrender.errors import Refused
from postrender.models import StoredRelease, Unknown
from postrender.operations.run import helm_process, summary
from postrender.operations.run.command import HelmCommand
from postrender.operations.run.journal import Journal, Noted, journal, wait
from postrender.operations.run.request import UPGRADE, Order, Say, left_pending, revisions, say_lines, unless_at_work
from postrender.operations.run.summary import Done, failed, succeeded
from postrender.operations.unpin import backup_path, carry_out, keep, look, pinned
from postrender.planner.view import View


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
    plan = summary.read(notes.plan(noted.helm)) if noted.helm else None
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


def run(order: Order, say: Say) -> int:
    """Do it; Helm's exit code where Helm fails. Raises PostrenderError."""
    with journal(order.release, order.cluster.description, order.environ) as (notes, busy):
        if busy:
            say_lines(
                say,
                f"postrender: another run, or the Helm of an interrupted one, is at work on release {order.release}; "
                "waiting until it ends",
            )
            wait(notes)
        begun = beginning(order, notes, say)
        return _Run(replace(order, command=begun.command), notes, say, begun.noted, resumed=begun.resumed).all()


class _Run:
    def __init__(self, order: Order, notes: Journal, say: Say, noted: Noted, *, resumed: bool) -> None:
        self.order = order
        self.notes = notes
        self.say = say
        self.noted = noted
        self.resumed = resumed
        self.plans: list[View | None] = []
        self.unpinned = 0
        self.backups: list[str] = []

    def all(self) -> int:
        """All steps, one after the other; each leaves a state from which a second call goes on."""
        order = self.order
        with helm_process.renderer(order.helm, order.program, order.version, order.environ) as renderer:
            code = self._step("first", order.command, renderer)
            if code:
                return self._failed(code)
            self._unpin()
            (first,) = self.plans
            if first is None and self._stores_something():
                say_lines(
                    self.say,
                    "postrender: the filter left no plan, so whether it announced an upgrade is not known: "
                    f"look into its account, and if so: {UPGRADE}",
                )
            names = summary.announced(first)
            if names and order.upgrade:
                say_lines(self.say, f"postrender: helm upgrade is run, to apply the chart to {summary.some(names)}")
                code = self._step("second", order.command.as_upgrade(), renderer, quiet=True)
                if code:
                    return self._failed(code)
                self._unpin()
        left = () if order.upgrade else names
        succeeded(order, self.say, Done(tuple(self.plans), self.unpinned, tuple(self.backups), left))
        self.notes.end()
        return 0

    def _step(self, name: str, command: HelmCommand, renderer: helm_process.Renderer, *, quiet: bool = False) -> int:
        """Run Helm once, and read the plan that the filter left; Helm's exit code."""
        path = self.notes.new_plan(name)
        environ = helm_process.environ(renderer, path, first=name == "first", resumed=self.resumed)
        self._note(name)
        arguments = command.with_flags(*renderer.flags)
        code = helm_process.run(self.order.helm, arguments, environ, self.notes.lock, quiet=quiet)
        if not code:
            self._note("")
        self.plans.append(summary.read(path))
        return code

    def _note(self, helm: str) -> None:
        self.noted = replace(self.noted, helm=helm)
        self.notes.note(self.noted)

    def _failed(self, code: int) -> int:
        self.say(summary.unseen(self.notes.plan(self.noted.helm)))
        if failed(self.order, self.say, self.noted, code, self.plans):
            self.notes.end()
        return code

    def _unpin(self) -> None:
        order = self.order
        found = look(order.cluster, order.release, order.driver)
        if pinned(found):
            path = backup_path(order.release, order.environ)
            carry_out(order.cluster, found, path)
            self.unpinned += sum(len(each.without.pins) for each in found if each.without)
            self.backups.append(path)

    def _stores_something(self) -> bool:
        found = look(self.order.cluster, self.order.release, self.order.driver)
        return bool((found[-1].stored.revision.manifest or "").strip())
