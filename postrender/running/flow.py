"""The whole run: Helm with the filter, pins out, the announced upgrade, pins out, and a look at what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from postrender.cluster import Cluster
from postrender.errors import ClusterError, PostrenderError, Refused
from postrender.live import ReleaseName, StoredRelease, Unknown
from postrender.program import Program
from postrender.record import Record, replace
from postrender.releases import storage, stored_name
from postrender.report.lines import wrapped
from postrender.report.view import View
from postrender.running import child, told
from postrender.running.command import HelmCommand
from postrender.running.journal import Journal, Noted, journal, wait
from postrender.unpin import backup_path, carry_out, keep, look, pinned
from postrender.verified import State
from postrender.verify import verify

Say = Callable[[str], None]
"""Takes lines for a person, each ended."""


_AGAIN = "helm upgrade ...   (with the same chart and values)"


class Order(Record, hidden=("environ",)):
    """What is to be done.

    ``program`` is the path that starts this postrender, ``upgrade`` whether an announced upgrade is run too,
    ``environ`` what Helm and the filter get, ``folder`` where they run.
    """

    helm: Program
    command: HelmCommand
    cluster: Cluster
    release: ReleaseName
    driver: str
    program: str
    version: str
    environ: Mapping[str, str]
    folder: str
    upgrade: bool = True


def run(order: Order, say: Say) -> int:
    """Do it; Helm's exit code where Helm fails. Raises PostrenderError."""
    with journal(order.release, order.cluster.description, order.environ) as (notes, busy):
        if busy:
            told_so = (
                f"postrender: another run, or the Helm of an interrupted one, is at work on release {order.release}; "
                "waiting until it ends"
            )
            say("".join(f"{line}\n" for line in wrapped(told_so)))
            wait(notes)
        return _Run(order, notes, say).all()


