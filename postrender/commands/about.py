"""What a run was about, for every view of a plan but the account."""

from __future__ import annotations

from postrender.caller import Caller
from postrender.commands.account import notes_of, told_by
from postrender.plan.facts import Facts, upgraded_from
from postrender.report.view import About
from postrender.source import Source


def about_of(caller: Caller, facts: Facts, source: Source | None) -> About:
    """As the account's heading tells it, in fields."""
    invocation = caller.invocation
    before = upgraded_from(invocation, facts.own)
    return About(
        helm=str(invocation.helm or ""),
        action="" if caller.origins["action"] == "default" else invocation.action.value,
        dry_run=invocation.dry_run.value,
        release=invocation.release,
        revision=before.revision if before else 0,
        source=source.description if source else "no cluster was asked",
        told=told_by(caller),
        notes=(*([source.note] if source and source.note else []), *notes_of(caller), *caller.notes),
    )
