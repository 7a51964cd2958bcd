"""The judge's own eyes: what it calls equal, and whose fields it leaves alone."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.conformance.changes import changed
from tests.conformance.compare import NOTHING, Difference, comparable, differences, not_of_others
from tests.conformance.play import ObjectReport


def said(here: Any, there: Any) -> list[str]:
    return [str(each) for each in differences(here, there)]


def test_entries_of_lists_are_compared_by_name() -> None:
    here = {"ports": [{"name": "b", "port": 1}, {"name": "a", "port": 2}, {"name": "c"}]}
    there = {"ports": [{"name": "a", "port": 2}, {"name": "b", "port": 3}], "type": "x"}
    assert said(here, there) == [
        "ports[name=b].port: 1 (fresh: 3)",
        'ports[name=c]: {"name": "c"} (fresh: nothing)',
        "ports: order",
        'type: nothing (fresh: "x")',
    ]
    assert said(here, here) == []
    assert said({"a": ["x", "y"]}, {"a": ["y", "x"]}) == ["a: order"]
    assert said({"a": 1}, {"a": True}) == ["a: 1 (fresh: true)"]
    assert said({"a": {}}, {}) == ["a: {} (fresh: nothing)"]


def test_only_what_the_server_sets_or_allocates_is_left_out() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a", "uid": "1", "labels": {"a": "b"}, "resourceVersion": "7", "generation": 3},
        "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": [{"port": 1, "nodePort": 30000}]},
        "status": {"loadBalancer": {}},
    }
    assert comparable(live, {"spec": {}}) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "clusterIP": "(allocated)",
            "clusterIPs": "(allocated)",
            "ports": [{"port": 1, "nodePort": "(allocated)"}],
        },
    }
    headless = {**live, "spec": {"clusterIP": "None", "clusterIPs": ["None"]}}
    assert comparable(headless, {})["spec"] == {"clusterIP": "None", "clusterIPs": ["None"]}


def test_a_taint_of_the_server_is_left_out_and_one_of_the_chart_is_not() -> None:
    taints = [{"key": key, "effect": "NoSchedule"} for key in ("node.kubernetes.io/not-ready", "example.com/a")]
    live = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n"}, "spec": {"taints": taints}}
    assert comparable(live, {"spec": {}})["spec"] == {"taints": taints[1:]}
    assert comparable(live, {"spec": {"taints": taints}})["spec"] == {"taints": taints}


def test_what_other_field_managers_own_is_theirs() -> None:
    live = {
        "metadata": {
            "managedFields": [
                {"manager": "helm", "fieldsV1": {"f:spec": {"f:mine": {}}}},
                {"manager": "hpa", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "kubelet", "subresource": "status", "fieldsV1": {"f:spec": {"f:mine": {}}}},
                {
                    "manager": "kubectl",
                    "fieldsV1": {"f:spec": {"f:env": {'k:{"name":"A"}': {".": {}, "f:value": {}, "f:name": {}}}}},
                },
            ]
        },
        "spec": {"mine": 1, "replicas": 3, "env": [{"name": "B", "value": "b"}, {"name": "A", "value": "a"}]},
    }
    fresh = {**live, "spec": {"env": []}}
    found = not_of_others(differences(live["spec"], fresh["spec"]), live, {})
    assert [each.path for each in found] == ["mine", "replicas", "env[name=B]", "env[name=A]"]
    whole = not_of_others(differences(live, fresh), live, {})
    assert [each.path for each in whole] == ["spec.mine", "spec.env[name=B]"]


def test_a_change_leaves_the_original_and_its_identity_alone() -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a", "labels": {"a": "b"}},
        "spec": {"ports": [{"name": "x", "port": 1}, {"name": "y", "port": 2}], "selector": {"a": "b"}, "type": "x"},
    }
    kinds = set()
    for number in range(300):
        new, what = changed(Random(number), body)
        assert what or new == body
        assert [new["apiVersion"], new["kind"], new["metadata"]["name"]] == ["v1", "Service", "a"]
        kinds.add(what.rpartition(" ")[2])
    assert kinds >= {"leaves", "changes", "comes", "order", "null", "empty"}
    assert body["spec"]["ports"] == [{"name": "x", "port": 1}, {"name": "y", "port": 2}]  # type: ignore[index]


def test_a_list_of_another_manager_is_theirs_with_what_the_server_added() -> None:
    fields: Any = {"f:spec": {"f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}}}}}
    live: Any = {
        "metadata": {"managedFields": [{"manager": "kubectl", "fieldsV1": fields}]},
        "spec": {"env": [{"name": "A", "mode": "auto"}]},
    }
    assert not not_of_others(differences(live, {**live, "spec": {}}), live, {})


def test_a_default_goes_with_the_type_that_another_manager_owns() -> None:
    live: Any = {
        "metadata": {"managedFields": [{"manager": "kubectl", "fieldsV1": {"f:strategy": {"f:type": {}}}}]},
        "strategy": {"type": "Recreate"},
    }
    fresh = {**live, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    assert not not_of_others(differences(live, fresh), live, {})
    (found,) = not_of_others(differences(live, fresh), live, {"strategy": {"rollingUpdate": {"maxSurge": 1}}})
    assert found.path == "strategy.rollingUpdate"


def test_a_warning_names_a_field_whatever_stands_in_brackets() -> None:
    fields = ("spec", "containers", "env")
    found = Difference("spec.containers[name=c].env[name=b]", fields, ("spec",), "1", NOTHING)
    whole = Difference("spec", ("spec",), ("spec",), {}, NOTHING)

    def left(text: str, difference: Difference, severity: str = "warning") -> list[Difference]:
        return ObjectReport([{"text": text, "severity": severity}]).unnamed([difference])

    said = '1 field belongs to another field manager: spec.containers[name="c"].env[name="b"] (kubectl)'
    assert left(said, found) == []
    assert left(said, found, "info") == [found]
    assert left("1 field belongs to another field manager: spec.volumes (kubectl)", found) == [found]
    assert left("1 field belongs to another field manager: spec (kubectl)", found) == [found]
    assert left("1 field belongs to another field manager: spec (kubectl)", whole) == []
    assert left("1 field stays live: spec.containers.name=c.env (PR313)", found) == []
    assert left("1 field stays live: spec.containers.name=c.ports (PR313)", found) == [found]
