"""Dry runs of an apply before which Helm migrates its field ownership: what is asked, and what the answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.cluster.interface import Accepted, DryRunRequest, DryRunResult, Rejected, Skipped, Verb
from postrender.models import ObjectKey
from tests.wire.conftest import Connect
from tests.wire.kinds import SHIRT, an_object
from tests.wire.server import Reply, Server, ok, status

PATH = "/apis/stable.example.com/v1/namespaces/shop/shirts/shirt"
OPEN_API = "/openapi/v3/apis/stable.example.com/v1"
TEXT = {"type": "string"}
MODEL = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("apiVersion", "kind"), TEXT),
        "metadata": {"type": "object", "additionalProperties": TEXT},
        "spec": {"type": "object", "properties": {"color": TEXT, "size": TEXT}},
    },
    "x-kubernetes-group-version-kind": [{"group": "stable.example.com", "version": "v1", "kind": "Shirt"}],
}
TYPES = {"components": {"schemas": {"com.example.Shirt": MODEL}}}


def live(version: str = "v1") -> dict[str, Any]:
    fields: dict[str, Any] = {"f:spec": {"f:color": {}, "f:size": {}}}
    entry = {
        "manager": "helm",
        "operation": "Update",
        "apiVersion": f"stable.example.com/{version}",
        "fieldsV1": fields,
    }
    return an_object(SHIRT, "shirt", spec={"color": "red", "size": "1"}, metadata={"managedFields": [entry]})


def answer(connect: Connect, *, migrates_field_manager: bool = True) -> DryRunResult:
    body = an_object(SHIRT, "shirt", spec={"color": "red"})
    del body["metadata"]["uid"], body["metadata"]["resourceVersion"]
    asked = DryRunRequest(
        Verb.APPLY,
        SHIRT,
        ObjectKey(SHIRT.gvk.group_kind, "shop", "shirt"),
        body,
        strict_validation=True,
        migrates_field_manager=migrates_field_manager,
        has_client_side_fields=True,
    )
    (found,) = connect(request_timeout=5).dry_run([asked])
    return found


def serve(server: Server, patched: Reply, **more: Reply) -> None:
    """A server that takes the apply, and says this to the JSON patch."""
    server.on(f"GET {PATH}", more.get("live", ok(live())))
    server.on(f"GET {OPEN_API}", more.get("types", ok(TYPES)))
    server.on("GET /version", ok({"gitVersion": "v1.34.3"}))
    server.on(f"PATCH {PATH}", more.get("applied", ok(live())), times=1)
    server.on(f"PATCH {PATH}", patched)


def test_the_object_without_what_goes_is_asked_about(server: Server, connect: Connect) -> None:
    after = an_object(SHIRT, "shirt", spec={"color": "red"})
    serve(server, ok(after))
    assert answer(connect) == Accepted(after, (("f:spec", "f:size"),))
    patch = server.requests[-1]
    assert (patch.method, patch.path) == ("PATCH", PATH)
    assert patch.query == {"dryRun": "All", "fieldManager": "helm", "fieldValidation": "Strict"}
    assert patch.headers["content-type"] == ("application/json-patch+json",)
    assert json.loads(patch.body) == [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "replace", "path": "/spec", "value": {"color": "red"}},
    ]


def test_what_a_default_puts_back_does_not_go(server: Server, connect: Connect) -> None:
    serve(server, ok(live()))
    assert answer(connect) == Accepted(live())


@pytest.mark.parametrize("applied", [ok(live()), status(422, "Invalid", "size is no longer allowed")])
def test_the_last_word_is_that_on_the_pruned_object(server: Server, connect: Connect, applied: Reply) -> None:
    serve(server, status(422, "Invalid", "spec.size: Required value"), applied=applied)
    assert answer(connect) == Rejected("spec.size: Required value")


def test_what_the_apply_refuses_may_go_through_without_what_goes(server: Server, connect: Connect) -> None:
    after = an_object(SHIRT, "shirt", spec={"color": "red"})
    serve(server, ok(after), applied=status(422, "Invalid", "size and color exclude each other"))
    assert isinstance(answer(connect), Accepted)


def test_types_that_cannot_be_read(server: Server, connect: Connect) -> None:
    serve(server, ok(live()), types=status(403, "Forbidden", "no"))
    found = answer(connect)
    assert isinstance(found, Skipped)
    assert found.reason == "no right to ask what is served (403): no"


def test_a_version_that_is_served_no_more_migrates_nothing(server: Server, connect: Connect) -> None:
    serve(server, ok({}), live=ok(live("v0")))
    server.on("GET /openapi/v3/apis/stable.example.com/v0", status(404, "NotFound", "no"))
    assert answer(connect) == Accepted(live())


def test_a_version_that_only_the_server_can_convert(server: Server, connect: Connect) -> None:
    serve(server, ok({}), live=ok(live("v2")))
    kind = {"group": "stable.example.com", "version": "v2", "kind": "Shirt"}
    types = {"components": {"schemas": {"Shirt": {**MODEL, "x-kubernetes-group-version-kind": [kind]}}}}
    server.on("GET /openapi/v3/apis/stable.example.com/v2", ok(types))
    server.on(f"GET {PATH.replace('v1', 'v2')}", ok(an_object(SHIRT, "shirt", spec={"colour": "red"})))
    found = answer(connect)
    assert isinstance(found, Skipped)
    assert found.reason == (
        "Helm wrote it as stable.example.com/v2 before, and only the server can convert that to stable.example.com/v1"
    )
    assert found.next == ("kubectl get shirts.stable.example.com shirt -o yaml -n shop",)


def test_without_a_migration_what_it_would_remove_is_left(server: Server, connect: Connect) -> None:
    """The answer is the server's own to the apply."""
    serve(server, ok(an_object(SHIRT, "shirt", spec={"color": "red"})))
    assert answer(connect, migrates_field_manager=False) == Accepted(live(), left=(("f:spec", "f:size"),))


@pytest.mark.parametrize("patched", [ok(live()), status(422, "Invalid", "spec.size: Required value")])
def test_without_a_migration_a_default_or_a_refusal_leaves_nothing(
    server: Server, connect: Connect, patched: Reply
) -> None:
    serve(server, patched)
    assert answer(connect, migrates_field_manager=False) == Accepted(live())


def test_without_a_migration_types_that_cannot_be_read_change_nothing(server: Server, connect: Connect) -> None:
    serve(server, ok(live()), types=status(403, "Forbidden", "no"))
    assert answer(connect, migrates_field_manager=False) == Accepted(live())
