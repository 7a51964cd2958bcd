"""``postrender run``, step by step, and how an interrupted run is resumed."""

from __future__ import annotations

from postrender._record import Record, replace
from postrender.cluster.interface import unreadable
from postrender.errors import Refused
from postrender.models import StoredRelease, Unknown
from postrender.operations.run import helm_process, summary
from postrender.operations.run.journal import Journal, RunState, journal, wait
from postrender.operations.run.request import (
    UPGRADE,
    HelmCommand,
    Output,
    RunRequest,
    left_pending,
    print_hints,
    print_lines,
    revisions,
    unless_at_work,
)
from postrender.operations.run.summary import RunResult, print_failure, print_success
from postrender.operations.stored_revisions import back_up, backup_path
from postrender.operations.unpin import carry_out, find_pins, pinned
from postrender.planner.view import View
from postrender.text import Hint, shorten


class ResumePoint(Record):
    """The command to begin with, what is noted of the run, and whether an earlier one is gone on with."""

    command: HelmCommand
    noted: RunState
    resumed: bool = False


def beginning(request: RunRequest, notes: Journal, output: Output) -> ResumePoint:
    """Where to begin; a record whose Helm died at work for the interrupted run is taken away.

    Raises Refused where another Helm may be at work on the release, and ClusterError.
    """
    command, digest = request.command, request.command.digest(request.folder)
    stored = revisions(request)
    noted = notes.noted(digest)
    if noted is None:
        noted = RunState(stored[-1].revision if stored else 0, digest)
        notes.note(noted)
        return ResumePoint(command, noted)
    last = stored[-1] if stored else None
    pending = last is not None and last.revision > noted.before and last.status.startswith("pending-")
    plan = summary.read(notes.plan(noted.helm)) if noted.helm else None
    if last is not None and pending and not left_pending(noted, plan, last):
        raise Refused(
            f"has a pending operation (revision {last.revision}, {last.status}) that this run did not start; another "
            "helm process may be running. Nothing was changed",
            where=f"release {request.release}",
            next=unless_at_work(request, last),
        )
    print_lines(output, f"postrender: resuming the interrupted run for release {request.release}")
    if last is not None and pending:
        _forget(request, last, output)
        last = stored[-2] if len(stored) > 1 else None
    if command.installs and last is not None and (last.revision > noted.before or last.status == "superseded"):
        # Helm would say that the name is in use: by what the interrupted run installed, or by the revision that its
        # --replace gave up before it stored another (``replaceRelease``, pkg/action/install.go).
        command = command.as_upgrade()
    return ResumePoint(command, noted, resumed=True)


def _forget(request: RunRequest, revision: StoredRelease, output: Output) -> None:
    """Take away the record of a revision whose Helm died at work; nothing else is touched.

    Helm refuses every operation while there is one (``isUpgradable``, pkg/action of 3.9.0 to 4.3.1).
    """
    stored = request.cluster.payloads(request.release, request.driver)
    if isinstance(stored, Unknown):
        raise unreadable(request.release, request.cluster.description, stored)
    objects = [each for each in stored if each.revision.revision == revision.revision]
    path = backup_path(request.release, request.environ)
    back_up(objects, path)
    for each in objects:
        request.cluster.delete(each)
    print_lines(
        output,
        f"removed the record of revision {revision.revision} ({revision.status}), whose Helm died; a copy is in {path}",
        first="  ",
    )


def run(request: RunRequest, output: Output) -> int:
    """Do it; Helm's exit code where Helm fails. Raises PostrenderError."""
    with journal(request.release, request.cluster.description, request.environ) as (notes, busy):
        if busy:
            print_lines(
                output,
                "postrender: another run, or the Helm of an interrupted one, is still working on release "
                f"{request.release}; waiting until it ends",
            )
            wait(notes)
        begun = beginning(request, notes, output)
        return _Run(replace(request, command=begun.command), notes, output, begun.noted, resumed=begun.resumed).all()


class _Run:
    def __init__(self, request: RunRequest, notes: Journal, output: Output, noted: RunState, *, resumed: bool) -> None:
        self.request = request
        self.notes = notes
        self.output = output
        self.noted = noted
        self.resumed = resumed
        self.plans: list[View | None] = []
        self.unpinned = 0
        self.backups: list[str] = []

    def all(self) -> int:
        """All steps, one after the other; each leaves a state from which a second call goes on."""
        request = self.request
        with helm_process.renderer(request.helm, request.program, request.version, request.environ) as renderer:
            code = self._step("first", request.command, renderer)
            if code:
                return self._failed(code)
            self._unpin()
            (first,) = self.plans
            if first is None and self._stores_something():
                print_lines(
                    self.output,
                    "postrender: the filter left no plan; its report says whether a helm upgrade has to follow",
                )
                print_hints(self.output, [Hint(request.whole(UPGRADE), "if the report says so")])
            names = summary.announced(first)
            if names and request.upgrade:
                print_lines(self.output, f"postrender: running helm upgrade to apply the chart to {shorten(names)}")
                code = self._step("second", request.command.as_upgrade(), renderer, quiet=True)
                if code:
                    return self._failed(code)
                self._unpin()
        left = () if request.upgrade else names
        print_success(request, self.output, RunResult(tuple(self.plans), self.unpinned, tuple(self.backups), left))
        self.notes.end()
        return 0

    def _step(self, name: str, command: HelmCommand, renderer: helm_process.Renderer, *, quiet: bool = False) -> int:
        """Run Helm once, and read the plan that the filter left; Helm's exit code."""
        path = self.notes.new_plan(name)
        environ = helm_process.environ(renderer, path, first=name == "first", resumed=self.resumed)
        self._note(name)
        arguments = command.with_flags(*renderer.flags)
        code = helm_process.run(self.request.helm, arguments, environ, self.notes.lock, quiet=quiet)
        if not code:
            self._note("")
        self.plans.append(summary.read(path))
        return code

    def _note(self, helm: str) -> None:
        self.noted = replace(self.noted, helm=helm)
        self.notes.note(self.noted)

    def _failed(self, code: int) -> int:
        self.output(summary.unseen(self.notes.plan(self.noted.helm)))
        if print_failure(self.request, self.output, self.noted, code, self.plans):
            self.notes.end()
        return code

    def _unpin(self) -> None:
        request = self.request
        found = find_pins(request.cluster, request.release, request.driver)
        if pinned(found):
            path = backup_path(request.release, request.environ)
            carry_out(request.cluster, found, path)
            self.unpinned += sum(len(each.without.pins) for each in found if each.without)
            self.backups.append(path)

    def _stores_something(self) -> bool:
        found = find_pins(self.request.cluster, self.request.release, self.request.driver)
        return bool((found[-1].stored.revision.manifest or "").strip())
