"""Helm alone, compared with what the model says it will do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from postrender import manifest as manifests
from postrender._record import replace
from postrender.cluster.client import connect
from postrender.cluster.interface import ClusterReader
from postrender.helm.api_server import SERVER_KEPT, drop_empty_data
from postrender.helm.objects import no_original
from postrender.helm.patch import apply_merge_patch, differs
from postrender.helm.patch.json_values import without_nulls
from postrender.helm.simulate import Prediction, Request
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Connection, Json, LiveObject, ReleaseName
from postrender.operations.filter.collect import collect_facts
from postrender.operations.filter.dry_runs import run_dry_runs
from postrender.planner.context import PlanContext as Decision
from postrender.planner.context import PlannedObject
from postrender.planner.dry_run import conflicted, dry_run_request, prediction_after, target
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.policy import Policy
from postrender.planner.rewrite import DocumentRewrite, RewriteOutcome
from tests.e2e.api import Object
from tests.e2e.kinds import SECRET
from tests.e2e.matrix.ending import Ending, Id, ending, id_of
from tests.e2e.matrix.stage import Stage, State
from tests.e2e.matrix.steps import Ref, Run, Scenario
from tests.unfiltered import predict_unfiltered

NOT_IMPORTED = "cannot be imported into the current release"


@dataclass(frozen=True)
class Alone:
    """What Helm alone did, in words; ``predicted`` whether the model says something; where the two differ."""

    outcome: str
    predicted: bool
    disagreements: tuple[str, ...] = ()


def helm_alone(stage: Stage, scenario: Scenario) -> Alone:
    """Play the scenario's run with Helm alone; the start is already set."""
    facts = facts_of(stage, scenario.run)
    refused = not_imported(facts)
    predicted = [] if refused else _predicted(facts, _source(stage))
    before = stage.state(scenario)
    bodies = {id_of(item): before[ref_at(scenario, stage, id_of(item))] for item in (*facts.items, *facts.removed)}
    end = ending(facts, predicted, bodies, _source(stage)) if predicted else None
    mark = stage.plane.audit.mark()
    done = stage.play(scenario.run)
    after = stage.state(scenario)
    outcome = f"{'ok' if done.ok else 'fails: ' + said(done.error)}; {live(after)}"
    if refused:
        wrong = [] if NOT_IMPORTED in done.error else [f"predicted that {refused} is not imported"]
        return Alone(outcome, True, (*wrong, *changed(before, after)))
    if end is None:
        return Alone(outcome, False)
    wrong = compared(scenario, stage, facts, end, after)
    wrong += wrong_errors(end.errors, done.error if not done.ok else "")
    sent = {request.path: request.body for request in stage.plane.audit.writes(mark) if request.verb == "patch"}
    wrong += _patches(scenario, stage, end, sent)
    return Alone(outcome, True, tuple(wrong))


def facts_of(stage: Stage, run: Run) -> Facts:
    """What is known before the run, gathered as the filter does."""
    stream = manifests.read(stage.rendered(run))
    return collect_facts(stream, run.invocation(stage.column, stage.place), _source(stage))


def _source(stage: Stage) -> ClusterReader:
    return connect(Connection(kubeconfig=str(stage.plane.kubeconfig)))


def not_imported(facts: Facts) -> str:
    """The first object that Helm's own check of ownership stops at; ``""`` for none.

    ``existingResourceConflict`` and ``checkOwnership``, pkg/action/validate.go.
    """
    release = facts.invocation.release
    assert release is not None
    stored = {(entry.gvk, entry.key) for entry in facts.previous_objects}
    for item in facts.items:
        foreign = item.live is not None and not _named(item.live, release)
        if foreign and (item.ref.gvk, item.key) not in stored and not facts.invocation.take_ownership:
            return item.name
    return ""


def _named(live: LiveObject, release: ReleaseName) -> bool:
    return (
        live.labels.get(MANAGED_BY) == "Helm"
        and live.annotations.get(RELEASE_NAME) == release.name
        and live.annotations.get(RELEASE_NAMESPACE) == release.namespace
    )


