"""What is asked of the server for each Helm, and what its answers do to the plan."""

from __future__ import annotations

from typing import Any

import pytest

from postrender import manifest
from postrender._record import replace
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
from postrender.helm.invocation import Action, Invocation
from postrender.helm.objects import build_object
from postrender.helm.simulate import Request
from postrender.helm.versions import HelmVersion
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Absent,
    Found,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
)
from postrender.planner.decide import decide
from postrender.planner.dry_run import apply_results, requests_of, retry_with_force
from postrender.planner.facts import Desired, DesiredObject, Facts
from postrender.planner.policy import Adopt, Policy
from postrender.planner.verdict import Action as Done
from postrender.planner.verdict import Plan

US = ReleaseName("shop", "shirts")
NAME = "configmaps/shop/shirt"
LIVE = "configmaps/shop/live"
STREAM = b"""\
apiVersion: v1
kind: ConfigMap
metadata: {name: shirt}
data: {a: "2"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: new}
data: {a: "1"}
"""
STAMPS = {
    "labels": {MANAGED_BY: "Helm"},
    "annotations": {RELEASE_NAME: US.name, RELEASE_NAMESPACE: US.namespace},
}
TARGET = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shirt", "namespace": "shop", **STAMPS},
    "data": {"a": "2"},
}


def entry(operation: str, fields: dict[str, Any], manager: str = "helm") -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}


def facts(
    version: str | None, *, stream: bytes = STREAM, owned: bool = True, managed: tuple[Any, ...] = (), **flags: Any
) -> Facts:
    """A ConfigMap that is live with ``a: "1"``, and one that is new."""
    documents = manifest.read(stream)
    items = []
    for ref in documents.objects:
        key = ObjectKey(ref.gvk.group_kind, "shop", ref.name)
        resource = Resource(ref.gvk, "configmaps", namespaced=True, status_apart=False)
        found: Any = Absent()
        if ref.name == "shirt":
            metadata = {"name": "shirt", "namespace": "shop", "resourceVersion": "7", **(STAMPS if owned else {})}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}
            labels, notes = (STAMPS["labels"], STAMPS["annotations"]) if owned else ({}, {})
            found = Found(LiveObject(key, "v1", "uid", "7", labels, notes, managed_fields=managed, body=body))
        items.append(DesiredObject(ref, key, resource, found))
    helm = HelmVersion.parse(version) if version else None
    return Facts(Desired(documents), tuple(items), Invocation(helm, Action.INSTALL, US, **flags))


def heard(known: Facts, answer: DryRunResult, policy: Policy | None = None, new: DryRunResult | None = None) -> Plan:
    """The plan once the server said this to what is live, and that (nothing else: yes) to what is new."""
    policy = policy or Policy()
    plan = decide(known, policy)
    said = [(new or Accepted({})) if request.creates else answer for request in requests_of(plan)]
    return apply_results(plan, known, policy, said)


def only(known: Facts, policy: Policy | None = None) -> DryRunRequest:
    """What is asked about the object that is live."""
    (request,) = [request for request in requests_of(decide(known, policy or Policy())) if not request.creates]
    return request


def made(known: Facts) -> DryRunRequest:
    """What is asked about the object that is new."""
    (request,) = [request for request in requests_of(decide(known, Policy())) if request.creates]
    return request


@pytest.mark.parametrize("force", [True, False])
def test_a_server_side_apply_is_asked_whole(force: bool) -> None:
    request = only(facts("4.3.1", force_conflicts=force))
    assert (request.verb, request.name, request.body) == (Verb.APPLY, NAME, TARGET)
    assert (request.force, request.migrates_field_manager, request.ownership_written_first) == (force, True, False)


def test_a_client_side_update_is_asked_with_the_patch_that_is_predicted() -> None:
    request = only(facts("3.21.4"))
    assert (request.verb, request.body) == (Verb.STRATEGIC, {"data": {"a": "2"}})


@pytest.mark.parametrize(("version", "strict"), [("3.21.4", False), ("4.3.1", True)])
def test_a_replacement_carries_the_live_version(version: str, strict: bool) -> None:
    request = only(facts(version, force=True, server_side="false"))
    metadata = {**TARGET["metadata"], "resourceVersion": "7"}  # type: ignore[dict-item]
    assert (request.verb, request.body, request.strict_validation) == (
        Verb.REPLACE,
        {**TARGET, "metadata": metadata},
        strict,
    )