class _Run:
    def __init__(self, order: Order, notes: Journal, say: Say) -> None:
        self.order = order
        self.notes = notes
        self.say = say
        self.noted = Noted(0, order.command.digest(order.folder))
        self.resumed = False
        self.unpinned = 0
        self.backups: list[str] = []

    def all(self) -> int:
        """All steps, one after the other; each leaves a state from which a second call goes on."""
        self.order = replace(self.order, command=self._begun())
        order = self.order
        with child.renderer(order.helm, order.program, order.version, order.environ) as renderer:
            code, first = self._step("first", order.command, renderer)
            if code:
                return self._failed(code, first)
            self._unpin()
            if first is None and self._stores_something():
                self._lines(
                    f"postrender: the filter left no plan, so whether it announced an upgrade is not known: "
                    f"look into its account, and if so: {_AGAIN}"
                )
            plans = [first]
            names = told.announced(first)
            if names and order.upgrade:
                self._lines(f"postrender: helm upgrade is run, to apply the chart to {told.some(names)}")
                code, second = self._step("second", order.command.as_upgrade(), renderer, quiet=True)
                if code:
                    return self._failed(code, second, first)
                self._unpin()
                plans.append(second)
        self._account(plans, names if not order.upgrade else ())
        self.notes.end()
        return 0

    def _begun(self) -> HelmCommand:
        """The command to begin with: where an earlier run of the same was interrupted, one that goes on from there.

        Raises Refused where another Helm may be at work on the release.
        """
        order, command = self.order, self.order.command
        revisions = self._revisions()
        noted = self.notes.noted(self.noted.command)
        if noted is None:
            self._note(replace(self.noted, before=revisions[-1].revision if revisions else 0))
            return command
        self.noted, self.resumed = noted, True
        since = [each for each in revisions if each.revision > noted.before]
        pending = since.pop() if since and since[-1].status.startswith("pending-") else None
        if pending is not None and not noted.helm:
            # No Helm was at work for the interrupted run: this is the record of another one.
            raise Refused(
                f"its revision {pending.revision} is {pending.status}, by a Helm that this run did not start and that "
                "may be at work, so nothing was done",
                where=f"release {order.release}",
                next=self._unless_at_work(pending),
            )
        self._lines(f"postrender: an earlier run for release {order.release} was interrupted, and is gone on with")
        if pending is not None:
            self._forget(pending)
        replaced = not since and bool(revisions) and revisions[-1].status == "superseded"
        if command.installs and (since or replaced):
            # Helm would say that the name is in use: by what the interrupted run installed, or by the revision that
            # its --replace gave up before it stored another (``replaceRelease``, pkg/action/install.go).
            return command.as_upgrade()
        return command

    def _forget(self, revision: StoredRelease) -> None:
        """Take away the record of a revision whose Helm died at work; nothing else is touched.

        Helm refuses every operation while there is one (``isUpgradable``, pkg/action of 3.9.0 to 4.3.1).
        """
        stored = self.order.cluster.payloads(self.order.release, self.order.driver)
        if isinstance(stored, Unknown):
            raise self._unreadable(stored)
        objects = [each for each in stored if each.revision.revision == revision.revision]
        path = backup_path(self.order.release, self.order.environ)
        keep(objects, path)
        for each in objects:
            self.order.cluster.delete(each)
        self._lines(
            f"the record of revision {revision.revision} ({revision.status}), whose Helm died, is taken away; "
            f"a copy is in {path}",
            first="  ",
        )

    def _step(
        self, name: str, command: HelmCommand, renderer: child.Renderer, *, quiet: bool = False
    ) -> tuple[int, View | None]:
        """Run Helm once; its exit code and the plan that the filter left."""
        path = self.notes.plan(name)
        environ = {**renderer.environ, "POSTRENDER_REPORT": path}
        if self.resumed or name != "first":
            environ.pop("POSTRENDER_PLAN", None)  # That one is of the first step, from where it began.
        self._note(replace(self.noted, helm=True))
        code = child.run(
            self.order.helm,
            command.with_flags(*renderer.flags),
            environ,
            self.notes.lock,
            quiet=quiet,
        )
        if not code:
            self._note(replace(self.noted, helm=False))
        return code, told.read(path)

    def _note(self, noted: Noted) -> None:
        self.notes.note(noted)
        self.noted = noted

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

    def _account(self, plans: Sequence[View | None], left: Sequence[str]) -> None:
        newest = self._revisions()[-1]
        self._lines(f"postrender: release {self.order.release} is {newest.status}, revision {newest.revision}")
        self._lines(f"adopted: {told.some(told.adopted(plans)) or 'nothing'}", first="  ")
        changed = [f"{name} ({told.some(paths)})" for name, paths in told.changed(plans).items()]
        self._lines(f"changed: {told.some(changed) or 'nothing'}", first="  ")
        self._lines(self._verified(), first="  ")
        if self.backups:
            pins = f"{self.unpinned} pin{'s' * (self.unpinned != 1)}"
            self._lines(f"{pins} taken out; what was stored before is in {', '.join(self.backups)}", first="  ")
        if left:
            self._lines(f"not yet as the chart says: {told.some(left)}", first="  ")
            self.say(f"  next: {_AGAIN}\n")

    def _verified(self) -> str:
        """The last line: whether what is stored is live, and no pin is left."""
        order = self.order
        try:
            found = verify(order.cluster, order.release, order.driver)
        except PostrenderError as error:
            return f"not verified: {error.where + ': ' if error.where else ''}{error.cause}"
        pins = "a pin is stored" if any(each.pinned for each in found.objects) else "no pin is stored"
        if found.in_sync:
            count = len(found.objects)
            return f"verified: {count} object{'s' * (count != 1)} live as stored; {pins}"
        apart = [f"{each.name} ({each.state.value})" for each in found.objects if each.state is not State.IN_SYNC]
        release = order.release
        return (
            f"verified: not live as stored: {told.some(apart)}; {pins}; "
            f"postrender verify {release.name} -n {release.namespace} tells more"
        )

    def _failed(self, code: int, plan: View | None, first: View | None = None) -> int:
        """Say what state everything is in after Helm failed, and what to type."""
        order = self.order
        try:
            revisions = self._revisions()
        except PostrenderError as error:
            self._lines(f"postrender: Helm failed (exit code {code}), and what it left cannot be told: {error.cause}")
            return code
        newest = revisions[-1] if revisions else None
        again = f"postrender run -- helm {order.command.line.command} ...   (the same again, once the cause is mended)"
        next: tuple[str, ...] = (again,)
        if newest is None or newest.revision <= self.noted.before:
            was = f"revision {newest.revision}, {newest.status}" if newest else "not installed"
            state = f"the release is as it was: {was}"
            if newest is not None and newest.status.startswith("pending-"):
                next = self._unless_at_work(newest)
        elif newest.status.startswith("pending-"):
            state = f"revision {newest.revision} is {newest.status}, and no Helm is at work on it any more"
            next = (f"{again}; it takes that record away and goes on",)
        elif newest.status == "failed":
            state = f"revision {newest.revision} is failed, and what it had changed by then stays changed"
            next = (f"postrender run -- {_AGAIN}",)
        else:
            state = f"the release is {newest.status}, revision {newest.revision}"
        self._lines(f"postrender: Helm failed (exit code {code}): {state}")
        if first is not None:
            names = told.some(told.announced(first))
            self._lines(f"installed before that, and stored as it is live: {names}", first="  ")
        if told.written(plan):
            self._lines(f"written by postrender before Helm failed: {told.some(told.written(plan))}", first="  ")
        self.say("".join(f"  next: {line}\n" for line in next))
        if newest is None or not newest.status.startswith("pending-"):
            self.notes.end()
        return code

    def _revisions(self) -> tuple[StoredRelease, ...]:
        found = self.order.cluster.releases(self.order.release, manifest=False, driver=self.order.driver)
        if isinstance(found, Unknown):
            raise self._unreadable(found)
        return found

    def _unless_at_work(self, pending: StoredRelease) -> tuple[str, ...]:
        """What to type where a record is pending and its Helm may be alive.

        No rollback and no uninstall: those change or delete what is live, and all that is in the way is the record.
        """
        release, kept = pending.release, storage(self.order.driver)
        assert not isinstance(kept, Unknown)
        record = f"{kept.resource.qualified} {stored_name(pending)}"
        return (
            f"helm history {release.name} -n {release.namespace}",
            f"{self.order.cluster.kubectl(f'delete {record}', release.namespace)}   (if no Helm is at work any more)",
        )

    def _unreadable(self, why: Unknown) -> ClusterError:
        return ClusterError(
            f"its stored revisions could not be read from {self.order.cluster.description}: {why.reason}",
            where=f"release {self.order.release}",
            next=why.next,
        )

    def _lines(self, text: str, first: str = "") -> None:
        self.say("".join(f"{line}\n" for line in wrapped(text, first=first, rest=first + "  ")))
