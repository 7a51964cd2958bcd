"""Writes what a plan asks for to live objects, one after the other. The filter writes nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from postrender._record import replace
from postrender.cluster.interface import ClusterReader
from postrender.errors import ClusterError, Refused
from postrender.models import Found, Json, LiveObject, ObjectKey, ReleaseName, Resource
from postrender.planner.facts import Facts
from postrender.planner.verdict import Plan
from postrender.text import Hint

_STORE = Hint(
    "helm ... --post-renderer-args=--on-drift=store", "to store the live spec; helm upgrade then applies the chart"
)


class Writer(Protocol):
    """What may write to live objects, each guarded by its resourceVersion; both answer what is live then."""

    def set_ownership(self, live: LiveObject, resource: Resource, release: ReleaseName) -> LiveObject:
        """Write ownership metadata; raises ClusterError."""

    def apply(self, live: LiveObject, resource: Resource, patch: Json, *, dry_run: bool) -> LiveObject:
        """Send a JSON merge patch, or in a dry run have it tried; raises ClusterError."""


def write_ownership(
    facts: Facts, plan: Plan, writer: Writer, source: ClusterReader, release: ReleaseName, written: list[str]
) -> Facts:
    """The facts after the ownership metadata was written; ``written`` gains the names of the objects.

    ``source`` is asked once more whose they are. Raises ClusterError, and Refused for an object whose owner is back,
    which say what was written; that stands, and the same run can be repeated.
    """
    from postrender.cluster.release_lookup import (  # Who only applies takes nothing from anybody.
        require_free,
        require_gone,
    )

    live = _live(facts)
    driver = facts.invocation.driver
    now: dict[ObjectKey, LiveObject] = {}
    with _with_written(written):
        require_free(source, {each.name: live[each.key] for each in plan.adoptions}, release, driver)
    for verdict in plan.adoptions:
        with _with_written(written):
            if now:
                require_gone(source, verdict.name, live[verdict.key], release, driver)
            now[verdict.key] = writer.set_ownership(live[verdict.key], verdict.resource, release)
        written.append(verdict.name)
    return _with(facts, now)


def apply_to_live(facts: Facts, plan: Plan, writer: Writer, written: list[str]) -> Facts:
    """The facts after the live objects were updated to the chart; as ``write_ownership``.

    The server is asked for all of it as a dry run first.
    """
    live = _live(facts)
    now = {}
    for verdict in plan.applications:
        with _with_written(written, _STORE):
            writer.apply(live[verdict.key], verdict.resource, verdict.apply, dry_run=True)
    for verdict in plan.applications:
        with _with_written(written, _STORE):
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
def _with_written(written: Sequence[str], *next: str) -> Iterator[None]:
    """An error of the write says what was written before it, and what else can be done."""
    try:
        yield
    except (ClusterError, Refused) as error:
        note = f"written before it: {', '.join(written)}" if written else "nothing was written before it"
        raise type(error)(f"{error.cause}; {note}", where=error.where, next=(*error.next, *next)) from error
