"""Helm with the filter, compared with what is promised: right, or right after the announced upgrade, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import yaml

from postrender.models import RELEASE_NAME, RELEASE_NAMESPACE, Json
from tests.e2e.api import Object
from tests.e2e.matrix.alone import changed, said
from tests.e2e.matrix.chartsays import Docs, foreign, without_null, wrong
from tests.e2e.matrix.chartsays import stored as stored_before
from tests.e2e.matrix.stage import Filtered, Stage, State
from tests.e2e.matrix.steps import Ref, Run, Scenario, Uninstall

REFUSED = 4
_LATER = re.compile(r"\(PR3(01|10)\)")
"""Codes that say that the next upgrade applies what this run does not."""


class Verdict(Enum):
    """How a run with the filter ended."""

    RIGHT = "right"
    ANNOUNCED = "right after the announced upgrade"
    REFUSED = "refused"
    BROKEN = "BROKEN"


@dataclass(frozen=True)
class WithFilter:
    """A verdict, what is to be said of it in a line, and what is wrong where the promise is broken."""

    verdict: Verdict
    remark: str = ""
    wrong: tuple[str, ...] = ()


def with_filter(stage: Stage, scenario: Scenario) -> WithFilter:
    """Play the scenario's run with the filter, and the upgrade after it; the start is already set."""
    run = scenario.run
    alive = _alive(stage, scenario)
    before = stage.state(scenario)
    revisions = len(stage.releases(run.release))
    compared_with = stored_before(stage, run.release)
    done = stage.play_filtered(run, scenario.policy)
    after = stage.state(scenario)
    if done.code == REFUSED:
        return _refused(stage, run, done, changed(before, after), revisions)
    broken = _robbed(before, after, alive, run, stage) + _lost(before, after, run, stage)
    if done.code != 0:
        broken.append(f"the filter ended with {done.code}: {done.account.strip() or said(done.helm.error)}")
    if broken:
        return WithFilter(Verdict.BROKEN, "", tuple(broken))
    if not done.helm.ok:
        return WithFilter(Verdict.BROKEN, "silently fails", (f"Helm fails: {said(done.helm.error)}",))
    unsaid = _unannounced(done, wrong(stage, scenario, run, after, compared_with))
    if len({thing.ref for thing in run.things}) < len(run.things) and "(PR206)" not in done.account:
        unsaid.append("an object is in the chart twice")
    left = _left_behind(stage, run, after, compared_with)
    if left and "(PR4" not in done.account:
        return WithFilter(Verdict.BROKEN, "silently left behind", tuple(left))
    if unsaid and not _LATER.search(done.account):
        return WithFilter(Verdict.BROKEN, "silently wrong", tuple(unsaid))
    return _upgraded(stage, scenario, unsaid, after)


def _refused(stage: Stage, run: Run, done: Filtered, touched: list[str], revisions: int) -> WithFilter:
    codes = sorted(set(re.findall(r"\((PR\d{3})\)", done.account)))
    if len(stage.releases(run.release)) != revisions:
        touched.append("a revision was stored")
    if done.helm.ok:
        touched.append("Helm reports success")
    if not codes:
        touched.append("no code tells why")
    return WithFilter(Verdict.BROKEN if touched else Verdict.REFUSED, " ".join(codes), tuple(touched))


def _upgraded(stage: Stage, scenario: Scenario, unsaid: list[str], before: State) -> WithFilter:
    """The next upgrade of the same chart mends what was announced, and spoils nothing."""
    later = scenario.run.later
    good = Verdict.ANNOUNCED if unsaid else Verdict.RIGHT
    compared_with = stored_before(stage, later.release)
    untrue = _untrue(stage, scenario, before)
    done = stage.play_filtered(later, scenario.policy)
    after = stage.state(scenario)
    if done.code == REFUSED and not unsaid and not changed(before, after):
        codes = sorted(set(re.findall(r"\((PR\d{3})\)", done.account)))
        return WithFilter(good, f"the next upgrade is refused: {' '.join(codes)}", tuple(untrue))
    broken = untrue + _lost(before, after, later, stage)
    if not done.helm.ok:
        broken.append(f"the next upgrade fails: {said(done.account if done.code else done.helm.error)}")
    still = _unannounced(done, wrong(stage, scenario, later, after, compared_with))
    broken += [f"after the next upgrade {each}" for each in still]
    return WithFilter(Verdict.BROKEN, good.value, tuple(broken)) if broken else WithFilter(good)


def _unannounced(done: Filtered, found: list[str]) -> list[str]:
    """Without the resource policy, where the account says that the live one stays, and an empty map that gets lost."""
    return [
        each
        for each in found
        if not ("helm.sh/resource-policy" in each and "(PR305)" in done.account)
        and not (each.endswith("is None, not {}") and "(PR308)" in done.account)
    ]


