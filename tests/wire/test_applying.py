"""``--on-drift apply`` against a server: what is sent, when, and what is said where it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.errors import ClusterError, Refused
from postrender.helm.invocation import Action, DryRun, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import ReleaseName
from postrender.operations.filter.pipeline import Result, filter_stream
from postrender.planner.policy import OnDrift, Policy, Stamp
from tests.wire.conftest import Connect
from tests.wire.kinds import BETA_SHIRT, SHIRT, an_object
from tests.wire.server import Reply, Server, gone, ok, status

RELEASE = ReleaseName("shop", "shirts")
STABLE = "/apis/stable.example.com/v1/namespaces/shop/shirts/shirt"
BETA = "/apis/beta.example.com/v1/namespaces/shop/blouses/shirt"
CHART = b"""\
---
apiVersion: beta.example.com/v1
kind: Shirt
metadata: {name: shirt}
spec: {color: red}
---
apiVersion: stable.example.com/v1
kind: Shirt
metadata: {name: shirt}
spec: {color: red}
"""
OWNED = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "shirts", "meta.helm.sh/release-namespace": "shop"},
}
MANAGED = [{"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {"f:color": {}, "f:size": {}}}}]


@pytest.fixture(autouse=True)
def _kept(server: Server) -> None:
    for resource in (SHIRT, BETA_SHIRT):
        metadata = {**OWNED, "managedFields": MANAGED}
        server.put(
            resource, an_object(resource, "shirt", metadata=metadata, spec={"color": "blue", "size": "M", "x": 1})
        )


def run(connect: Connect, *, dry_run: DryRun = DryRun.NO, version: str = "3.21.4", writes: bool = True) -> Result:
    helm = HelmVersion.parse(version)
    cluster = connect(request_timeout=5)
    invocation = Invocation(helm, Action.INSTALL, RELEASE, dry_run=dry_run)
    policy = Policy(stamp=Stamp.NONE, label_key="", on_drift=OnDrift.APPLY)
    return filter_stream(CHART, invocation, policy, cluster, cluster if writes else None)


def refused(connect: Connect) -> str:
    with pytest.raises(ClusterError) as caught:
        run(connect)
    return str(caught.value)


def patches(server: Server) -> list[tuple[str, str | None]]:
    """Writes, tried or for real, all of which are guarded; a mere question to the server is not."""
    return [
        (each.path, each.query.get("dryRun")) for each in server.asked("PATCH .*") if b"resourceVersion" in each.body
    ]


def test_all_of_it_is_tried_and_then_sent_as_helm_and_the_charts_document_comes_out(
    server: Server, connect: Connect
) -> None:
    result = run(connect)
    assert result.data == CHART
    assert patches(server) == [(BETA, "All"), (STABLE, "All"), (BETA, None), (STABLE, None)]
    for request in server.asked("PATCH .*")[2:]:
        assert request.query["fieldManager"] == "helm"
        assert request.headers["content-type"] == ("application/merge-patch+json",)
        assert json.loads(request.body) == {
            "metadata": {"resourceVersion": "7"},
            "spec": {"color": "red", "size": None},
        }
    assert server.objects[STABLE]["spec"] == server.objects[BETA]["spec"] == {"color": "red", "x": 1}
    assert result.written == ("blouses.beta.example.com/shop/shirt", "shirts.stable.example.com/shop/shirt")


def test_a_second_run_has_nothing_left_to_write(server: Server, connect: Connect) -> None:
    run(connect)
    again = run(connect)
    assert (again.data, again.written) == (CHART, ())
    assert len(patches(server)) == 4


@pytest.mark.parametrize("mode", [DryRun.CLIENT, DryRun.SERVER])
def test_a_dry_run_writes_nothing(server: Server, connect: Connect, mode: DryRun) -> None:
    assert run(connect, dry_run=mode).data == CHART
    assert patches(server) == []


def test_what_the_server_refuses_is_told_before_anything_is_written(server: Server, connect: Connect) -> None:
    server.on(f"PATCH {STABLE}", status(422, "Invalid", "spec.color: Unsupported value"))
    assert refused(connect) == (
        "shirts.stable.example.com/shop/shirt: it could not be updated to the chart (tried as a dry run): "
        "the server answers 422: spec.color: Unsupported value; nothing was written before it\n"
        "hint: kubectl get shirts.v1.stable.example.com shirt -n shop\n"
        "note: to store the live spec; helm upgrade then applies the chart\n"
        "hint: helm ... --post-renderer-args=--on-drift=store"
    )
    assert {mode for _, mode in patches(server)} == {"All"}


def only_for_real(reply: Any) -> Any:
    return lambda request: None if request.query.get("dryRun") else reply


def test_a_write_that_fails_says_what_was_written_before_it(server: Server, connect: Connect) -> None:
    server.on(f"PATCH {STABLE}", only_for_real(status(409, "Conflict", "the object has been modified")))
    assert refused(connect) == (
        "shirts.stable.example.com/shop/shirt: it changed since it was read, so it was not updated to the "
        "chart: the object has been modified; written before it: blouses.beta.example.com/shop/shirt\n"
        "hint: ...\n"
        "hint: kubectl get shirts.stable.example.com shirt -o yaml -n shop\n"
        "note: to store the live spec; helm upgrade then applies the chart\n"
        "hint: helm ... --post-renderer-args=--on-drift=store"
    )
    assert server.objects[BETA]["spec"]["color"] == "red"


def test_whoever_may_not_patch_is_told(server: Server, connect: Connect) -> None:
    server.on("PATCH .*", status(403, "Forbidden", "you cannot"))
    assert "kubectl auth can-i patch blouses.beta.example.com/shirt -n shop" in refused(connect)


def test_a_connection_that_breaks_off_leaves_it_open(server: Server, connect: Connect) -> None:
    server.on(f"PATCH {BETA}", lambda request: None if request.query.get("dryRun") else gone(request))
    told = refused(connect)
    assert "the request failed, and whether it was updated to the chart is unknown: " in told
    assert "hint: kubectl get blouses.beta.example.com shirt -o yaml -n shop\n" in told


def test_what_the_server_never_has_is_not_sent_for_ever(server: Server, connect: Connect) -> None:
    """An admission that puts another colour in, or takes a field out, has the last word."""

    def stubborn(request: Any) -> Reply:
        body = server.objects[request.path]
        kept = {name: value for name, value in body["spec"].items() if name != "size"}
        version = str(int(body["metadata"]["resourceVersion"]) + 1)
        changed = {**body, "metadata": {**body["metadata"], "resourceVersion": version}, "spec": kept}
        if request.query.get("dryRun") is None:
            server.objects[request.path] = changed
        return ok(changed)

    server.on(f"PATCH {BETA}", stubborn)
    result = run(connect)
    assert result.data == CHART
    assert server.objects[BETA]["spec"] == {"color": "blue", "x": 1}
    codes = {verdict.name: [finding.code for finding in verdict.findings] for verdict in result.plan.verdicts}
    assert codes == {
        "blouses.beta.example.com/shop/shirt": ["PR107", "PR201", "PR309", "PR308", "PR318"],
        "shirts.stable.example.com/shop/shirt": ["PR107", "PR201", "PR309", "PR318"],
    }


def test_nothing_is_written_where_something_else_is_refused(server: Server, connect: Connect) -> None:
    server.objects[BETA]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    with pytest.raises(Refused, match="PR106"):
        run(connect)
    assert patches(server) == []


def test_the_pin_of_an_old_helm_is_the_version_after_the_write(server: Server, connect: Connect) -> None:
    for path in (STABLE, BETA):
        del server.objects[path]["spec"]["x"]  # which this Helm would take from the second
    result = run(connect, version="3.12.3")
    assert b'"resourceVersion": "8"' in result.data
    assert server.objects[STABLE]["metadata"]["resourceVersion"] == "8"
    told = {finding.code: finding.text for finding in result.plan.verdicts[1].findings}
    assert told["PR202"] == "live resourceVersion (8) added to the manifest"


def test_where_nothing_can_be_written_the_charts_document_would_not_be_true(server: Server, connect: Connect) -> None:
    with pytest.raises(Refused) as caught:
        run(connect, writes=False)
    assert str(caught.value) == (
        f"blouses.beta.example.com/shop/shirt: must be updated to the chart first, but context dev "
        f"({server.url}) cannot be written\n"
        "hint: --on-drift store\n"
        "note: to see the resulting manifests\nhint: --dry-run client"
    )
