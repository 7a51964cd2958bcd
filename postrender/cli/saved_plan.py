"""``--save`` and ``--plan``: a plan is kept in a file, and the filter refuses whatever departs from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from postrender import redact
from postrender._record import Record
from postrender.cluster.interface import CONTEXTS, ClusterReader
from postrender.errors import Refused, UsageError
from postrender.helm.invocation import Action
from postrender.operations.filter.pipeline import Planned
from postrender.planner.view import View
from postrender.planner.view_json import NoPlan, plan_from_json, plan_json
from postrender.settings import Caller
from postrender.text import Advice, Hint

SHOWN = 20
"""Departures that are named before they are only counted."""


class SavedPlan(Record):
    """A saved plan, and what the plan of this run is compared with it by."""

    path: str
    saved: View
    digests: redact.Digests

    def compare(self, planned: Planned, caller: Caller, source: ClusterReader | None) -> None:
        """Raises Refused, which names all that departs from the plan; UsageError where nothing was looked up."""
        if source is None or caller.invocation.action is Action.TEMPLATE:
            raise UsageError(
                "a saved plan needs a run that looks up live objects",
                where=self.path,
                next=(Advice("use helm install or helm upgrade, not helm template"), CONTEXTS),
            )
        from postrender.cli.run_info import about_of
        from postrender.planner.build_view import view
        from postrender.planner.compare import differences

        now = view(planned.plan, planned.facts, about_of(caller, planned.facts, source), self.digests)
        found = differences(self.saved, now)
        if not found:
            return
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise Refused(
            "\n  ".join(["the result differs from the saved plan", *found[:SHOWN], *more]),
            where=self.path,
            next=Hint(_again(self.path), "plan again, and review the new plan"),
        )


def hold(path: str, environ: Mapping[str, str]) -> SavedPlan:
    """The plan in a file that ``save`` wrote; raises UsageError."""
    try:
        saved = plan_from_json(json.loads(Path(path).read_bytes()))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path, next=_again(path)) from error
    except (ValueError, NoPlan) as error:
        cause = str(error) if isinstance(error, NoPlan) else "it is not JSON"
        raise UsageError(f"is not a saved plan: {cause}", where=path, next=_again(path)) from error
    digests = redact.digests(environ)
    if saved.about.digest_key != (digests.name if digests.keyed else ""):
        keyed = bool(saved.about.digest_key)
        raise UsageError(
            f"its digests of Secret values were made {'with another' if keyed else 'without this'} key",
            where=path,
            next=Advice(f"set {redact.VARIABLE} to the key with which the plan was saved")
            if keyed
            else f"unset {redact.VARIABLE}",
        )
    return SavedPlan(path, saved, digests)


def save(path: str, shown: View) -> None:
    """Write a plan to be held to; only the user may read it. Raises UsageError."""
    from postrender.operations.state_files import replace_private

    try:
        replace_private(path, (json.dumps(plan_json(shown), indent=1) + "\n").encode())
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=path) from error


def _again(path: str) -> str:
    return f"postrender plan ... --save {path}"
