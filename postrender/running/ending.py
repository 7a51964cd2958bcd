"""What a run says at its end: what was adopted and changed, or what state everything is in after Helm failed."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.errors import PostrenderError
from postrender.live import StoredRelease
from postrender.record import Record
from postrender.report.view import View
from postrender.running import told
from postrender.running.journal import Noted
from postrender.running.order import UPGRADE, Order, Say, left_pending, revisions, say_lines, unless_at_work
from postrender.verified import State
from postrender.verify import verify


class Done(Record):
    """What was done: the plans of all steps, in how many places pins were taken out and where the copies are.

    ``left`` are the objects that an upgrade has still to bring to what the chart says.
    """

    plans: tuple[View | None, ...]
    unpinned: int
    backups: tuple[str, ...]
    left: tuple[str, ...]


def succeeded(order: Order, say: Say, done: Done) -> None:
    """Say what came of it; raises ClusterError where the release cannot be read."""
    newest = revisions(order)[-1]
    say_lines(say, f"postrender: release {order.release} is {newest.status}, revision {newest.revision}")
    say_lines(say, f"adopted: {told.some(told.adopted(done.plans)) or 'nothing'}", first="  ")
    changed = [f"{name} ({told.some(paths)})" for name, paths in told.changed(done.plans).items()]
    say_lines(say, f"changed: {told.some(changed) or 'nothing'}", first="  ")
    say_lines(say, _verified(order), first="  ")
    if done.backups:
        pins = f"{done.unpinned} pin{'s' * (done.unpinned != 1)}"
        say_lines(say, f"{pins} taken out; what was stored before is in {', '.join(done.backups)}", first="  ")
    if done.left:
        say_lines(say, f"not yet as the chart says: {told.some(done.left)}", first="  ")
        say(f"  next: {UPGRADE}\n")


def _verified(order: Order) -> str:
    """Whether what is stored is live, and no pin is left."""
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
    more = order.cluster.typed(f"postrender verify {release.name}", release.namespace)
    return f"verified: not live as stored: {told.some(apart)}; {pins}; {more} tells more"


def failed(order: Order, say: Say, noted: Noted, code: int, plans: Sequence[View | None]) -> bool:
    """Say what state everything is in after Helm failed, and what to type; ``plans`` are those of the steps till then.

    Whether the run is over: not where its Helm left a pending record, which a second call takes away.
    """
    try:
        stored = revisions(order)
    except PostrenderError as error:
        say_lines(say, f"postrender: Helm failed (exit code {code}), and what it left cannot be told: {error.cause}")
        return False
    newest = stored[-1] if stored else None
    dead = newest is not None and left_pending(noted, plans[-1], newest)
    say_lines(say, f"postrender: Helm failed (exit code {code}): {_state(noted, newest, dead=dead)}")
    for plan in plans[:-1]:
        names = told.some(told.announced(plan))
        say_lines(say, f"installed before that, and stored as it is live: {names}", first="  ")
    if told.written(plans[-1]):
        say_lines(say, f"written by postrender before Helm failed: {told.some(told.written(plans[-1]))}", first="  ")
    say("".join(f"  next: {line}\n" for line in _next(order, noted, newest, dead=dead)))
    return not dead


def _state(noted: Noted, newest: StoredRelease | None, *, dead: bool) -> str:
    """What the release is after Helm failed; ``dead`` says that it left a pending record."""
    if newest is None:
        return "the release is as it was: not installed"
    if newest.revision <= noted.before:
        return f"the release is as it was: revision {newest.revision}, {newest.status}"
    if newest.status == "failed":
        return f"revision {newest.revision} is failed, and what it had changed by then stays changed"
    if dead:
        return f"revision {newest.revision} is {newest.status}, and no Helm is at work on it any more"
    return f"the release is {newest.status}, revision {newest.revision}"


def _next(order: Order, noted: Noted, newest: StoredRelease | None, *, dead: bool) -> tuple[str, ...]:
    """What to type in that state."""
    if newest is not None and newest.status == "failed" and newest.revision > noted.before:
        return (f"postrender run -- {UPGRADE}",)
    if newest is not None and newest.status.startswith("pending-") and not dead:
        return unless_at_work(order, newest)
    again = f"postrender run -- helm {order.command.line.command} ...   (the same again, once the cause is mended)"
    if dead:
        return (f"{again}; it takes that record away and goes on",)
    return (_possible(order, newest) or again,)


def _possible(order: Order, newest: StoredRelease | None) -> str:
    """What to type if the same installation would fail because its name is in use now; ``""`` if it is free.

    It is free without any revision, or if --replace gives up the last one (``availableName``, pkg/action/install.go of
    3.9.0 to 4.3.1).
    """
    if not order.command.installs or newest is None:
        return ""
    replaceable = newest.status in ("uninstalled", "failed")
    if replaceable and order.command.line.switch("replace"):
        return ""
    if newest.status == "uninstalled":
        return "postrender run -- helm install ... --replace   (with the same chart and values)"
    return f"postrender run -- {UPGRADE}"
