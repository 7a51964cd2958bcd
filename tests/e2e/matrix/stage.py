"""Scenarios played on a real API server: steps are taken, and everything they name is looked at."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from postrender.cluster.client import connect
from postrender.errors import PostrenderError
from postrender.helm.versions import behaviour_of
from postrender.models import Connection
from postrender.operations.filter.pipeline import filter_stream
from postrender.planner.policy import Policy
from postrender.planner.verdict import Plan
from tests.e2e.api import Namespace, Object, Release
from tests.e2e.charts import chart
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm
from tests.e2e.helm import Run as Finished
from tests.e2e.matrix.steps import OTHER, Applied, Column, Deleted, Place, Ref, Run, Scenario, Step, Touched, Uninstall
from tests.tools import assets

State = Mapping[Ref, "Object | None"]
"""What is live for every object of a scenario; ``None`` where there is nothing."""

QUICKLY = "--disable-openapi-validation"
"""Helm then does not fetch all schemas to check the manifests before it begins, which takes half of its time."""

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A run of Helm with the filter: what Helm did, the filter's exit code, its account."""

    helm: Finished
    code: int
    account: str


class Stage:
    """One place for one scenario: namespaces and a Helm of its own."""

    def __init__(self, plane: ControlPlane, column: Column, folder: Path, cache: Path) -> None:
        number = next(_NUMBERS)
        self.plane = plane
        self.column = column
        self.place = Place(f"m{number}")
        self.namespace = plane.namespace(self.place.namespace)
        self.other = plane.namespace(f"{self.place.namespace}-{OTHER}")
        self.folder = folder / f"m{number}"
        self.helm = self._helm(column.version, cache)
        self._cache = cache

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the files; the namespaces stay, since nothing would collect them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def set(self, scenario: Scenario) -> None:
        """Take all the steps before the run; AssertionError where one fails that may not."""
        for step in scenario.before:
            self.take(step)

    def take(self, step: Step) -> None:
        """One step, without the filter."""
        if isinstance(step, Run):
            done = self.play(step)
            if not step.may_fail:
                done.expect_ok()
        elif isinstance(step, Uninstall):
            self.helm.uninstall(step.release, *(["--keep-history"] if step.keep_history else [])).expect_ok()
        elif isinstance(step, Applied):
            self._of(step.thing.ref).kubectl_apply(step.thing.manifest(self.place), step.thing.kind)
        elif isinstance(step, Touched):
            name = step.ref.real_name(self.place)
            self._of(step.ref).patch(step.ref.kind, name, json.loads(json.dumps(step.patch)))
        else:
            self._delete(step)

    def _helm(self, version: str, cache: Path) -> Helm:
        program = assets.find(f"helm@{version}")
        return Helm(program, version, self.folder, self.plane.kubeconfig, self.place.namespace, cache)

    def play(self, run: Run) -> Finished:
        """The run with Helm alone."""
        if run.helm:
            return self._helm(run.helm, self._cache).run(*self._words(run), *run.typed(Column(run.helm)), QUICKLY)
        return self.helm.run(*self._words(run), *run.typed(self.column), QUICKLY)

    def play_filtered(self, run: Run, policy: Policy) -> Filtered:
        """The run with the filter, which sees the stream in this process; a post-renderer hands its answer to Helm.

        That the program finds out by itself who called it is not what a cell is about, and takes as long as all else.
        """
        cluster = connect(Connection(kubeconfig=str(self.plane.kubeconfig)))
        invocation = run.invocation(self.column, self.place)
        answer = self.folder / "answer"
        try:
            result = filter_stream(self.rendered(run), invocation, policy, cluster, cluster)
        except PostrenderError as error:
            code, account, data = error.exit_code, str(error), b""
        else:
            code, account, data = 0, _account(result.plan), result.data
        answer.write_bytes(data)
        program = self.folder / "filter"
        program.write_text(f"#!/bin/sh\ncat >/dev/null\ncat '{answer}'\nexit {code}\n")
        program.chmod(0o755)
        done = self.helm.run(*self._words(run), *run.typed(self.column), QUICKLY, filter=Filter(program=program))
        return Filtered(done, code, account)

    def rendered(self, run: Run) -> bytes:
        """The stream that a post-renderer gets from this run."""
        hooks = [] if behaviour_of(self.column.helm).hooks_in_stream else ["--no-hooks"]
        return self.helm.run("template", *self._words(run)[1:], *hooks).expect_ok().stdout.encode()

    def state(self, scenario: Scenario) -> State:
        """All that is live."""
        return {ref: self.plane.api.get(ref.path(self.place)) for ref in scenario.refs}

    def releases(self, name: str) -> list[Release]:
        """The stored revisions of a release."""
        return self.namespace.releases(name)

    def _words(self, run: Run) -> list[str]:
        templates = {f"{index:02}": thing.manifest(self.place) for index, thing in enumerate(run.things)}
        return [run.action.value.partition(" ")[0], run.release, str(chart(self.folder, templates))]

    def _of(self, ref: Ref) -> Namespace:
        return self.other if ref.namespace else self.namespace

    def _delete(self, step: Deleted) -> None:
        name = step.ref.real_name(self.place)
        where = self._of(step.ref)
        if step.finalizer:
            where.patch(step.ref.kind, name, {"metadata": {"finalizers": ["example.com/hold"]}})
        where.delete(step.ref.kind, name)


def _account(plan: Plan) -> str:
    return "\n".join(
        f"{verdict.name}: {finding.text} ({finding.code})"
        for verdict in (*plan.verdicts, *plan.removed)
        for finding in verdict.findings
    )
