"""The whole flow, from stdin's bytes to stdout's, in one readable function."""

from __future__ import annotations

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader
from postrender.errors import Refused
from postrender.helm.invocation import DryRun, Invocation
from postrender.helm.versions import NEWEST_TESTED, HelmVersion
from postrender.manifest import Manifest
from postrender.manifest.edit import Set, splice
from postrender.models import KEEP_LIVE, SECRET, ReleaseName, Severity
from postrender.operations.filter.collect import collect_facts
from postrender.planner.decide import decide
from postrender.planner.facts import Facts
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.verdict import Plan, Verdict
from postrender.text import Advice, Hint, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from postrender.operations.filter.execute import Writer


class Planned(Record):
    """A plan, and what it was made from: all that a view of it needs. It may refuse (``Plan.errors``).

    ``manifest`` has the live values that are kept; ``rewritten`` names the documents that were serialized again for it.
    """

    manifest: Manifest
    facts: Facts
    plan: Plan
    rewritten: tuple[tuple[int, str], ...] = ()


class Result(Record):
    """The manifests for stdout and the executed plan. ``written`` names the live objects that were changed."""

    data: bytes
    plan: Plan
    rewritten: tuple[tuple[int, str], ...] = ()
    written: tuple[str, ...] = ()


def require_known(helm: HelmVersion | None) -> None:
    """Raise Refused for a major version of Helm that nothing is known about."""
    if helm is not None and helm.major not in NEWEST_TESTED:
        newest = " and ".join(str(version) for version in NEWEST_TESTED.values())
        raise Refused(
            f"Helm {helm} is not supported (tested up to {newest})",
            next=Advice("use a tested Helm, or a newer postrender"),
        )


def plan_stream(
    data: bytes, invocation: Invocation, policy: Policy, source: ClusterReader | None, *, whole: bool = False
) -> Planned:
    """What the filter would do with the stream, whether it would go on or refuse; nothing is written anywhere.

    What Helm will send to live objects is asked of the server as a dry run. ``source`` as for ``filter_stream``,
    ``whole`` as for ``collect_facts``. Raises ManifestError and ClusterError.
    """
    return plan_manifest(manifests.read(data), invocation, policy, source, whole=whole)


def plan_manifest(
    manifest: Manifest, invocation: Invocation, policy: Policy, source: ClusterReader | None, *, whole: bool = False
) -> Planned:
    """``plan_stream`` for a stream that was read already, and of which some objects may have been left out."""
    keeps = asks_to_keep(manifest, policy)
    facts = collect_facts(manifest, invocation, source, whole=whole, keep_live=policy.keep_live if keeps else None)
    rewritten: tuple[tuple[int, str], ...] = ()
    if keeps:
        from postrender.operations.filter.kept_values import with_kept_values  # Few charts and users ask for it.

        kept = with_kept_values(manifest, facts, policy, source)
        manifest, facts, rewritten = kept.manifest, kept.facts, kept.rewritten
    if source is None:
        return Planned(manifest, facts, decide(facts, policy))
    from postrender.operations.filter.dry_runs import (
        postponed,
        with_dry_run_results,
        with_fresh_objects,
        with_server_results,
    )

    facts = with_fresh_objects(facts, source)
    # Decide, and decide again with what each question that follows from the decision brings to light.
    draft = Planned(manifest, facts, decide(facts, policy), rewritten)
    facts, note = _with_holders(draft, source)
    draft = _refined(draft, facts, policy)
    if draft.plan.removed:
        from postrender.operations.filter.losses import with_losses  # Few upgrades remove objects.

        draft = _refined(draft, with_losses(draft.plan, draft.facts, source), policy)
    draft = _refined(draft, with_server_results(draft.plan, draft.facts, source), policy)
    # Ask the server what it would answer to Helm.
    plan = with_dry_run_results(draft.plan, draft.facts, policy, source)
    if refused := postponed(plan, draft.facts, policy):
        draft = _refined(draft, replace(draft.facts, postponed=refused), policy)
        plan = with_dry_run_results(draft.plan, draft.facts, policy, source)
    notes = (*plan.notes, *note, *_unchecked(draft.facts, source))
    return replace(draft, plan=_addressed(replace(plan, notes=notes), source))


def asks_to_keep(manifest: Manifest, policy: Policy) -> bool:
    """True if the user or the chart names live values to keep."""
    return bool(policy.keep_live) or any(KEEP_LIVE in ref.annotations for ref in manifest.objects)


