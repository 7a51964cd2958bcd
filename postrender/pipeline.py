"""The whole flow, from stdin's bytes to stdout's, in one readable function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postrender import manifest as manifests
from postrender.errors import Refused
from postrender.gather import gather
from postrender.helm.invocation import DryRun, Invocation
from postrender.helm.versions import NEWEST_KNOWN, HelmVersion
from postrender.identity import ObjectKey, Resource
from postrender.live import Found, LiveObject, ReleaseName
from postrender.manifest import Manifest
from postrender.plan.decide import decide
from postrender.plan.facts import Facts
from postrender.plan.verdict import Plan
from postrender.policy import Policy
from postrender.record import Record, replace
from postrender.source import Source
from postrender.splice import splice

Stamper = Callable[[LiveObject, Resource, ReleaseName], LiveObject]
"""Writes ownership metadata to a live object, guarded by its resourceVersion; answers what is live then."""


class Planned(Record):
    """A plan, and what it was made from: all that a view of it needs. It may refuse (``Plan.errors``)."""

    manifest: Manifest
    facts: Facts
    plan: Plan


class Result(Record):
    """What is written to stdout, and the plan it carries out. ``adopted`` are the objects that were stamped live."""

    data: bytes
    plan: Plan
    rewritten: tuple[tuple[int, str], ...] = ()
    adopted: tuple[str, ...] = ()


def require_known(helm: HelmVersion | None) -> None:
    """Raise Refused for a major version of Helm that nothing is known about."""
    if helm is not None and helm.major not in NEWEST_KNOWN:
        newest = " and ".join(str(version) for version in NEWEST_KNOWN.values())
        raise Refused(
            f"Helm {helm} is not known: its ways were held against Helm up to {newest}",
            next="use such a Helm, or a newer postrender",
        )


def plan_stream(data: bytes, invocation: Invocation, policy: Policy, source: Source | None) -> Planned:
    """What the filter would do with the stream, whether it would go on or refuse; nothing is written anywhere.

    ``source`` as for ``filter_stream``. Raises ManifestError and ClusterError.
    """
    return plan_manifest(manifests.read(data), invocation, policy, source)


def plan_manifest(manifest: Manifest, invocation: Invocation, policy: Policy, source: Source | None) -> Planned:
    """``plan_stream`` for a stream that was read already, and of which some objects may have been left out."""
    facts = gather(manifest, invocation, source)
    return Planned(manifest, facts, decide(facts, policy))


def filter_stream(
    data: bytes,
    invocation: Invocation,
    policy: Policy,
    source: Source | None,
    stamper: Stamper | None = None,
) -> Result:
    """The stream as Helm shall install it.

    ``source`` is ``None`` where nothing is to be looked up, ``stamper`` where nothing may be written. Raises
    ManifestError, ClusterError and, with every objection in one message, Refused; then nothing was emitted. A write to
    a live object happens only after the whole plan and the whole output were proved.
    """
    planned = plan_stream(data, invocation, policy, source)
    manifest, facts, plan = planned.manifest, planned.facts, planned.plan
    check(plan)
    output = splice(manifest, plan.edits)
    adopted: tuple[str, ...] = ()
    if plan.adoptions and stamper is not None and invocation.release and invocation.dry_run is DryRun.NO:
        facts = _stamped(facts, plan, stamper, invocation.release)
        adopted = tuple(verdict.name for verdict in plan.adoptions)
        again = decide(facts, policy)
        check(again)
        output = splice(manifest, again.edits)
    return Result(output.data, plan, output.rewritten, adopted)


def _stamped(facts: Facts, plan: Plan, stamper: Stamper, release: ReleaseName) -> Facts:
    """The facts after the live objects were stamped; where one write fails, the others stand and can be repeated."""
    now: Mapping[ObjectKey, LiveObject] = {
        verdict.key: stamper(verdict.adopt, verdict.resource, release)
        for verdict in plan.adoptions
        if verdict.adopt is not None
    }
    return replace(
        facts,
        items=tuple(
            replace(item, observation=Found(now[item.key])) if item.key in now else item for item in facts.items
        ),
    )


def check(plan: Plan) -> None:
    """Raises Refused, with every objection in one message, where the plan has one."""
    if not plan.errors:
        return
    lines = [f"{verdict.name}: {finding.text} ({finding.code})" for verdict, finding in plan.errors]
    steps: dict[str, None] = {}
    for _, finding in plan.errors:
        steps.update(dict.fromkeys(finding.next))
    codes = sorted({finding.code for _, finding in plan.errors})
    steps[f"postrender explain {' '.join(codes)}"] = None
    raise Refused("\n".join(lines), next=tuple(steps))
