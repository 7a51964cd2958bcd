"""What the plans of a run's steps say was done, as the filter left them (``postrender.report.json``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from postrender.caller.options import unseen_beside
from postrender.report.json import NoPlan, plan_from_json
from postrender.report.view import ObjectView, View

SHOWN = 5
"""How many of many a line names before it only counts the rest."""

_ADOPTED = ("ours-kept", "orphan", "unmanaged")


def read(path: str) -> View | None:
    """The plan in that file; ``None`` where the filter left none, because it failed or never ran."""
    try:
        with open(path, "rb") as file:
            return plan_from_json(json.load(file))
    except (OSError, ValueError, NoPlan):
        return None


def unseen(path: str) -> str:
    """What the filter said and nobody could see, left beside the plan in that file; ``""`` if it left nothing."""
    try:
        with open(unseen_beside(path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def announced(plan: View | None) -> tuple[str, ...]:
    """The objects that are stored as they are live, so that an upgrade is needed to apply the chart."""
    return tuple(each.name for each in plan.objects if "store-live" in each.actions) if plan else ()


def written(plan: View | None) -> tuple[str, ...]:
    """The live objects that the filter itself wrote to before Helm did anything."""
    return tuple(each.name for each in plan.objects if {"adopt", "apply"} & set(each.actions)) if plan else ()


def adopted(plans: Sequence[View | None]) -> tuple[str, ...]:
    """The objects that were there before and did not belong to the release, each once."""
    return tuple(
        dict.fromkeys(
            each.name for each in _objects(plans) if each.ownership is not None and each.ownership.standing in _ADOPTED
        )
    )


def changed(plans: Sequence[View | None]) -> dict[str, tuple[str, ...]]:
    """The objects that were live before and are different now, with the paths; made and deleted ones without.

    Of one that Helm applies server-side only the server knows what changes, and it may not have been asked.
    """
    found: dict[str, dict[str, None]] = {}
    for each in _objects(plans):
        request = each.prediction.request
        if request in ("create", "delete"):
            found.setdefault(each.name, {})[f"{request}d"] = None
        elif request == "apply" and each.after is None:
            found.setdefault(each.name, {})["what is not known"] = None
        for change in each.prediction.changes:
            found.setdefault(each.name, {})[".".join(map(str, change.path))] = None
    return {name: tuple(paths) for name, paths in found.items()}


def some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _objects(plans: Sequence[View | None]) -> Iterator[ObjectView]:
    for plan in plans:
        yield from plan.objects if plan else ()