def _predicted(facts: Facts, source: ClusterReader) -> list[tuple[DesiredObject, Prediction]]:
    """The model's predictions; what Helm applies server-side is asked of the server first, as the filter does."""
    helm = facts.invocation.helm
    assert helm is not None
    run = Decision(facts, Policy(), helm)
    found = _before_trial(run) if run.server_side else list(predict_unfiltered(facts))
    asked = {
        index: request
        for index, (planned, prediction) in enumerate(zip(run.objects, found, strict=True))
        if run.touches_live
        and (prediction is None or not prediction.error)
        and (request := dry_run_request(_as_it_is(planned, prediction))) is not None
    }
    for (index, request), answer in zip(asked.items(), run_dry_runs(list(asked.values()), source), strict=True):
        found[index] = prediction_after(facts.items[index], request, answer, found[index])
    return [(item, prediction) for item, prediction in zip(facts.items, found, strict=True) if prediction is not None]


def _as_it_is(planned: PlannedObject, prediction: Prediction | None = None) -> PlannedObject:
    """The object with nothing rewritten in its document."""
    outcome = None if prediction is None else RewriteOutcome(DocumentRewrite(), prediction)
    return replace(planned, proposed=DocumentRewrite(), outcome=outcome)


def _before_trial(run: Decision) -> list[Prediction | None]:
    """Server-side: what is new is as it is sent, what is live only the server can tell."""
    applies = run.behaviour.server_side_creates or not run.updates
    found: list[Prediction | None] = []
    first = {planned.item.key: planned for planned in run.objects if planned.first_document}
    for planned in run.objects:
        item, again = planned.item, not planned.first_document
        if item.hook:
            found.append(None)
        elif item.live is None and again and _without_original(run, item):
            error = no_original(run.helm, item.key)
            found.append(Prediction(Request.NOTHING, None, error=error, aborts_run=True))
        elif item.live is None and again and run.updates and not run.behaviour.server_side_creates:
            found.append(_over_its_own(run, planned, target(_as_it_is(first[item.key]))))
        elif item.live is None:
            body = target(_as_it_is(planned))
            error = _never_there(body) if applies else ""
            live = drop_empty_data(item.ref.gvk, body)
            ends = run.updates and bool(error)
            found.append(Prediction(Request.CREATE, live, body if applies else None, error, aborts_run=ends))
        elif run.cannot_adopt_server_side and not again:
            found.append(Prediction(Request.APPLY, None, error="metadata.managedFields must be nil"))
        else:
            found.append(None)
    return found


def _over_its_own(run: Decision, planned: PlannedObject, made: Json) -> Prediction:
    """What is applied over what the same Helm has just made client-side, twice in one stream."""
    item, body = planned.item, target(_as_it_is(planned))
    if run.upgrades_field_manager:
        return Prediction(Request.APPLY, body, body)
    met = [path for path in differs(made, body) if _at(made, path) and _at(body, path)]
    if met and not run.forces_conflicts:
        return Prediction(Request.APPLY, made, body, conflicted(item, len(met)))
    return Prediction(Request.APPLY, apply_merge_patch(made, body), body)


def _at(body: Json, path: Sequence[str]) -> bool:
    """Whether anything is there."""
    for key in path:
        if not (isinstance(body, dict) and key in body):
            return False
        body = body[key]
    return True


def _without_original(run: Decision, item: DesiredObject) -> bool:
    return run.updates and not (run.behaviour.updates_from_live or run.has_original(item))


def compared(scenario: Scenario, stage: Stage, facts: Facts, end: Ending, after: State) -> list[str]:
    """Where what is live is not what was predicted."""
    wrong = []
    for item in (*facts.items, *facts.removed):
        at = id_of(item)
        if item.hook or at in end.open:
            continue
        ref = ref_at(scenario, stage, at)
        expected, found = end.live[at], after[ref]
        if expected is None or found is None:
            if expected is not found:
                wrong.append(f"{ref}: predicted {short(expected)}, live is {short(found)}")
        elif comparable(expected) != comparable(found):
            wrong.append(f"{ref}: predicted {short(comparable(expected))}, live is {short(comparable(found))}")
    return wrong