def _refined(draft: Planned, facts: Facts, policy: Policy) -> Planned:
    """The draft as decided from ``facts``; the same draft if nothing new is known."""
    return draft if facts is draft.facts else replace(draft, facts=facts, plan=decide(facts, policy))


def _with_holders(draft: Planned, source: ClusterReader) -> tuple[Facts, tuple[str, ...]]:
    """The facts with the installed releases whose manifests hold objects to be adopted, and a note about the search."""
    facts, invocation = draft.facts, draft.facts.invocation
    if not draft.plan.adoptions or invocation.release is None:
        return facts, ()
    from postrender.cluster.release_lookup import holders  # Few runs write, and each pays for what it imports.

    live = [item.live for item in facts.items if item.live is not None]
    adopted = {verdict.key for verdict in draft.plan.adoptions}
    held = holders(source, [each for each in live if each.key in adopted], invocation.release, invocation.driver)
    return replace(facts, holders=held.found) if held.found else facts, (held.note,) if held.note else ()


def _unchecked(facts: Facts, source: ClusterReader) -> tuple[str, ...]:
    """A note on objects of which no server could tell the fields that left the chart from its defaults."""
    names = [item.name for item in facts.items if facts.not_compared.get(item.key) == ""]
    if not names:
        return ()
    return (
        f"only an API server can distinguish fields that left the chart from defaults; {source.description} has none, "
        f"so {shorten(names)} may keep such fields without notice",
    )


def _addressed(plan: Plan, source: ClusterReader | None) -> Plan:
    """The plan with the flags that reach the cluster in all that it advises: a decision knows no connection."""
    if source is None:
        return plan

    def addressed(verdict: Verdict) -> Verdict:
        if not any(finding.next for finding in verdict.findings):
            return verdict
        findings = tuple(replace(each, next=source.completed(each.next)) for each in verdict.findings)
        return replace(verdict, findings=findings)

    return replace(plan, verdicts=tuple(map(addressed, plan.verdicts)), removed=tuple(map(addressed, plan.removed)))


def _decided(facts: Facts, policy: Policy, source: ClusterReader | None) -> Plan:
    """What is decided after a write or after another program; raises Refused."""
    plan = _addressed(decide(facts, policy), source)
    check(plan)
    return plan


def filter_stream(
    data: bytes,
    invocation: Invocation,
    policy: Policy,
    source: ClusterReader | None,
    writer: Writer | None = None,
    *,
    seen: Callable[[Planned], None] | None = None,
    whole: bool = False,
    then: Callable[[bytes], bytes] | None = None,
) -> Result:
    """The stream as Helm is to install it.

    ``source`` is ``None`` for no lookups, ``writer`` for no writes. ``seen`` is called with the plan before it is
    carried out or refused; ``whole`` as for ``collect_facts``. ``then`` makes the emitted stream from ours.

    Live objects are written only in a real run, after the whole plan was allowed and the whole output was verified.
    Raises ManifestError, ClusterError and, with every objection in one message, Refused: then nothing is emitted.
    """
    planned = plan_stream(data, invocation, policy, source, whole=whole)
    if seen is not None:
        seen(planned)
    manifest, plan = planned.manifest, planned.plan
    check(plan)
    _check_values(planned, source)
    output = splice(manifest, plan.edits)
    rewritten = (*planned.rewritten, *output.rewritten)
    emitted = _handed_on(output.data, then, invocation, policy, source)
    writes = plan.adoptions or plan.applications
    if not writes or invocation.release is None or invocation.dry_run is not DryRun.NO:
        return Result(emitted, plan, rewritten)
    if writer is None:
        _check_unwritten(plan, source)
        return Result(emitted, plan, rewritten)
    now, policy, written = _write(planned, policy, source, writer, invocation.release)
    final = splice(manifest, now.edits)
    if final.data != output.data:
        emitted = _handed_on(final.data, then, invocation, policy, source)
    return Result(emitted, _executed_plan(plan, now), (*planned.rewritten, *final.rewritten), written)


