"""What an applied object has otherwise than a new one of the same chart, and what is said of it."""

from __future__ import annotations

from typing import Any

from postrender.cluster.interface import Accepted, DryRunRequest, DryRunResult, Rejected, Skipped, Verb
from postrender.helm import invocation
from postrender.helm.invocation import Invocation
from postrender.helm.objects import build_object
from postrender.helm.server_side.leftovers import Leftover, leftovers, of_others, operations
from postrender.helm.versions import HelmVersion
from postrender.models import GroupKind, GroupVersionKind, ObjectKey, ReleaseName, Resource
from postrender.planner.facts import Facts
from postrender.planner.leftover_findings import compared, known, new_objects
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.verdict import Action, Finding, Plan, Verdict

SERVICE = Resource(GroupVersionKind("", "v1", "Service"), "services", namespaced=True)
SECRET = Resource(GroupVersionKind("", "v1", "Secret"), "secrets", namespaced=True)
PART = Resource(GroupVersionKind("example.com", "v1", "Part"), "parts", namespaced=True)


def entry(manager: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields, **more}


def body(resource: Resource, spec: Any, *managed: dict[str, Any], place: str = "spec") -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "shop", "managedFields": list(managed)}
    return {"apiVersion": resource.gvk.api_version, "kind": resource.gvk.kind, "metadata": metadata, place: spec}


def found(live: Any, fresh: Any, chart: Any, *managed: dict[str, Any]) -> list[Leftover]:
    """The leftovers of a Part with these specs; ``managed`` are the live object's managers."""
    group_kind = GroupKind("example.com", "Part")
    bodies = (body(PART, live, *managed), body(PART, fresh), body(PART, chart))
    return list(leftovers(group_kind, *bodies, "helm"))


def test_what_is_alike_leaves_nothing() -> None:
    assert found({"a": 1, "b": None}, {"a": 1.0}, {"a": 1}) == []


def test_owners_are_found_at_above_and_below_a_path() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:x": {}, "f:y": {"f:z": {}}, "f:whole": {}}}
    live = {"x": 1, "y": {"z": 1, "free": 2}, "whole": {"in": 1}, "free": 1, "both": {}}
    made = found(
        live, {"whole": {}}, {"whole": {}}, entry("kubectl", fields), entry("helm", {"f:spec": {"f:free": {}}})
    )
    assert [(each.path, each.managers) for each in made] == [
        (("f:spec", "f:x"), ("kubectl",)),
        (("f:spec", "f:y"), ("kubectl",)),
        (("f:spec", "f:whole", "f:in"), ("kubectl",)),
        (("f:spec", "f:free"), ()),
        (("f:spec", "f:both"), ()),
    ]


def test_what_controllers_and_subresources_set_is_no_leftover() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    assert found({"replicas": 5}, {"replicas": 1}, {}, entry("hpa", fields, subresource="scale")) == []
    assert found({"replicas": 5}, {"replicas": 1}, {}, entry("kube-controller-manager", fields)) == []
    (both,) = found({"replicas": 5}, {"replicas": 1}, {}, entry("kubelet", fields), entry("kubectl", fields))
    assert both.managers == ("kubectl",)


def test_elements_are_told_apart_by_keys_and_in_sets_by_value() -> None:
    keyed: dict[str, Any] = {"f:list": {'k:{"name":"b"}': {".": {}, "f:name": {}}, 'k:{"name":"a"}': {"f:name": {}}}}
    fields = {"f:spec": {**keyed, "f:set": {'v:"y"': {}}}}
    live = {"list": [{"name": "b"}, {"name": "a"}], "set": ["x", "y"]}
    fresh = {"list": [{"name": "a", "value": "1"}], "set": ["x", "z"]}
    made = found(live, fresh, {"list": [{"name": "a"}], "set": ["x", "z"]}, entry("kubectl", fields))
    assert made == [
        Leftover(("f:spec", "f:list", 'k:{"name":"b"}'), {"name": "b"}, None, ("kubectl",)),
        Leftover(("f:spec", "f:list", 'k:{"name":"a"}', "f:value"), None, "1"),
        Leftover(("f:spec", "f:set", 'v:"y"'), "y", None, ("kubectl",)),
        Leftover(("f:spec", "f:set", 'v:"z"'), None, "z", in_chart=True),
    ]
    assert operations(body(PART, live), made) == [
        {"op": "add", "path": "/spec/set/-", "value": "z"},
        {"op": "remove", "path": "/spec/set/1"},
        {"op": "add", "path": "/spec/list/1/value", "value": "1"},
        {"op": "remove", "path": "/spec/list/0"},
    ]


