"""Live objects after a server-side apply compared with new objects of the same chart. Pure.

The server shows both: the apply as a dry run, and an apply under an unused name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from postrender._record import replace
from postrender.cluster.interface import Accepted, DryRunRequest, DryRunResult, Verb
from postrender.helm.field_set import Path, shown
from postrender.helm.fresh_install import expected_object, field_owners, keys_of_string_data
from postrender.helm.invocation import Invocation
from postrender.helm.patch import PatchType, deep_equal, patch_type
from postrender.helm.server_side.leftovers import (
    Leftover,
    cannot_change,
    leftovers,
    lost,
    of_others,
    operations,
    pointer,
)
from postrender.models import SECRET, Json, ObjectKey, Severity
from postrender.planner import simulation_findings
from postrender.planner.context import allowed
from postrender.planner.dry_run import with_finding
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.fresh_objects import charted_object, create_request, fresh_object
from postrender.planner.policy import Policy
from postrender.planner.verdict import Finding, Plan, Verdict

Answers = Mapping[ObjectKey, "Json | str"]
"""New objects by the key of the live one, or why there is none."""


def new_objects(answers: Sequence[tuple[DryRunRequest, DryRunResult]]) -> dict[ObjectKey, DryRunRequest]:
    """Dry-run applies of new objects, one for each applied object with more fields than the chart sets."""
    return {
        request.key: replace(
            create_request(request.resource, request.key, request.body),
            verb=Verb.APPLY,
            creates=True,
            strict_validation=True,
        )
        for request, answer in _applied(answers)
        if _sets_more(answer.live, request.body)
    }


def known(requests: Mapping[ObjectKey, DryRunRequest], answers: Sequence[DryRunResult]) -> Answers:
    """The new objects by the key of the live one, from the results of ``new_objects``."""
    return {
        key: fresh_object(request, answer) for (key, request), answer in zip(requests.items(), answers, strict=True)
    }


def compared(
    plan: Plan, facts: Facts, policy: Policy, answers: Sequence[tuple[DryRunRequest, DryRunResult]], fresh: Answers
) -> Plan:
    """The plan with findings for fields that differ between applied objects and new ones."""
    # An object may be there twice; of one that was not tried, its earlier document says what is known.
    after = {request.key: (request, answer.live) for request, answer in _applied(answers) if request.key in fresh}
    held = {entry.key for entry in facts.previous_objects}
    live_objects = {item.key: item.live.body for item in facts.items if item.live is not None}
    return replace(
        plan,
        verdicts=tuple(
            _compared(
                verdict,
                policy,
                *after[verdict.key],
                fresh[verdict.key],
                run=facts.invocation,
                held=verdict.key in held,
                reported=_keys_reported(live_objects.get(verdict.key), after[verdict.key][0].field_manager)
                if verdict.key.group_kind == SECRET
                else frozenset(),
            )
            if verdict.key in after and verdict.dry_run is not None
            else verdict
            for verdict in plan.verdicts
        ),
    )


def compared_client_side(plan: Plan, facts: Facts, policy: Policy) -> Plan:
    """The plan with findings for fields that Helm's client-side patches leave in live objects for good.

    These are defaults without a manager whose condition is gone and, in adopted objects, fields of other managers.
    """
    items = {item.key: item for item in facts.items if item.key in facts.fresh}
    return replace(
        plan,
        verdicts=tuple(
            _client_side(verdict, items[verdict.key], facts, policy) if verdict.key in items else verdict
            for verdict in plan.verdicts
        ),
    )


def _client_side(verdict: Verdict, item: DesiredObject, facts: Facts, policy: Policy) -> Verdict:
    release = facts.invocation.release
    if item.live is None or release is None or any(finding.severity is Severity.ERROR for finding in verdict.findings):
        return verdict
    body, manager = charted_object(facts, item, release), facts.invocation.field_manager
    live, fresh = item.live.body, facts.fresh[item.key]
    merges = patch_type(item.ref.gvk, facts.invocation.helm) is PatchType.MERGE
    after = expected_object(live, body, fresh, field_owners(live, fresh, manager, whole_lists=merges))
    managed = {**after["metadata"], "managedFields": live["metadata"].get("managedFields")}
    found = leftovers(item.key.group_kind, {**after, "metadata": managed}, fresh, body, manager)
    if any(entry.key == item.key for entry in facts.previous_objects):
        # What others set in an object of the release was no secret when they did.
        found = tuple(each for each in found if not each.managers)
    request = DryRunRequest(Verb.MERGE, item.resource, item.key, body)
    others = [each for each in found if not each.in_chart]
    # No apply of this Helm would take out what was made its own.
    for finding in _findings(request, after, others, policy, run=None, held=False):
        verdict = with_finding(verdict, allowed(finding, policy))
    after = verdict.prediction.live if verdict.prediction else None
    nulls = [path for path in _nulls(body) if path in set(_nulls(fresh)) and not _has(after, path)] if merges else []
    if nulls:
        paths = [".".join(path) for path in nulls]
        places = [pointer(live, tuple(f"f:{name}" for name in path)) for path in nulls if _has(live, path[:-1])]
        patch = [{"op": "add", "path": place, "value": None} for place in places]
        finding = simulation_findings.nulls_removed(paths, verdict.name, patch, policy)
        verdict = with_finding(verdict, allowed(finding, policy))
    return verdict


def _nulls(body: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of nulls below ``spec`` and its like, lists left out: a patch sets these whole."""
    if body is None:
        yield path
    for name, value in body.items() if isinstance(body, dict) else ():
        if path or name not in ("metadata", "status"):
            yield from _nulls(value, (*path, name))


