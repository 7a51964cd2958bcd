"""Dry runs: what is asked, and what each answer of a server means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postrender.cluster.interface import (
    Accepted,
    Conflict,
    Conflicts,
    DryRunRequest,
    DryRunResult,
    Rejected,
    Skipped,
    Verb,
)
from postrender.models import ObjectKey, Resource
from tests.wire.conftest import Connect
from tests.wire.kinds import NAMESPACE, SECRET, SHIRT, an_object
from tests.wire.server import Reply, Server, gone, html, ok, status

BODY = {"spec": {"color": "red"}}
PATH = "/apis/stable.example.com/v1/namespaces/shop/shirts/shirt"


def request(verb: Verb = Verb.APPLY, resource: Resource = SHIRT, **more: Any) -> DryRunRequest:
    namespace = "shop" if resource.namespaced else ""
    return DryRunRequest(verb, resource, ObjectKey(resource.gvk.group_kind, namespace, "shirt"), BODY, **more)


def answer(connect: Connect, asked: DryRunRequest | None = None, timeout: float = 5) -> DryRunResult:
    (found,) = connect(request_timeout=timeout).dry_run([asked or request()])
    return found


def failure(code: int, reason: str, message: str, causes: list[dict[str, str]]) -> Reply:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return Reply(code, json.dumps({**body, "code": code, "details": {"causes": causes}}).encode())


@pytest.mark.parametrize(
    ("asked", "method", "content_type", "more"),
    [
        (
            request(strict_validation=True),
            "PATCH",
            "application/apply-patch+yaml",
            {"force": "false", "fieldValidation": "Strict"},
        ),
        (request(force=True), "PATCH", "application/apply-patch+yaml", {"force": "true"}),
        (request(Verb.MERGE), "PATCH", "application/merge-patch+json", {}),
        (request(Verb.STRATEGIC), "PATCH", "application/strategic-merge-patch+json", {}),
        (request(Verb.REPLACE), "PUT", "application/json", {}),
        (request(Verb.REPLACE, strict_validation=True), "PUT", "application/json", {"fieldValidation": "Strict"}),
        (request(Verb.CREATE, creates=True), "POST", "application/json", {}),
    ],
)
def test_every_request_is_a_dry_run(
    server: Server, connect: Connect, asked: DryRunRequest, method: str, content_type: str, more: dict[str, str]
) -> None:
    there = an_object(SHIRT, "shirt", spec=BODY["spec"])
    server.on(".*", ok(there))
    assert answer(connect, asked) == Accepted(there)
    (request,) = server.requests
    assert (request.method, request.path) == (method, PATH.removesuffix("/shirt") if method == "POST" else PATH)
    assert request.query == {"dryRun": "All", "fieldManager": "helm", **more}
    assert request.headers["content-type"] == (content_type,)
    assert json.loads(request.body) == BODY


def test_a_dry_run_is_sent_as_the_callers_field_manager(server: Server, connect: Connect) -> None:
    server.on(".*", ok(an_object(SHIRT, "shirt", spec=BODY["spec"])))
    answer(connect, request(field_manager="helm-controller"))
    assert [each.query["fieldManager"] for each in server.requests] == ["helm-controller"]


def test_a_cluster_scoped_object(server: Server, connect: Connect) -> None:
    server.on(".*", ok(an_object(NAMESPACE, "shirt")))
    answer(connect, request(resource=NAMESPACE))
    assert [request.path for request in server.requests] == ["/api/v1/namespaces/shirt"]


def test_conflicts_name_fields_and_managers(server: Server, connect: Connect) -> None:
    causes = [
        {"reason": "FieldManagerConflict", "field": ".spec.color", "message": 'conflict with "a \\"b\\"" using v1'},
        {"reason": "FieldManagerConflict", "field": ".spec.size", "message": 'conflict with "kubectl"'},
    ]
    server.on(".*", failure(409, "Conflict", "Apply failed with 2 conflicts", causes))
    assert answer(connect) == Conflicts(
        (Conflict(".spec.color", 'a "b"', True), Conflict(".spec.size", "kubectl", False)),
        "Apply failed with 2 conflicts",
    )


@pytest.mark.parametrize(
    "reply",
    [
        status(422, "Invalid", "spec.selector: Invalid value: field is immutable"),
        status(400, "BadRequest", "failed to create typed patch object: .spec.x: field not declared in schema"),
        status(403, "", 'admission webhook "a.example.com" denied the request: no'),
    ],
)
def test_what_the_server_refuses(server: Server, connect: Connect, reply: Reply) -> None:
    server.on(".*", reply)
    assert answer(connect) == Rejected(json.loads(reply.body)["message"])


@pytest.mark.parametrize(
    ("code", "said", "shown"),
    [
        (
            403,
            'admission webhook "a.example.com" denied the request: no policy',
            'admission webhook "a.example.com" denied the request',
        ),
        (
            422,
            "shirts is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no policy",
            "ValidatingAdmissionPolicy 'p' denied the request",
        ),
    ],
)
@pytest.mark.parametrize("verb", [Verb.APPLY, Verb.CREATE])
def test_what_an_admission_says_of_what_is_new_may_rest_on_what_comes_before_it(
    server: Server, connect: Connect, verb: Verb, code: int, said: str, shown: str
) -> None:
    server.on(".*", status(code, "", said))
    assert answer(connect, request(verb, creates=True)) == Skipped(f"as things are before the run, {said}")
    assert answer(connect, request(verb, creates=True, resource=SECRET)) == Skipped(
        f"as things are before the run, {shown}"
    )


def test_what_would_be_made_is_accepted(server: Server, connect: Connect) -> None:
    there = an_object(SHIRT, "shirt")
    server.on(".*", Reply(201, json.dumps(there).encode()))
    assert answer(connect, request(Verb.CREATE, creates=True)) == Accepted(there)


def test_what_was_made_meanwhile_says_nothing(server: Server, connect: Connect) -> None:
    server.on(".*", status(409, "AlreadyExists", "shirts already exists"))
    assert isinstance(answer(connect, request(Verb.CREATE, creates=True)), Skipped)


def test_nothing_of_a_secret_is_told(server: Server, connect: Connect) -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "data[key]", "message": "Invalid value: hunter2"}]
    server.on(".*", failure(422, "Invalid", "Secret is invalid: data[key]: Invalid value: hunter2", causes))
    assert answer(connect, request(resource=SECRET)) == Rejected("data[key] (FieldValueInvalid)")
    server.behaviours.clear()
    server.on(".*", status(422, "Invalid", "hunter2"))
    assert answer(connect, request(resource=SECRET)) == Rejected("it is not valid")


@pytest.mark.parametrize(
    ("verb", "right"),
    [(Verb.APPLY, "patch"), (Verb.MERGE, "patch"), (Verb.REPLACE, "update"), (Verb.CREATE, "create")],
)
def test_no_right_to_write(server: Server, connect: Connect, verb: Verb, right: str) -> None:
    server.on(".*", status(403, "Forbidden", f'shirts is forbidden: User "u" cannot {right} resource'))
    assert answer(connect, request(verb)) == Skipped(
        f'no right to {right} shirts.stable.example.com (403): shirts is forbidden: User "u" cannot {right} resource',
        (f"kubectl auth can-i {right} shirts.stable.example.com/shirt -n shop",),
    )


@pytest.mark.parametrize(
    "reply",
    [
        status(400, "BadRequest", 'admission webhook "a.example.com" does not support dry run'),
        status(404, "NotFound", "not found"),
        html(200),
        status(500, "InternalError", "no"),
    ],
)
def test_what_says_nothing_about_helm(server: Server, connect: Connect, reply: Reply) -> None:
    server.on(".*", reply)
    found = answer(connect)
    assert isinstance(found, Skipped)
    assert found.reason


def test_an_object_that_changed_meanwhile_says_nothing_about_the_patch(server: Server, connect: Connect) -> None:
    reply = status(409, "Conflict", "the object has been modified")
    server.on(".*", reply)
    assert isinstance(answer(connect, request(Verb.MERGE)), Skipped)
    assert answer(connect) == Rejected("the object has been modified")


def test_a_dry_run_can_be_repeated(server: Server, connect: Connect) -> None:
    server.on(".*", gone, times=1)
    server.on(".*", status(503, "ServiceUnavailable", "wait"), times=1)
    server.on(".*", ok(an_object(SHIRT, "shirt")))
    assert isinstance(answer(connect), Accepted)
    assert len(server.requests) == 3


def test_many_at_once_in_order(server: Server, connect: Connect) -> None:
    server.on(".*", lambda request: ok({"path": request.path}))
    asked = [
        DryRunRequest(Verb.APPLY, SHIRT, ObjectKey(SHIRT.gvk.group_kind, "shop", f"shirt-{number}"), BODY)
        for number in range(50)
    ]
    found = connect().dry_run(asked)
    assert found == [Accepted({"path": f"{PATH}-{number}"}) for number in range(50)]
