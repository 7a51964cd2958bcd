"""Patches on literals; ``tests/properties/test_patch.py`` asks Go the same."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from postrender.helm import patch
from postrender.helm.patch import PatchError, PatchType, differs, patch_type
from postrender.helm.patch.go_sort import go_sorted
from postrender.helm.versions import HelmVersion
from postrender.models import GroupVersionKind
from tests.helm.patchcases import CASES, Case

Json = Any

OPERATIONS: dict[str, Callable[..., Json]] = {
    "merge_v4": patch.merge_patch,
    "merge_v5": lambda old, new: patch.merge_patch(old, new, exact_numbers=True),
    "apply_merge": patch.apply_merge_patch,
    "three_way_merge": patch.three_way_merge_patch,
    "strategic": patch.strategic_three_way,
    "apply_strategic": patch.apply_strategic,
}


def _answer(case: Case) -> Json:
    return OPERATIONS[case.operation](*case.documents, *([case.gvk] if case.gvk else []))


@pytest.mark.parametrize("case", [case for case in CASES if not case.error], ids=lambda case: case.name)
def test_result(case: Case) -> None:
    before = copy.deepcopy(case.documents)
    answer = _answer(case)
    assert repr(_sorted(answer)) == repr(_sorted(case.result))
    assert repr(case.documents) == repr(before)


@pytest.mark.parametrize("case", [case for case in CASES if case.error], ids=lambda case: case.name)
def test_error(case: Case) -> None:
    with pytest.raises(PatchError) as caught:
        _answer(case)
    assert str(caught.value) == case.error
    assert caught.value.crashes == case.error.startswith("runtime error")


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(element) for element in value] if isinstance(value, list) else value


MERGE, STRATEGIC = PatchType.MERGE, PatchType.STRATEGIC


@pytest.mark.parametrize(
    ("kind", "helm", "expected"),
    [
        ("v1 ConfigMap", None, STRATEGIC),
        ("apps/v1 Deployment", "3.2.0", STRATEGIC),
        ("apps/v1 Deployment", "4.3.1", STRATEGIC),
        ("stable.example.com/v1 Shirt", None, MERGE),
        ("stable.example.com/v1 ConfigMap", None, MERGE),
        ("apps/v9 Deployment", None, MERGE),
        ("monitoring.coreos.com/v1 ServiceMonitor", "4.3.1", MERGE),
        ("apiextensions.k8s.io/v1 CustomResourceDefinition", "3.12.3", STRATEGIC),
        ("apiextensions.k8s.io/v1beta1 CustomResourceDefinition", "3.12.3", MERGE),
        ("admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy", "3.12.3", MERGE),
        ("admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy", "3.14.4", MERGE),
        ("admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy", "3.15.0", STRATEGIC),
        ("admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy", None, STRATEGIC),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", "3.20.0", STRATEGIC),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", "3.21.0", MERGE),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", "3.22.0", MERGE),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", "4.1.4", STRATEGIC),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", "4.2.0", MERGE),
        ("certificates.k8s.io/v1 ClusterTrustBundle", "4.3.1", STRATEGIC),
        ("certificates.k8s.io/v1 ClusterTrustBundle", "4.99.0", STRATEGIC),
        ("policy/v1beta1 PodSecurityPolicy", "3.2.0", STRATEGIC),
        ("policy/v1beta1 PodSecurityPolicy", "3.14.0", MERGE),
    ],
)
def test_patch_type(kind: str, helm: str | None, expected: PatchType) -> None:
    gvk = GroupVersionKind.parse(*kind.split())
    assert patch_type(gvk, HelmVersion.parse(helm) if helm else None) is expected


def test_a_kind_that_only_older_helms_know_is_still_described() -> None:
    gvk = GroupVersionKind("autoscaling", "v2beta2", "HorizontalPodAutoscaler")
    live = {"spec": {"metrics": [{"type": "Resource"}], "scaleTargetRef": {"name": "a", "kind": "Deployment"}}}
    desired = {"spec": {"metrics": [{"type": "Pods"}], "scaleTargetRef": {"name": "b", "kind": "Deployment"}}}
    answer = patch.strategic_three_way(live, desired, live, gvk)
    assert answer == {"spec": {"metrics": [{"type": "Pods"}], "scaleTargetRef": {"name": "b"}}}


@pytest.mark.parametrize("operation", [patch.strategic_three_way, patch.apply_strategic])
def test_a_custom_resource_has_no_strategic_patch(operation: Callable[..., Json]) -> None:
    documents: list[Json] = [{}, {}, {}] if operation is patch.strategic_three_way else [{}, {}]
    with pytest.raises(ValueError, match=r"^stable\.example\.com/v1 Shirt is not a built-in kind$"):
        operation(*documents, GroupVersionKind("stable.example.com", "v1", "Shirt"))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1.0}}, ()),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, (("a", "c"),)),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"z": 1}, (("a", "b", "c"), ("a", "b", "d"), ("z",))),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, (("a",),)),
        ({"a": {}}, {}, (("a",),)),
        ({"a": {}}, {"a": {"b": {"c": 1}}}, (("a", "b", "c"),)),
        ({"a": {"b": 1}}, {"a": "x"}, (("a", "b"),)),
        ({"a": "x"}, {"a": {"b": 1}}, (("a", "b"),)),
        ({"a": {}}, {"a": "x"}, (("a",),)),
        ({"a": None}, {}, (("a",),)),
        ({"a": None}, {"a": False}, (("a",),)),
        ({"a": True}, {"a": 1}, (("a",),)),
        ({}, {}, ()),
        (1, 2, ((),)),
        ({"a.b": 1}, {}, (("a.b",),)),
    ],
)
def test_differs(left: Json, right: Json, expected: tuple[tuple[str, ...], ...]) -> None:
    assert differs(left, right) == expected


def test_go_sorts_a_short_list_with_equal_keys_back_to_front() -> None:
    assert go_sorted(["b1", "a1", "a2", "b2", "a3"], ["b", "a", "a", "b", "a"]) == ["a3", "a2", "a1", "b2", "b1"]


def test_go_inserts_the_elements_of_a_list_of_up_to_twelve() -> None:
    assert go_sorted(range(12), list("ba" * 6)) == [11, 9, 7, 5, 3, 1, 10, 8, 6, 4, 2, 0]
    assert go_sorted(range(12), list("bbaaabbabaab")) == [10, 9, 7, 4, 3, 2, 11, 8, 6, 5, 1, 0]


def test_go_sorts_distinct_keys_as_anybody_does() -> None:
    keys = [str(number) for number in range(30, 0, -1)]
    assert go_sorted(keys, keys) == sorted(keys)


def test_the_schema_is_read_only_when_it_is_needed() -> None:
    program = (
        "from postrender.helm import patch; from postrender.helm.patch import schema; "
        "patch.merge_patch({}, {}); print(schema._facts.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "0\n"
