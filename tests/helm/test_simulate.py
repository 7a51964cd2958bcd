"""The simulated update on literals; ``tests/e2e`` holds it against the real program."""

from __future__ import annotations

from typing import Any

import pytest

from postrender._record import replace
from postrender.helm.api_server import resource_version_error
from postrender.helm.objects import ManifestObject, with_helm_metadata
from postrender.helm.simulate import Request, Update, simulate
from postrender.helm.versions import HelmVersion, Matching
from postrender.models import GroupVersionKind, ObjectKey, ReleaseName

US = ReleaseName("shop", "shirts")
HELM = HelmVersion(3, 12, 3)
NEEDS_VERSION = 'cannot patch "shirt" with kind Shirt: metadata.resourceVersion: ... must be specified for an update'


def _gvk(group: str, kind: str = "Shirt") -> GroupVersionKind:
    return GroupVersionKind(group, "v1", kind)


def _entry(group: str, spec: Any, *, version: str = "", kind: str = "Shirt") -> ManifestObject:
    gvk = _gvk(group, kind)
    metadata = {"name": "shirt", **({"resourceVersion": version} if version else {})}
    body = with_helm_metadata({"apiVersion": gvk.api_version, "kind": kind, "metadata": metadata, "spec": spec}, US)
    return ManifestObject(gvk, ObjectKey(gvk.group_kind, "shop", "shirt"), body)


def _live(entry: ManifestObject, spec: Any, version: str) -> Any:
    metadata = {**entry.body["metadata"], "uid": f"uid-{version}", "resourceVersion": version, "generation": 1}
    return {**entry.body, "metadata": metadata, "spec": spec}


def _pair(matching: Matching, beta: Any, stable: Any, *, pin: str = "") -> Update:
    first, second = _entry("beta", beta), _entry("stable", stable, version=pin)
    live = {
        first.key: _live(first, {"color": "blue"}, "11"),
        second.key: _live(second, {"color": "green", "size": "L"}, "12"),
    }
    return Update([first, second], [], [0, 1], live, HELM, matching)


def test_adoption_patches_nothing_where_group_and_kind_are_compared() -> None:
    answers = simulate(_pair(Matching.GROUP_KIND, {"color": "red"}, {"color": "black"}))
    assert [answer.request for answer in answers] == [Request.NOTHING, Request.NOTHING]
    assert [answer.live["spec"] for answer in answers] == [{"color": "blue"}, {"color": "green", "size": "L"}]
    assert [answer.error for answer in answers] == ["", ""]


def test_the_second_of_a_pair_is_compared_with_the_first_one_live() -> None:
    first, second = simulate(_pair(Matching.KIND, {"color": "blue"}, {"color": "green", "size": "L"}))
    assert first.request is Request.NOTHING
    assert (second.error, second.resource_version_error) == (NEEDS_VERSION, True)
    assert second.patch["metadata"]["resourceVersion"] is None


def test_a_pin_makes_the_patch_valid() -> None:
    _, second = simulate(_pair(Matching.KIND, {"color": "blue"}, {"color": "black"}, pin="12"))
    assert second.error == ""
    assert second.live["spec"] == {"color": "black", "size": "L"}
    assert second.live["metadata"]["uid"] == "uid-12"


def test_a_pin_of_another_version_is_a_conflict() -> None:
    _, second = simulate(_pair(Matching.KIND, {"color": "blue"}, {"color": "black"}, pin="13"))
    assert (second.error, second.resource_version_error) == (
        'cannot patch "shirt" with kind Shirt: the object has been modified',
        True,
    )


def test_fields_equal_to_the_namesakes_are_not_applied() -> None:
    _, second = simulate(_pair(Matching.KIND, {"color": "blue"}, {"color": "blue"}, pin="12"))
    assert second.live["spec"] == {"color": "green", "size": "L"}


def test_copied_entries_keep_their_manifest() -> None:
    update = replace(_pair(Matching.KIND, {"color": "blue"}, {"color": "black"}), shared=False)
    _, second = simulate(update)
    assert second.error == ""
    assert second.live["spec"] == {"color": "black", "size": "L"}


def test_an_upgrade_compares_with_what_is_stored() -> None:
    target = _entry("beta", {"color": "red"})
    stored = _entry("beta", {"color": "blue", "size": "M"})
    live = {target.key: _live(target, {"color": "blue", "size": "M", "by": "hand"}, "9")}
    (answer,) = simulate(Update([target], [stored], [], live, HELM, Matching.GROUP_KIND))
    assert answer.request is Request.PATCH
    assert answer.live["spec"] == {"color": "red", "by": "hand"}
    assert answer.patch == {"spec": {"color": "red", "size": None}}


