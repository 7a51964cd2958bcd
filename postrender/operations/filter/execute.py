"""The writes to live objects that a plan asks for, one after the other; nothing else ever writes to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from postrender._record import replace
from postrender.errors import ClusterError
from postrender.models import Found, Json, LiveObject, ObjectKey, ReleaseName, Resource
from postrender.planner.facts import Facts
from postrender.planner.verdict import Plan

_STORE = "helm ... --post-renderer-args=--on-drift=store   (and then helm upgrade)"


class Writer(Protocol):
    """What may write to live objects, each guarded by its resourceVersion; both answer what is live then."""

    def stamp(self, live: LiveObject, resource: Resource, release: ReleaseName) -> LiveObject:
        """Write ownership metadata; raises ClusterError."""

    def apply(self, live: LiveObject, resource: Resource, patch: Json, *, dry_run: bool) -> LiveObject:
        """Send a JSON merge patch, or in a dry run have it tried; raises ClusterError."""


def stamped(facts: Facts, plan: Plan, writer: Writer, release: ReleaseName, written: list[str]) -> Facts:
    """The facts after the ownership metadata was written; ``written`` gains the names of the objects.

    Raises ClusterError, which says what was written; that stands, and the same run can be repeated.
    """
    live = _live(facts)
    now = {}
    for verdict in plan.adoptions:
        with _telling(written):
            now[verdict.key] = writer.stamp(live[verdict.key], verdict.resource, release)
        written.append(verdict.name)
    return _with(facts, now)


def brought(facts: Facts, plan: Plan, writer: Writer, written: list[str]) -> Facts:
    """The facts after the live objects were brought to what the chart says; as ``stamped``.

    The server is asked for all of it as a dry run first.
    """
    live = _live(facts)
    now = {}
    for verdict in plan.applications:
        with _telling(written, _STORE):
            writer.apply(live[verdict.key], verdict.resource, verdict.apply, dry_run=True)
    for verdict in plan.applications:
        with _telling(written, _STORE):
            now[verdict.key] = writer.apply(live[verdict.key], verdict.resource, verdict.apply, dry_run=False)
        written.append(verdict.name)
    return _with(facts, now)


def _live(facts: Facts) -> dict[ObjectKey, LiveObject]:
    return {item.key: item.live for item in facts.items if item.live is not None}


def _with(facts: Facts, now: Mapping[ObjectKey, LiveObject]) -> Facts:
    return replace(
        facts,
        items=tuple(
            replace(item, observation=Found(now[item.key])) if item.key in now else item for item in facts.items
        ),
    )


@contextmanager
def _telling(written: Sequence[str], *next: str) -> Iterator[None]:
    """An error of the write says what was written before it, and what else can be done."""
    try:
        yield
    except ClusterError as error:
        said = f"written before it: {', '.join(written)}" if written else "nothing was written before it"
        raise ClusterError(f"{error.cause}; {said}", where=error.where, next=(*error.next, *next)) from error
