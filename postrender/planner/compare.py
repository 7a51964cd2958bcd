"""The differences between a saved plan and the plan of this run."""

from __future__ import annotations

from collections.abc import Iterator

from postrender.manifest.json_diff import changes
from postrender.models import Json
from postrender.planner.view import ObjectView, View

MAX_LISTED = 3
"""Fields that are named before they are only counted."""


def differences(saved: View, now: View) -> list[str]:
    """A line for each difference that matters, with its object in front; none if the saved plan still holds.

    A new resourceVersion alone is none where everything but the status is as it was: controllers write that all the
    time. What the status says enters no patch.
    """
    return [*_of_the_run(saved, now), *_of_objects(saved, now)]


def _of_the_run(saved: View, current: View) -> Iterator[str]:
    before, after = saved.about, current.about
    if before.release != after.release:
        yield f"release {after.release}: the plan is one for release {before.release}"
    if before.helm != after.helm:
        yield f"helm {after.helm or 'of unknown version'}: the plan is one for helm {before.helm or 'of any version'}"
    if before.revision != after.revision:
        now, then = (_revision(about.revision) for about in (after, before))
        yield f"release {after.release}: {now} is stored now, and the plan starts from {then}"


def _of_objects(saved: View, now: View) -> Iterator[str]:
    found = {_key(each): each for each in now.objects}
    known = {_key(each) for each in saved.objects}
    for each in saved.objects:
        current = found.get(_key(each))
        if current is not None:
            yield from (f"{each.name}: {what}" for what in _of_one(each, current))
        elif each.prediction.request != "hook":
            # Helm 3 does not show its hooks to a post-renderer.
            yield f"{each.name}: {'left the release already' if each.leaving else 'is not in the stream any more'}"
    for each in now.objects:
        if _key(each) not in known:
            yield f"{each.name}: {'leaves the release' if each.leaving else 'is in the stream'}, and not in the plan"


def _of_one(saved: ObjectView, now: ObjectView) -> Iterator[str]:
    if saved.leaving != now.leaving:
        yield "leaves the release now" if now.leaving else "does not leave the release any more"
        return
    if saved.held.desired != now.held.desired:
        yield "the chart has changed"
    if saved.held.uid != now.held.uid:
        if not saved.held.uid:
            yield "is live now, and was not"
        else:
            yield "is another object now" if now.held.uid else "is not live any more"
    elif saved.held.resource_version != now.held.resource_version:
        yield from _of_live(saved, now)
    if saved.actions != now.actions:
        yield f"the filter's action is {' and '.join(now.actions)} now, and was {' and '.join(saved.actions)}"
    elif saved.held.emitted != now.held.emitted and saved.held.desired == now.held.desired:
        yield "the filter makes something else of it now"


def _of_live(saved: ObjectView, now: ObjectView) -> Iterator[str]:
    if saved.object.kind == "Secret" and not saved.object.group:
        yield "was changed since"
        return
    if saved.live is None or now.live is None:
        yield f"was changed since: resourceVersion {now.held.resource_version}"
        return
    fields = [".".join(map(str, each.path)) for each in changes(_without_status(saved.live), _without_status(now.live))]
    if fields:
        more = f" and {len(fields) - MAX_LISTED} more" if len(fields) > MAX_LISTED else ""
        yield f"was changed since: {', '.join(fields[:MAX_LISTED])}{more}"


def _without_status(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "status"}


def _key(each: ObjectView) -> tuple[str, str, str, str]:
    return each.object.group, each.object.kind, each.object.namespace, each.object.name


def _revision(number: int) -> str:
    return f"revision {number}" if number else "no revision"