def test_force_replaces() -> None:
    update = replace(_pair(Matching.KIND, {"color": "red"}, {"color": "black"}), force=True)
    answers = simulate(update)
    assert [answer.request for answer in answers] == [Request.REPLACE, Request.REPLACE]
    assert [answer.live["spec"] for answer in answers] == [{"color": "red"}, {"color": "black"}]


def test_three_ways_apply_what_the_chart_says_and_remove_nothing() -> None:
    update = replace(_pair(Matching.GROUP_KIND, {"color": "red"}, {"color": "black"}), three_way=True)
    answers = simulate(update)
    assert [answer.live["spec"] for answer in answers] == [{"color": "red"}, {"color": "black", "size": "L"}]


@pytest.mark.parametrize(
    ("version", "error", "ends"),
    [
        ("3.21.4", 'no Shirt with the name "shirt" found', True),
        ("3.22.0", NEEDS_VERSION, False),
        ("4.1.4", 'original object Shirt with the name "shirt" not found', True),
        ("4.0.5", NEEDS_VERSION, False),
        ("4.2.0", NEEDS_VERSION, False),
    ],
)
def test_a_live_object_that_the_release_does_not_hold(version: str, error: str, ends: bool) -> None:
    helm = HelmVersion.parse(version)
    assert helm
    target = _entry("stable", {"color": "red"})
    live = {target.key: _live(target, {"color": "blue"}, "11")}
    (answer,) = simulate(Update([target], [], [], live, helm, Matching.GROUP_KIND))
    assert (answer.error, answer.aborts_run) == (error, ends)
    assert answer.live["spec"] == {"color": "blue"}


def test_an_earlier_patch_of_the_run_makes_a_pin_stale() -> None:
    stored = _entry("stable", {"color": "blue"})
    targets = [_entry("stable", {"color": "red"}), _entry("stable", {"color": "black"}, version="11")]
    live = {stored.key: _live(stored, {"color": "blue"}, "11")}
    first, second = simulate(Update(targets, [stored], [], live, HELM, Matching.GROUP_KIND))
    assert (first.error, first.live["spec"]) == ("", {"color": "red"})
    assert second.error == 'cannot patch "shirt" with kind Shirt: the object has been modified'


def test_what_is_not_live_is_created() -> None:
    target = _entry("beta", {"color": "red"})
    (answer,) = simulate(Update([target], [], [], {}, HELM, Matching.KIND))
    assert (answer.request, answer.live) == (Request.CREATE, target.body)


def test_status_is_left_alone_where_it_is_a_subresource() -> None:
    first, second = _entry("beta", {}), _entry("stable", {}, version="12")
    live = {
        first.key: {**_live(first, {}, "11"), "status": {"ready": True}},
        second.key: {**_live(second, {}, "12"), "status": {"ready": True}},
    }
    update = Update([first, second], [], [0, 1], live, HELM, Matching.KIND)
    assert "status" not in simulate(update)[1].live
    apart = replace(update, status_apart=frozenset({second.gvk}))
    assert simulate(apart)[1].live["status"] == {"ready": True}


def test_a_builtin_kind_is_patched_three_ways_with_what_is_live() -> None:
    core = ManifestObject(
        GroupVersionKind("", "v1", "ConfigMap"),
        ObjectKey(_gvk("", "ConfigMap").group_kind, "shop", "shirt"),
        with_helm_metadata(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shirt"}, "data": {"a": "2"}}, US
        ),
    )
    live = {**core.body, "data": {"a": "1", "b": "1"}, "metadata": {**core.body["metadata"], "resourceVersion": "5"}}
    (answer,) = simulate(Update([core], [], [0], {core.key: live}, HELM, Matching.KIND))
    assert answer.patch == {"data": {"a": "2"}}
    assert answer.live["data"] == {"a": "2", "b": "1"}


def _versionless(kind: GroupVersionKind) -> str:
    live = {"metadata": {"name": "x", "resourceVersion": "5"}}
    return resource_version_error(kind, live, {"metadata": {"name": "x"}})


def test_which_kinds_need_a_version_in_an_update() -> None:
    needed = "metadata.resourceVersion: ... must be specified for an update"
    assert _versionless(_gvk("stable")) == needed
    assert _versionless(GroupVersionKind("policy", "v1", "PodDisruptionBudget")) == needed
    assert _versionless(GroupVersionKind("scheduling.k8s.io", "v1beta1", "PodGroup")) == needed
    assert _versionless(GroupVersionKind("resource.k8s.io", "v1alpha3", "ResourcePoolStatusRequest")) == needed
    assert _versionless(GroupVersionKind("", "v1", "ConfigMap")) == ""
    assert _versionless(GroupVersionKind("apps", "v1", "Deployment")) == ""
