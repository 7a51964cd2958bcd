"""What ``postrender run`` prints in the end: what was adopted, changed, verified and left to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from postrender._record import Record
from postrender.errors import PostrenderError
from postrender.models import StoredRelease
from postrender.operations.run.journal import RunState
from postrender.operations.run.request import (
    UPGRADE,
    Output,
    RunRequest,
    left_pending,
    print_hints,
    print_lines,
    revisions,
    unless_at_work,
)
from postrender.operations.verify import State, verify
from postrender.planner.view import ObjectView, View
from postrender.planner.view_json import NoPlan, plan_from_json
from postrender.settings.table import unseen_beside
from postrender.text import AGAIN, Hint, shorten

_ADOPTED = ("ours-kept", "orphan", "unmanaged")


def read(path: str) -> View | None:
    """The plan in that file; ``None`` where the filter left none, because it failed or never ran."""
    try:
        with open(path, "rb") as file:
            return plan_from_json(json.load(file))
    except (OSError, ValueError, NoPlan):
        return None


def unseen(path: str) -> str:
    """The filter's message that could not be shown, from the file beside the plan; ``""`` for none."""
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


def changed_fields(plans: Sequence[View | None]) -> dict[str, tuple[str, ...]]:
    """The objects that were live before and are different now, with the paths; made and deleted ones without.

    Of one that Helm applies server-side only the server knows what changes, and it may not have been asked.
    """
    found: dict[str, dict[str, None]] = {}
    for each in _objects(plans):
        request = each.prediction.request
        if request in ("create", "delete"):
            found.setdefault(each.name, {})[f"{request}d"] = None
        elif request == "apply" and each.after is None:
            found.setdefault(each.name, {})["fields unknown"] = None
        for change in each.prediction.changes:
            found.setdefault(each.name, {})[".".join(map(str, change.path))] = None
    return {name: tuple(paths) for name, paths in found.items()}


def _objects(plans: Sequence[View | None]) -> Iterator[ObjectView]:
    for plan in plans:
        yield from plan.objects if plan else ()


class RunResult(Record):
    """What was done: the plans of all steps, in how many places pins were taken out and where the copies are.

    ``left`` are the objects that an upgrade has still to bring to what the chart says.
    """

    plans: tuple[View | None, ...]
    unpinned: int
    backups: tuple[str, ...]
    left: tuple[str, ...]


def print_success(request: RunRequest, output: Output, done: RunResult) -> None:
    """Say what came of it; raises ClusterError where the release cannot be read."""
    newest = revisions(request)[-1]
    print_lines(output, f"postrender: release {request.release} is {newest.status}, revision {newest.revision}")
    print_lines(output, f"adopted: {shorten(adopted(done.plans)) or 'nothing'}", first="  ")
    changed = [f"{name} ({shorten(paths)})" for name, paths in changed_fields(done.plans).items()]
    print_lines(output, f"changed: {shorten(changed) or 'nothing'}", first="  ")
    verified, more = _verified(request)
    print_lines(output, verified, first="  ")
    if done.backups:
        pins = f"{done.unpinned} pin{'s' * (done.unpinned != 1)}"
        print_lines(output, f"{pins} removed; the previous revision is saved in {', '.join(done.backups)}", first="  ")
    if done.left:
        print_lines(output, f"not yet updated to the chart: {shorten(done.left)}", first="  ")
        more = (*more, request.whole(UPGRADE))
    print_hints(output, more)


def _verified(request: RunRequest) -> tuple[str, tuple[str, ...]]:
    """Whether the live objects are as stored, and no pin is left; and the command that shows more."""
    try:
        found = verify(request.cluster, request.release, request.driver)
    except PostrenderError as error:
        return f"not verified: {error.where + ': ' if error.where else ''}{error.cause}", error.next
    pins = (
        "a resourceVersion is stored" if any(each.pinned for each in found.objects) else "no resourceVersion is stored"
    )
    if found.in_sync:
        count = len(found.objects)
        return f"verified: {count} object{'s' * (count != 1)} live as stored; {pins}", ()
    apart = [f"{each.name} ({each.state.value})" for each in found.objects if each.state is not State.IN_SYNC]
    release = request.release
    more = request.cluster.typed(f"postrender verify {release.name}", release.namespace)
    return f"verified: not live as stored: {shorten(apart)}; {pins}", (more,)


def print_failure(
    request: RunRequest, output: Output, noted: RunState, code: int, plans: Sequence[View | None]
) -> bool:
    """Say what state everything is in after Helm failed, and what to type; ``plans`` are those of the steps till then.

    Whether the run is over: not where its Helm left a pending record, which a second call takes away.
    """
    try:
        stored = revisions(request)
    except PostrenderError as error:
        print_lines(output, f"postrender: Helm failed (exit code {code}), and its result is unknown: {error.cause}")
        return False
    newest = stored[-1] if stored else None
    dead = newest is not None and left_pending(noted, plans[-1], newest)
    print_lines(output, f"postrender: Helm failed (exit code {code}): {_state(noted, newest, dead=dead)}")
    for plan in plans[:-1]:
        names = shorten(announced(plan))
        print_lines(output, f"installed before that, with the live spec stored: {names}", first="  ")
    if written(plans[-1]):
        print_lines(output, f"written by postrender before Helm failed: {shorten(written(plans[-1]))}", first="  ")
    print_hints(output, _next(request, noted, newest, dead=dead))
    return not dead


def _state(noted: RunState, newest: StoredRelease | None, *, dead: bool) -> str:
    """What the release is after Helm failed; ``dead`` says that it left a pending record."""
    if newest is None:
        return "the release is unchanged: not installed"
    if newest.revision <= noted.before:
        return f"the release is unchanged: revision {newest.revision}, {newest.status}"
    if newest.status == "failed":
        return f"revision {newest.revision} is failed; what it had changed until then stays"
    if dead:
        return f"revision {newest.revision} is {newest.status}; no helm process is running"
    return f"the release is {newest.status}, revision {newest.revision}"


def _next(request: RunRequest, noted: RunState, newest: StoredRelease | None, *, dead: bool) -> tuple[str, ...]:
    """What to type in that state."""
    if newest is not None and newest.status == "failed" and newest.revision > noted.before:
        return (request.whole(UPGRADE),)
    if newest is not None and newest.status.startswith("pending-") and not dead:
        return unless_at_work(request, newest)
    if dead:
        return (request.whole(Hint(AGAIN, "the same command removes that record and continues")),)
    again = Hint(AGAIN, "the same command, after you fix the cause")
    return (request.whole(_possible(request, newest) or again),)


def _possible(request: RunRequest, newest: StoredRelease | None) -> str:
    """What to type if the same installation would fail because its name is in use now; ``""`` if it is free.

    It is free without any revision, or if --replace gives up the last one (``availableName``, pkg/action/install.go of
    3.9.0 to 4.3.1).
    """
    if not request.command.installs or newest is None:
        return ""
    replaceable = newest.status in ("uninstalled", "failed")
    if replaceable and request.command.line.switch("replace"):
        return ""
    if newest.status == "uninstalled":
        return "helm ... --replace"
    return UPGRADE