def test_another_order_is_mended_last() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:set": {'v:"y"': {}}}}
    live, fresh = {"set": ["x", "w", "y"]}, {"set": ["y", "x"]}
    made = found(live, fresh, {}, entry("kubectl", fields))
    assert [each.path for each in made] == [("f:spec", "f:set"), ("f:spec", "f:set", 'v:"w"')]
    assert operations(body(PART, live), made)[-1] == {"op": "add", "path": "/spec/set", "value": ["y", "x"]}


def test_lists_without_identities_are_compared_whole() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:list": {'k:{"name":"a"}': {}}}}
    (twice,) = found({"list": [{"name": "a"}, {"name": "a"}]}, {"list": [{"name": "a"}]}, {}, entry("x", fields))
    assert twice.path == ("f:spec", "f:list")
    (atomic,) = found({"list": [1, 2]}, {"list": [1]}, {"list": [1]}, entry("x", {"f:spec": {"f:list": {}}}))
    assert (atomic.path, atomic.managers, atomic.in_chart) == (("f:spec", "f:list"), ("x",), True)


def test_what_the_server_gives_each_object_of_its_own_is_no_leftover() -> None:
    live = {"clusterIP": "10.0.0.1", "ports": [{"nodePort": 30001, "port": 80}], "type": "NodePort"}
    fresh = {"clusterIP": "10.0.0.2", "ports": [{"nodePort": 30002, "port": 80}], "type": "NodePort"}
    bodies = (body(SERVICE, live, entry("helm", {"f:spec": {"f:ports": {'k:{"port":80}': {}}}})), body(SERVICE, fresh))
    assert leftovers(SERVICE.gvk.group_kind, *bodies, body(SERVICE, {}), "helm") == ()
    uids = [{"matchLabels": {"uid": f"{digit * 8}-1111-2222-3333-{digit * 12}"}} for digit in "ab"]
    assert found(*uids, {}) == []


def test_what_the_new_object_was_asked_without_is_as_the_chart_says() -> None:
    assert found({"port": 30001}, {"port": 30002}, {"port": 30001}) == []
    assert found({"port": 30001}, {"port": 30002}, {"port": 30003})[0].in_chart


def test_versions_status_and_the_annotation_of_kubectl_do_not_count() -> None:
    live, fresh = body(PART, {}), body(PART, {})
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}
    live |= {"apiVersion": "example.com/v2", "status": {"a": 1}}
    live["metadata"] |= {"annotations": notes, "uid": "x"}
    fresh["metadata"]["annotations"] = {}
    (only,) = leftovers(PART.gvk.group_kind, live, fresh, fresh, "helm")
    assert only.path == ("f:metadata", "f:annotations", "f:a")


def test_what_others_set_is_known_without_a_new_object() -> None:
    fields: dict[str, Any] = {
        "f:spec": {".": {}, "f:x": {}, "f:gone": {}, "f:said": {}, "f:list": {'k:{"name":"a"}': {"f:v": {}}}}
    }
    live = body(PART, {"x": 1, "said": 1, "free": 1, "list": [{"name": "a", "v": 2}]}, entry("kubectl", fields))
    assert of_others(live, body(PART, {"said": 1}), "helm") == (
        Leftover(("f:spec", "f:x"), 1, None, ("kubectl",)),
        Leftover(("f:spec", "f:list", 'k:{"name":"a"}', "f:v"), 2, None, ("kubectl",)),
    )


def said(
    live: Any,
    fresh: DryRunResult,
    chart: Any,
    policy: Policy | None = None,
    resource: Resource = PART,
    *,
    held: bool = False,
) -> Verdict:
    """The verdict on an applied object once the server answered for a new one."""
    key = ObjectKey(resource.gvk.group_kind, "shop", "a")
    request = DryRunRequest(Verb.APPLY, resource, key, chart)
    verdict = Verdict(None, key, resource, None, (), (), dry_run=request)  # type: ignore[arg-type]
    pairs = [(request, Accepted(live))]
    requests = new_objects(pairs)
    (asked,) = requests.values()
    assert (asked.verb, asked.creates, asked.strict_validation, asked.about) == (Verb.APPLY, True, True, key)
    assert asked.key.name != "a"
    stored = (build_object(resource.gvk, key, chart),) if held else ()
    run = Invocation(HelmVersion(4, 3, 1), invocation.Action.INSTALL, ReleaseName("shop", "r"))
    facts = Facts(None, (), run, previous_objects=stored)  # type: ignore[arg-type]
    plan = compared(Plan((verdict,)), facts, policy or Policy(), pairs, known(requests, [fresh]))
    return plan.verdicts[0]