def test_nothing_is_asked_of_a_helm_of_unknown_version_or_of_what_is_refused_anyhow() -> None:
    assert requests_of(decide(facts(None), Policy())) == []
    assert [request.creates for request in requests_of(decide(facts("4.3.1", owned=False), Policy()))] == [True]
    assert [request.creates for request in requests_of(decide(facts("4.0.0"), Policy()))] == [True]


@pytest.mark.parametrize(
    ("version", "verb"), [("3.12.3", Verb.CREATE), ("4.0.0", Verb.CREATE), ("4.0.1", Verb.APPLY), ("4.3.1", Verb.APPLY)]
)
def test_what_is_new_beside_what_is_live_is_asked_as_this_helm_makes_it(version: str, verb: Verb) -> None:
    request = made(facts(version))
    metadata = {"name": "new", "namespace": "shop", **STAMPS}
    assert (request.verb, request.name) == (verb, "configmaps/shop/new")
    assert request.body == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


def test_nothing_is_asked_of_what_is_new_where_nothing_is_live() -> None:
    known = facts("4.3.1")
    (new,) = [item for item in known.items if item.live is None]
    assert requests_of(decide(replace(known, items=(new,)), Policy())) == []


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_what_is_new_and_refused_is_refused_before_anything_is_half_done(version: str) -> None:
    plan = heard(facts(version), Accepted(TARGET), new=Rejected("data: Invalid value"))
    ((verdict, finding),) = plan.errors
    assert (verdict.name, verdict.actions, finding.code) == ("configmaps/shop/new", (Done.REFUSE,), "PR307")
    assert finding.text == "the API server would refuse what this Helm sends: data: Invalid value"
    assert finding.next == ()
    assert verdict.prediction is not None
    assert verdict.prediction.error == "failed to create resource: data: Invalid value"


