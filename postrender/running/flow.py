"""The whole run: Helm with the filter, pins out, the announced upgrade, pins out, and a look at what came of it."""

from __future__ import annotations

from postrender.record import replace
from postrender.report.view import View
from postrender.running import child, told
from postrender.running.command import HelmCommand
from postrender.running.ending import Done, failed, succeeded
from postrender.running.journal import Journal, Noted, journal, wait
from postrender.running.order import UPGRADE, Order, Say, say_lines
from postrender.running.resume import beginning
from postrender.unpin import backup_path, carry_out, look, pinned


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
        with child.renderer(order.helm, order.program, order.version, order.environ) as renderer:
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
            names = told.announced(first)
            if names and order.upgrade:
                say_lines(self.say, f"postrender: helm upgrade is run, to apply the chart to {told.some(names)}")
                code = self._step("second", order.command.as_upgrade(), renderer, quiet=True)
                if code:
                    return self._failed(code)
                self._unpin()
        left = () if order.upgrade else names
        succeeded(order, self.say, Done(tuple(self.plans), self.unpinned, tuple(self.backups), left))
        self.notes.end()
        return 0

    def _step(self, name: str, command: HelmCommand, renderer: child.Renderer, *, quiet: bool = False) -> int:
        """Run Helm once, and read the plan that the filter left; Helm's exit code."""
        path = self.notes.new_plan(name)
        environ = child.environ(renderer, path, first=name == "first", resumed=self.resumed)
        self._note(name)
        arguments = command.with_flags(*renderer.flags)
        code = child.run(self.order.helm, arguments, environ, self.notes.lock, quiet=quiet)
        if not code:
            self._note("")
        self.plans.append(told.read(path))
        return code

    def _note(self, helm: str) -> None:
        self.noted = replace(self.noted, helm=helm)
        self.notes.note(self.noted)

    def _failed(self, code: int) -> int:
        self.say(told.unseen(self.notes.plan(self.noted.helm)))
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