def text(finding: Finding) -> str:
    return f"{finding.code} {finding.severity.value}: {finding.text} | {'; '.join(finding.next)}"


KUBECTLS = entry("kubectl", {"f:spec": {"f:it's": {}}})


def test_fields_of_other_managers_are_listed_with_the_command_that_removes_them() -> None:
    live = body(PART, {"it's": 1, "color": "red"}, KUBECTLS)
    verdict = said(live, Accepted(body(PART, {"color": "red"})), body(PART, {"color": "red"}))
    assert [text(each) for each in verdict.findings] == [
        "PR317 warning: 1 field that the chart does not set belongs to another field manager, and Helm leaves it: "
        "spec.it's (kubectl) | postrender adopt r -n shop parts.example.com/shop/a --take-fields kubectl; "
        "kubectl patch parts.example.com/a -n shop --type=json "
        """-p '[{"op":"remove","path":"/spec/it'"'"'s"}]'"""
    ]


def test_an_upgrade_of_what_the_release_holds_only_mentions_them() -> None:
    verdict = said(body(PART, {"it's": 1}, KUBECTLS), Accepted(body(PART, {})), body(PART, {}), held=True)
    assert [(each.code, each.severity.value) for each in verdict.findings] == [("PR317", "info")]


def test_fields_that_nobody_owns_are_listed_and_refused_with_on_drift_fail() -> None:
    live, fresh = body(SERVICE, {"families": ["IPv4"], "policy": "x"}), body(SERVICE, {"families": ["IPv6"]})
    verdict = said(live, Accepted(fresh), body(SERVICE, {}), resource=SERVICE)
    assert [text(each) for each in verdict.findings] == [
        "PR318 warning: 2 fields will not be as in a fresh installation, since no field manager owns them: "
        "spec.families, spec.policy | kubectl patch services/a -n shop --type=json -p "
        '\'[{"op":"remove","path":"/spec/policy"},{"op":"add","path":"/spec/families","value":["IPv6"]}]\''
    ]
    refused = said(live, Accepted(fresh), body(SERVICE, {}), Policy(on_drift=OnDrift.FAIL), SERVICE)
    assert refused.actions == (Action.REFUSE,)
    allowed = Policy(on_drift=OnDrift.FAIL, allow=frozenset({"PR318"}))
    assert said(live, Accepted(fresh), body(SERVICE, {}), allowed, SERVICE).actions == ()


def test_what_the_chart_says_and_the_server_does_not_do_is_said() -> None:
    chart = body(SERVICE, {"a": {}})
    verdict = said(body(SERVICE, {}), Accepted(chart), chart, resource=SERVICE)
    assert [text(each) for each in verdict.findings] == ["PR308 warning: the API server drops spec.a | "]


def test_a_command_never_shows_the_value_of_a_secret() -> None:
    live = body(SECRET, {"a": "b2xk", "gone": "b2xk"}, place="data")
    verdict = said(live, Accepted(body(SECRET, {"a": "bmV3"}, place="data")), body(SECRET, {}), resource=SECRET)
    assert [each.next for each in verdict.findings] == [
        ("""kubectl patch secrets/a -n shop --type=json -p '[{"op":"remove","path":"/data/gone"}]'""",)
    ]


def test_a_new_object_that_the_server_refuses_is_warned_about() -> None:
    live = body(PART, {"it's": 1, "free": 1}, KUBECTLS)
    for answer, reason in ((Rejected("no"), "no"), (Skipped("no right"), "no right")):
        assert [(each.code, each.text) for each in said(live, answer, body(PART, {})).findings] == [
            (
                "PR317",
                "1 field that the chart does not set belongs to another field manager, and Helm leaves it: "
                "spec.it's (kubectl)",
            ),
            ("PR314", f"fields that left the chart may stay live without notice: {reason}"),
        ]
    assert [each.code for each in said(live, Skipped(), body(PART, {})).findings] == ["PR317"]
