"""Emits live values instead of the chart's where they are to be kept (``--keep-live``, ``postrender/keep-live``).

The stream is edited before anything is decided: all that follows takes the live values for the chart's.
"""

from __future__ import annotations

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader
from postrender.helm.invocation import Action, DryRun, Invocation
from postrender.manifest import Manifest
from postrender.manifest.edit import splice
from postrender.planner.facts import Facts
from postrender.planner.keep_live import kept_values
from postrender.planner.policy import Policy


class Kept(Record):
    """The stream with the live values, and the facts of it. ``rewritten`` is as in ``Spliced``."""

    manifest: Manifest
    facts: Facts
    rewritten: tuple[tuple[int, str], ...] = ()


def with_kept_values(manifest: Manifest, facts: Facts, policy: Policy, source: ClusterReader | None) -> Kept:
    """The stream and the facts with what is kept; raises UsageError and ManifestError."""
    kept = kept_values(facts, policy.keep_live, _unavailable(facts.invocation, policy, source))
    facts = replace(facts, kept=kept)
    edits = [edit for values in kept.values() for edit in values.edits]
    if not edits:
        return Kept(manifest, facts)
    edited = splice(manifest, edits)
    now = _with_lines(manifests.read(edited.data), manifest)
    items = tuple(replace(item, ref=ref) for item, ref in zip(facts.items, now.objects, strict=True))
    return Kept(now, replace(facts, items=items, desired=facts.desired.of(now)), edited.rewritten)


def _unavailable(invocation: Invocation, policy: Policy, source: ClusterReader | None) -> str:
    """Why no live value is emitted; ``""`` if they are."""
    if policy.for_git:
        return "the manifests go in Git"
    if source is None or invocation.action is Action.TEMPLATE:
        return "no live object is looked up"
    return "this is a client-side dry run" if invocation.dry_run is DryRun.CLIENT else ""


def _with_lines(now: Manifest, before: Manifest) -> Manifest:
    """The edited stream, whose objects have the lines of the stream that Helm rendered."""
    lines = iter(before.objects)
    documents = tuple(
        replace(document, objects=tuple(replace(ref, line=next(lines).line) for ref in document.objects))
        for document in now.documents
    )
    return Manifest(now.data, documents)