DEFINED = b"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shirts.example.com}
spec: {group: example.com}
---
apiVersion: v1
kind: Namespace
metadata: {name: opened}
---
apiVersion: example.com/v1
kind: Shirt
metadata: {name: shirt, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: in-it, namespace: opened}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: live, namespace: shop}
data: {a: "1"}
"""


def resting(*, defined_before: bool) -> Facts:
    """A definition and a namespace, and what rests on them; one ConfigMap is live."""
    stream = manifest.read(DEFINED)
    items = []
    for ref in stream.objects:
        key = ObjectKey(ref.gvk.group_kind, ref.namespace, ref.name)
        resource = Resource(ref.gvk, f"{ref.gvk.kind.lower()}s", namespaced=bool(ref.namespace))
        body = {**stream.value(ref), "data": {}}
        metadata = STAMPS["labels"], STAMPS["annotations"]
        live = Found(LiveObject(key, ref.gvk.api_version, "uid", "7", *metadata, body=body))
        items.append(DesiredObject(ref, key, resource, live if ref.name == "live" else Absent()))
    first = stream.objects[0]
    stored = build_object(first.gvk, items[0].key, stream.value(first))
    invocation = Invocation(HelmVersion(3, 12, 3), Action.INSTALL, US)
    return Facts(Desired(stream), tuple(items), invocation, previous_objects=(stored,) if defined_before else ())


def test_what_rests_on_what_this_very_run_makes_is_not_asked() -> None:
    asked = [request.name for request in requests_of(decide(resting(defined_before=False), Policy()))]
    assert asked == ["customresourcedefinitions.apiextensions.k8s.io/shirts.example.com", "namespaces/opened", LIVE]
    asked = [request.name for request in requests_of(decide(resting(defined_before=True), Policy()))]
    assert "shirts.example.com/shop/shirt" in asked


def conflicting(*conflicts: Conflict) -> Conflicts:
    return Conflicts(conflicts, "Apply failed")


def test_conflicts_are_refused_with_fields_managers_and_the_flag() -> None:
    many = [Conflict(f".data.{name}", "someone", True) for name in "abcdefg"]
    plan = heard(facts("4.3.1"), conflicting(*many))
    ((verdict, finding),) = plan.errors
    assert (verdict.name, verdict.actions, verdict.edits) == (NAME, (Done.REFUSE,), ())
    assert f"{finding.text} ({finding.code})" == (
        "7 fields that the chart sets belong to another field manager, and Helm would stop there: data.a (someone), "
        "data.b (someone), data.c (someone), data.d (someone), data.e (someone) and 2 more (PR306)"
    )
    assert finding.next == (
        "kubectl get configmaps/shirt -n shop -o yaml --show-managed-fields",
        "postrender adopt shirts -n shop configmaps/shop/shirt --take-fields someone",
        "helm ... --force-conflicts",
    )
    assert verdict.prediction is not None
    assert verdict.prediction.error == (
        "conflict occurred while applying object shop/shirt /v1, Kind=ConfigMap: Apply failed with 7 conflicts"
    )


def test_one_conflict_is_told_in_the_singular_and_can_be_allowed() -> None:
    plan = heard(facts("4.3.1"), conflicting(Conflict(".data.a", "hpa", False)), Policy(allow=frozenset({"PR306"})))
    assert plan.errors == ()
    finding = plan.verdicts[0].findings[-1]
    assert finding.text == (
        "1 field that the chart sets belongs to another field manager, and Helm would stop there: data.a (hpa)"
    )


def test_what_a_controller_sets_is_not_to_be_taken_from_it() -> None:
    ((_, finding),) = heard(facts("4.3.1"), conflicting(Conflict(".data.a", "keda-operator", False))).errors
    assert not any("--take-fields" in step for step in finding.next)


def test_what_another_tool_applies_first_does_not_conflict_with_it_in_helm() -> None:
    """What ``krm`` prints kubectl applies: Helm, later, sets the fields to the values that they have."""
    conflict = conflicting(Conflict(".data.a", "kubectl-client-side-apply", True))
    plan = heard(facts("4.3.1"), conflict, Policy(applied_elsewhere=True))
    assert plan.errors == ()
    assert "PR306" not in [finding.code for finding in plan.verdicts[0].findings]


def test_conflicts_with_helms_own_client_side_past_do_not_arise() -> None:
    request = only(facts("4.3.1"))
    past = Conflict(".data.a", "helm", True)
    assert retry_with_force(request, conflicting(past)) == DryRunRequest(
        Verb.APPLY,
        request.resource,
        request.key,
        TARGET,
        force=True,
        migrates_field_manager=True,
        strict_validation=True,
    )
    assert retry_with_force(request, conflicting(past, Conflict(".data.b", "helm", False))) is None
    assert retry_with_force(request, Rejected("no")) is None


def test_conflicts_with_stamps_that_are_written_first_do_not_arise() -> None:
    known = facts("4.3.1", owned=False)
    request = only(known, Policy(adopt=frozenset({Adopt.UNMANAGED})))
    stamp = Conflict(f".metadata.annotations.{RELEASE_NAME}", "kubectl", True)
    assert request.ownership_written_first
    assert retry_with_force(request, conflicting(stamp)) is not None
    assert retry_with_force(request, conflicting(stamp, Conflict(".data.a", "kubectl", True))) is None


def test_what_is_to_be_adopted_and_then_meets_a_conflict_is_not_stamped() -> None:
    policy = Policy(adopt=frozenset({Adopt.UNMANAGED}))
    plan = heard(facts("4.3.1", owned=False), conflicting(Conflict(".data.a", "kubectl", True)), policy)
    assert plan.adoptions == ()


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_what_the_server_refuses_is_refused(version: str) -> None:
    plan = heard(facts(version), Rejected("data: field is immutable"))
    ((verdict, finding),) = plan.errors
    assert (verdict.actions, finding.code) == ((Done.REFUSE,), "PR307")
    assert finding.text == "the API server would refuse what this Helm sends: data: field is immutable"
    assert finding.next == ("kubectl get configmaps/shirt -n shop -o yaml",)


def test_who_may_only_read_is_told_and_not_held_up() -> None:
    plan = heard(facts("4.3.1"), Skipped("no right to patch configmaps (403): no", ("kubectl auth can-i ...",)))
    assert plan.errors == ()
    assert plan.notes == (
        "no dry run of Helm's requests was possible for configmaps/shop/shirt: "
        "no right to patch configmaps (403): no; run: kubectl auth can-i ...",
    )
    assert plan.verdicts[0].prediction is None


def test_a_file_is_not_expected_to_answer() -> None:
    known = facts("3.12.3")
    assert heard(known, Skipped()) == decide(known, Policy())


def test_what_is_live_afterwards_is_the_servers_answer() -> None:
    after = {**TARGET, "data": {"a": "2", "b": "theirs"}}
    managed = (entry("Apply", {"f:data": {"f:b": {}}}),)
    prediction = heard(facts("4.3.1", managed=managed), Accepted(after)).verdicts[0].prediction
    assert prediction is not None
    assert (prediction.request, prediction.live) == (Request.APPLY, after)


@pytest.mark.parametrize(
    ("operation", "more", "past"),
    [("Update", {}, True), ("Apply", {}, False), ("Update", {"manager": "someone"}, False)],
)
def test_what_helm_set_client_side_before_is_asked_about_as_it_is_migrated(
    operation: str, more: dict[str, str], past: bool
) -> None:
    managed = (entry(operation, {"f:data": {"f:old": {}}}, **more),)
    assert only(facts("4.3.1", managed=managed)).has_client_side_fields is past


def test_what_the_migration_removes_is_announced() -> None:
    after = {**TARGET, "data": {"a": "2"}}
    gone = (("f:data", "f:old"), ("f:spec", 'k:{"name":"x","port":80}', "f:x"), ("f:set", 'v:"y"'))
    (verdict, *_) = heard(facts("4.3.1"), Accepted(after, gone)).verdicts
    assert verdict.prediction is not None
    assert verdict.prediction.live == after
    assert (verdict.findings[-1].code, verdict.findings[-1].text) == (
        "PR315",
        'Helm removes or resets data.old, spec[name="x",port=80].x, set["y"]: '
        "an earlier Helm set this, and the chart does not",
    )


def test_an_empty_map_that_gets_lost_is_told() -> None:
    """What server-side apply makes of ``b: {}`` where ``b`` had entries that leave the chart."""
    stream = manifest.read(b"{apiVersion: a.example.com/v1, kind: Shirt, metadata: {name: s}, spec: {b: {}, c: null}}")
    (ref,) = stream.objects
    key = ObjectKey(ref.gvk.group_kind, "shop", ref.name)
    live = LiveObject(key, ref.gvk.api_version, "uid", "7", STAMPS["labels"], STAMPS["annotations"])
    item = DesiredObject(ref, key, Resource(ref.gvk, "shirts", namespaced=True), Found(live))
    known = Facts(Desired(stream), (item,), Invocation(HelmVersion(4, 3, 1), Action.INSTALL, US))
    after = {**only(known).body, "spec": {"b": None}}
    plan = heard(known, Accepted(after))
    finding = plan.verdicts[0].findings[-1]
    assert plan.errors == ()
    assert f"{finding.text} ({finding.code})" == ("the API server drops spec.b (PR308)")


def test_a_later_document_of_an_object_is_predicted_over_the_earlier_one() -> None:
    """The server answers over the object as it is before the run."""
    document = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shirt}\ndata: {%s}\n"
    known = facts("3.21.4", stream="---\n".join(document % data for data in ('a: "2"', 'b: "3"')).encode())
    server = {**TARGET, "data": {"a": "1", "b": "3"}}
    first, later = (verdict.prediction for verdict in heard(known, Accepted(server)).verdicts)
    assert first
    assert later
    assert first.live["data"] == server["data"]
    assert later.live["data"] == {"b": "3"}


@pytest.mark.parametrize(("chart", "codes"), [("", []), (", size: XL", ["PR308"])])
def test_what_the_server_fills_in_by_itself_is_no_word_of_the_chart(chart: str, codes: list[str]) -> None:
    """An earlier chart set ``color`` to what is its default; this one says nothing about it."""
    text = "{apiVersion: a.example.com/v1, kind: Shirt, metadata: {name: s}, spec: {fit: slim" + chart + "}}"
    stream = manifest.read(text.encode())
    (ref,) = stream.objects
    key = ObjectKey(ref.gvk.group_kind, "shop", ref.name)
    managed = ({**entry("Update", {"f:spec": {"f:color": {}, "f:fit": {}}}), "apiVersion": ref.gvk.api_version},)
    metadata = {"name": "s", "namespace": "shop", "resourceVersion": "7", "managedFields": list(managed), **STAMPS}
    body = {"apiVersion": ref.gvk.api_version, "kind": "Shirt", "metadata": metadata, "spec": {"color": "red"}}
    live = LiveObject(
        key, ref.gvk.api_version, "uid", "7", STAMPS["labels"], STAMPS["annotations"], managed_fields=managed, body=body
    )
    item = DesiredObject(ref, key, Resource(ref.gvk, "shirts", namespaced=True), Found(live))
    fresh = {key: {**body, "spec": {"color": "red", "fit": "slim"}}}
    known = Facts(Desired(stream), (item,), Invocation(HelmVersion(3, 21, 4), Action.INSTALL, US), fresh=fresh)
    found = [finding.code for finding in decide(known, Policy()).verdicts[0].findings]
    assert [code for code in found if code == "PR308"] == codes