def _alive(stage: Stage, scenario: Scenario) -> set[str]:
    """The other releases that still exist."""
    names = {step.release for step in scenario.before if isinstance(step, (Run, Uninstall))}
    stored = {name: stage.releases(name) for name in names - {scenario.run.release}}
    return {name for name, revisions in stored.items() if revisions and revisions[-1].status != "uninstalled"}


def _robbed(before: State, after: State, alive: set[str], run: Run, stage: Stage) -> list[str]:
    """Objects of living releases that were changed."""
    robbed = []
    for ref, body in before.items():
        annotations = (body or {}).get("metadata", {}).get("annotations") or {}
        owner = annotations.get(RELEASE_NAME)
        ours = annotations.get(RELEASE_NAMESPACE) == stage.place.namespace
        if ours and owner in alive and owner != run.release and changed({ref: body}, {ref: after[ref]}):
            robbed.append(f"{ref} of living release {owner} was changed")
    return robbed


def _lost(before: State, after: State, run: Run, stage: Stage) -> list[str]:
    """Objects that are gone or made anew, unless the release leaves them out and did not keep them."""
    lost = []
    wanted = {body["metadata"]["uid"] for thing in run.things if (body := before[thing.ref])}
    for ref, body in before.items():
        now = after[ref]
        if body is None or "helm.sh/hook" in (body["metadata"].get("annotations") or {}):
            continue
        if now is not None and now["metadata"]["uid"] == body["metadata"]["uid"]:
            continue
        if body["metadata"]["uid"] in wanted:
            lost.append(f"{ref} was {'made anew' if now else 'deleted'}, and the chart has it")
        elif _ours(body, run, stage) and not _kept(body):
            continue
        else:
            lost.append(f"{ref} was deleted")
    return lost


def _left_behind(stage: Stage, run: Run, after: State, stored_before: Docs) -> list[str]:
    """Objects that the release leaves out, did not keep, and that are still there as its own."""
    still = {body["metadata"]["uid"] for thing in run.things if (body := after[thing.ref])}
    held = {(group, kind, name) for group, kind, _, name in stored_before}
    return [
        f"{ref} left the chart and was left behind"
        for ref, body in after.items()
        if body is not None
        and body["metadata"]["uid"] not in still
        and (ref.kind.group, ref.kind.kind, ref.real_name(stage.place)) in held
        and _ours(body, run, stage)
        and not _kept(body)
    ]


def _ours(body: object, run: Run, stage: Stage) -> bool:
    assert isinstance(body, dict)
    annotations = body["metadata"].get("annotations") or {}
    return (annotations.get(RELEASE_NAME), annotations.get(RELEASE_NAMESPACE)) == (run.release, stage.place.namespace)


def _kept(body: object) -> bool:
    """However it is spelled: who writes ``Keep`` wants it kept."""
    assert isinstance(body, dict)
    policy = (body["metadata"].get("annotations") or {}).get("helm.sh/resource-policy", "")
    return str(policy).strip().lower() == "keep"


def _untrue(stage: Stage, scenario: Scenario, state: State) -> list[str]:
    """What the release stores and is not live; the resource policy, and a pin, may be ahead."""
    newest = stage.releases(scenario.run.release)[-1]
    docs = [doc for doc in yaml.safe_load_all(newest.manifest) if doc]
    last = {ref: doc for doc in docs for ref in _refs(stage, scenario, doc)}  # Of one that is there twice.
    return [
        f"stored and not live: {ref} {path}"
        for ref, doc in last.items()
        for path in _more(doc, state[ref] or {}, foreign(scenario, ref), ())
    ]


def _refs(stage: Stage, scenario: Scenario, doc: Object) -> list[Ref]:
    """The object of a stored document."""
    written = doc["metadata"].get("namespace", "")
    said = (doc["apiVersion"], doc["kind"], doc["metadata"]["name"])
    return [
        ref
        for ref in scenario.refs
        if (ref.kind.api_version, ref.kind.kind, ref.real_name(stage.place)) == said
        and (not ref.kind.namespaced or stage.place.of(ref.kind, ref.namespace) == (written or stage.place.namespace))
    ]


_NOTHING: Any = object()
_AHEAD = {("metadata", "annotations", "helm.sh/resource-policy"), ("metadata", "resourceVersion")}


def _more(doc: Json, live: Json, theirs: Json, path: tuple[str, ...]) -> list[str]:
    """What the document says and is not live, but for what somebody else set, or took out (``null``)."""
    if theirs is not _NOTHING and not isinstance(theirs, dict):
        return []
    if isinstance(doc, dict) and doc:
        below = live if isinstance(live, dict) else {}
        others = theirs if isinstance(theirs, dict) else {}
        return [
            each
            for name, value in doc.items()
            if (*path, name) not in _AHEAD
            for each in _more(value, below.get(name), others.get(name, _NOTHING), (*path, name))
        ]
    if without_null(doc) == without_null(live) or doc in (None, {}) or theirs is not _NOTHING:
        return []
    return [f"{'.'.join(path)} {doc!r} ({live!r})"]