def _write(
    planned: Planned, policy: Policy, source: ClusterReader | None, writer: Writer, release: ReleaseName
) -> tuple[Plan, Policy, tuple[str, ...]]:
    """Write what the plan asks for to the live objects; the plan and policy that hold afterwards, the objects written.

    Raises ClusterError and Refused, which name the objects written so far.
    """
    from postrender.operations.filter.execute import apply_to_live, write_ownership  # Few runs write to the cluster.

    facts, plan, written = planned.facts, planned.plan, list[str]()
    if plan.adoptions:
        assert source is not None  # A cluster that can be written can be read.
        facts = write_ownership(facts, plan, writer, source, release, written)
        plan = _decided(facts, policy, source)
    if plan.applications:
        facts = apply_to_live(facts, plan, writer, written)
        # Fields that the server did not keep are stored as they are live, with a warning.
        policy = replace(policy, on_drift=OnDrift.STORE)
        plan = _decided(facts, policy, source)
    return plan, policy, tuple(written)


def _handed_on(
    data: bytes,
    then: Callable[[bytes], bytes] | None,
    invocation: Invocation,
    policy: Policy,
    source: ClusterReader | None,
) -> bytes:
    """What another program makes of the stream, decided on once more: it may want nothing written that is not there.

    Raises what that program does, and Refused where it undoes an edit, or brings an object that needs one.
    """
    if then is None:
        return data
    from postrender.helm.patch import differs
    from postrender.planner.rewrite import with_edits

    after = then(data)
    manifest = manifests.read(after)
    keeps = asks_to_keep(manifest, policy)
    facts = collect_facts(manifest, invocation, source, keep_live=policy.keep_live if keeps else None)
    if keeps:
        from postrender.operations.filter.kept_values import with_kept_values

        facts = replace(facts, kept=with_kept_values(manifest, facts, policy, source).facts.kept)
    plan = _decided(facts, policy, source)
    undone = []
    for verdict in plan.verdicts:
        body, kept = facts.desired(verdict.ref) if verdict.edits else None, facts.kept_of(verdict.ref).edits
        document = facts.desired.document(verdict.ref) if kept else None
        paths = [*differs(document, with_edits(document, kept)), *differs(body, with_edits(body, verdict.edits))]
        undone += [f"{verdict.name}: {'.'.join(path)}" for path in paths]
    if undone:
        raise Refused(
            "\n  ".join(["the program reverted required changes, or added objects that need them:", *undone]),
            where="--then",
            next=Advice("run it before postrender: give it with --first instead"),
        )
    return after


def _check_values(planned: Planned, source: ClusterReader | None) -> None:
    """Raises Refused where a digest would be emitted as a Secret's value."""
    if source is None:
        return
    for verdict in planned.plan.verdicts:
        edits = (*planned.facts.kept_of(verdict.ref).edits, *verdict.edits)
        if verdict.key.group_kind == SECRET and edits:
            from postrender.redact import digests_in

            if any(isinstance(edit, Set) and digests_in(edit.value) for edit in edits):
                raise Refused(
                    f"must be stored with its live spec, but {source.description} holds digests instead of its values",
                    where=verdict.name,
                    next="postrender snapshot ... --with-secrets",
                )


def _check_unwritten(plan: Plan, source: ClusterReader | None) -> None:
    """Raises Refused where a live object was to be written first and cannot be: what is emitted would not be true."""
    for verdict in plan.applications:
        raise Refused(
            f"must be updated to the chart first, but {source.description if source else 'nothing'} cannot be written",
            where=verdict.name,
            next=("--on-drift store", Hint("--dry-run client", "to see the resulting manifests")),
        )


def _executed_plan(plan: Plan, now: Plan) -> Plan:
    """The plan as it was made, with the edits of the one that was made after the writes, and what that one adds."""
    return replace(plan, verdicts=tuple(_carried_out(*pair) for pair in zip(plan.verdicts, now.verdicts, strict=True)))


def _carried_out(first: Verdict, now: Verdict) -> Verdict:
    by_code = {finding.code: finding for finding in now.findings}
    codes = {finding.code for finding in first.findings}
    added = [each for each in now.findings if each.severity is Severity.WARNING and each.code not in codes]
    return replace(
        first,
        edits=now.edits,
        prediction=now.prediction,
        findings=(*(by_code.get(each.code, each) for each in first.findings), *added),
    )


def check(plan: Plan) -> None:
    """Raises Refused, with every objection in one message, where the plan has one."""
    if not plan.errors:
        return
    first, *more = (f"{verdict.name}: {finding.text} ({finding.code})" for verdict, finding in plan.errors)
    steps: dict[str, None] = {}
    for _, finding in plan.errors:
        steps.update(dict.fromkeys(finding.next))
    codes = sorted({finding.code for _, finding in plan.errors})
    steps[f"postrender explain {' '.join(codes)}"] = None
    raise Refused(first, next=tuple(steps), more=more)