def _has(body: Json, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(body, dict) or name not in body:
            return False
        body = body[name]
    return True


def _keys_reported(live: Json, manager: str) -> frozenset[Path]:
    """The keys that ``stringData`` wrote into a live Secret: ``string_data`` reports those that left the chart."""
    keys = set(keys_of_string_data(live, manager)) if live else set()
    paths = {("f:data", f"f:{key}") for key in keys}
    # Where all keys left, the leftover is the map.
    whole = {("f:data",)} if keys and keys.issuperset(live.get("data") or {}) else set()
    return frozenset(paths | whole)


def _applied(answers: Sequence[tuple[DryRunRequest, DryRunResult]]) -> Iterator[tuple[DryRunRequest, Accepted]]:
    """The applies to live objects that the server would carry out."""
    for request, answer in answers:
        if request.verb is Verb.APPLY and not request.creates and isinstance(answer, Accepted):
            yield request, answer


def _sets_more(live: Json, chart: Json) -> bool:
    """Whether there is more in the object than the chart says, but for what every object has."""
    metadata = {name: live["metadata"].get(name) for name in chart["metadata"]}
    return not deep_equal({**live, "metadata": metadata}, chart)


def _compared(
    verdict: Verdict,
    policy: Policy,
    request: DryRunRequest,
    live: Json,
    fresh: Json | str,
    *,
    run: Invocation | None,
    held: bool,
    reported: frozenset[Path],
) -> Verdict:
    if any(finding.severity is Severity.ERROR for finding in verdict.findings):
        return verdict
    if isinstance(fresh, str):
        found: Sequence[Leftover] = of_others(live, request.body, request.field_manager)
    else:
        found = leftovers(request.key.group_kind, live, fresh, request.body, request.field_manager)
    shown_here = [each for each in found if each.path not in reported]
    findings = _findings(request, live, shown_here, policy, run=run, held=held)
    if isinstance(fresh, str) and fresh and not held:
        findings.append(simulation_findings.not_compared(fresh))
    for finding in findings:
        verdict = with_finding(verdict, allowed(finding, policy))
    return verdict


def _findings(
    request: DryRunRequest,
    live: Json,
    found: Sequence[Leftover],
    policy: Policy,
    *,
    run: Invocation | None,
    held: bool,
) -> list[Finding]:
    custom = patch_type(request.resource.gvk) is PatchType.MERGE
    reported = {tuple(f"f:{name}" for name in path) for path in lost(request.body, live)} if custom else set()
    dropped = [each for each in found if each.in_chart and each.path not in reported]
    others = [each for each in found if each.managers and not each.in_chart]
    rest = [each for each in found if not (each.managers or each.in_chart)]
    findings = []
    if dropped:
        findings.append(simulation_findings.dropped([(shown(each.path),) for each in dropped]))
    if others:
        fields = [f"{shown(each.path)} ({', '.join(each.managers)})" for each in others]
        managers = dict.fromkeys(manager for each in others for manager in each.managers)
        patch = _patch(request, live, others)
        findings.append(
            simulation_findings.of_other_managers(fields, list(managers), request.name, run, patch, held=held)
        )
    if rest:
        paths = [shown(each.path) for each in rest]
        recreate = any(cannot_change(request.key.group_kind, each) for each in rest)
        patch = _patch(request, live, rest)
        findings.append(simulation_findings.unlike_new(paths, request.name, patch, policy, recreate=recreate))
    return findings


def _patch(request: DryRunRequest, live: Json, found: Sequence[Leftover]) -> Json:
    """Operations that remove what was found; none that would show a Secret's value.

    A client-side patch may leave elements of lists to a later upgrade, so that their places are not known yet.
    """
    if request.verb is not Verb.APPLY and any(not step.startswith("f:") for each in found for step in each.path):
        return []
    made = operations(live, found)
    return [each for each in made if "value" not in each] if request.key.group_kind == SECRET else made
