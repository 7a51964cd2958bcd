"""The whole question and answer: from a stream to what the server objects to, and what is asked a second time."""

from __future__ import annotations

import json

from postrender import manifest
from postrender.helm.invocation import Action, Invocation
from postrender.helm.simulate import Request as Sent
from postrender.helm.versions import HelmVersion
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, ReleaseName
from postrender.operations.filter.collect import collect_facts
from postrender.operations.filter.dry_runs import with_dry_run_results
from postrender.planner.decide import decide
from postrender.planner.policy import Policy
from postrender.planner.verdict import Plan
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, an_object
from tests.wire.server import Reply, Request, Server, ok

PATH = "PATCH /api/v1/namespaces/shop/configmaps/a"
STREAM = manifest.read(
    b"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '2'}}\n---\n"
    b"{apiVersion: v1, kind: ConfigMap, metadata: {name: new}}"
)
HELM_4 = Invocation(HelmVersion(4, 3, 1), Action.INSTALL, ReleaseName("shop", "shirts"))


def live(server: Server) -> None:
    server.put(
        CONFIG_MAP,
        an_object(
            CONFIG_MAP,
            "a",
            metadata={
                "labels": {MANAGED_BY: "Helm"},
                "annotations": {RELEASE_NAME: "shirts", RELEASE_NAMESPACE: "shop"},
            },
            data={"x": "1"},
        ),
    )


def conflict(request: Request, *, manager: str) -> Reply | None:
    """409 unless fields are taken by force."""
    if request.query["force"] == "true":
        return None
    cause = {
        "reason": "FieldManagerConflict",
        "field": ".data.x",
        "message": f'conflict with "{manager}" using v1',
    }
    body = {"kind": "Status", "reason": "Conflict", "message": "Apply failed", "details": {"causes": [cause]}}
    return Reply(409, json.dumps(body).encode())


def plan(connect: Connect) -> Plan:
    cluster = connect()
    facts = collect_facts(STREAM, HELM_4, cluster)
    return with_dry_run_results(decide(facts, Policy()), facts, Policy(), cluster)


def test_a_conflict_with_helms_own_past_is_asked_again_without_it(server: Server, connect: Connect) -> None:
    live(server)
    server.on(PATH, lambda request: conflict(request, manager="helm"))
    server.on(PATH, ok(an_object(CONFIG_MAP, "a", data={"x": "2"})))
    made = plan(connect)
    assert made.errors == ()
    prediction = made.verdicts[0].prediction
    assert prediction is not None
    assert (prediction.request, prediction.live["data"]) == (Sent.APPLY, {"x": "2"})
    assert [request.query["force"] for request in server.asked(PATH)] == ["false", "true"]
    assert {request.query["dryRun"] for request in server.asked(PATH)} == {"All"}


def test_any_other_conflict_stands(server: Server, connect: Connect) -> None:
    live(server)
    server.on(PATH, lambda request: conflict(request, manager="hpa"))
    made = plan(connect)
    assert [(verdict.name, finding.code) for verdict, finding in made.errors] == [("configmaps/shop/a", "PR306")]
    assert len(server.asked(PATH)) == 1


def test_nothing_is_sent_for_what_is_new(server: Server, connect: Connect) -> None:
    assert plan(connect).errors == ()
    assert server.asked("PATCH .*") == []