def ref_at(scenario: Scenario, stage: Stage, at: Id) -> Ref:
    """The scenario's name for an object."""
    gvk, key = at
    for ref in scenario.refs:
        if (ref.kind.group, ref.kind.version, ref.kind.kind) == (gvk.group, gvk.version, gvk.kind) and (
            ref.real_name(stage.place),
            stage.place.of(ref.kind, ref.namespace),
        ) == (key.name, key.namespace):
            return ref
    raise KeyError(at)


def wrong_errors(foretold: Sequence[str], error: str) -> list[str]:
    """A line for each predicted error that Helm's does not hold; dots stand for what API servers word differently."""
    wrong = []
    # Up to 3.16 Helm takes its message for a format and makes %!"(MISSING) of %" (Update, pkg/kube/client.go).
    error = _without_addresses(re.sub(r"%!(.)\(MISSING\)", r"%\1", error))
    for each in foretold:
        intro, _, objection = _without_addresses(each).partition(": ")
        if not (error and all(part in error for part in (intro, *re.split(r" ?\.{3} ?", objection)))):
            wrong.append(f"predicted {each!r}, Helm said {error or 'ok'!r}")
    if error and not foretold:
        wrong.append(f"predicted ok, Helm said {error!r}")
    return wrong


def _without_addresses(message: str) -> str:
    """An API server prints an invalid value of a Go type with the addresses of its fields, others each time."""
    return re.sub(r"\(0x[0-9a-f]+\)", "()", message)


def _patches(scenario: Scenario, stage: Stage, end: Ending, sent: Mapping[str, Any]) -> list[str]:
    wrong = []
    for at in end.live:
        ref = ref_at(scenario, stage, at)
        body = sent.get(ref.path(stage.place))
        if ref.kind is SECRET or at in end.open | end.untold:
            continue  # What is sent of a Secret is not logged.
        if not same(end.patches.get(at), body or None):
            wrong.append(f"{ref}: predicted the patch {text(end.patches.get(at))}, Helm sent {text(body)}")
    return wrong


def same(one: Json, other: Json) -> bool:
    """Equal as JSON, so that ``true`` is not 1."""
    return text(one) == text(other)


def comparable(body: Object) -> Object:
    """The object without what only the server sets."""
    metadata = {
        name: value
        for name, value in (body.get("metadata") or {}).items()
        if name not in (*SERVER_KEPT, "resourceVersion", "deletionGracePeriodSeconds") and value not in ({}, None)
    }
    if ".example.com/" not in body["apiVersion"]:
        # Of a built-in kind only the server writes the status, and null: for an empty list, and in older Kubernetes for
        # the creationTimestamp of a Pod template.
        body = {name: without_nulls(value) for name, value in body.items() if name != "status" and value is not None}
    return {**body, "metadata": metadata}


def changed(before: State, after: State) -> list[str]:
    """What was made, changed or removed between two looks."""
    return [
        f"{ref} {'was made' if before[ref] is None else 'vanished' if after[ref] is None else 'was changed'}"
        for ref in before
        if _version(before[ref]) != _version(after[ref])
    ]


def _version(body: Object | None) -> tuple[str, str] | None:
    return None if body is None else (body["metadata"]["uid"], body["metadata"]["resourceVersion"])


def said(error: str) -> str:
    """A message of Helm's in a line."""
    line = " ".join(error.split()).removeprefix("Error: ")
    for prefix in ("INSTALLATION FAILED: ", "UPGRADE FAILED: "):
        line = line.removeprefix(prefix)
    return line


def live(state: State) -> str:
    """All that is live in a line."""
    return ", ".join(
        f"{ref.kind.group.partition('.')[0] or 'core'}={text(body.get(ref.kind.content)) if body else 'absent'}"
        for ref, body in state.items()
    )


def short(body: Json) -> str:
    """An object in a line."""
    if body is None:
        return "nothing"
    return text({name: value for name, value in body.items() if name not in ("apiVersion", "kind")})


def text(value: Json) -> str:
    """JSON in a line, ordered."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _never_there(target: Json) -> str:
    """What the server says where an object is applied that is not live, and whose manifest claims that it was."""
    uid = target["metadata"].get("uid")
    if not uid:
        return ""
    return f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
