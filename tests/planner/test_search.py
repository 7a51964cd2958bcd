"""The rewritings found for a group of lookalikes, on literals."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.helm.objects import ManifestObject, with_helm_metadata
from postrender.helm.simulate import Update
from postrender.helm.versions import HelmVersion, Matching
from postrender.models import GroupVersionKind, ObjectKey, ReleaseName
from postrender.planner.rewrite import CollisionGroup, DocumentRewrite, GroupMember, RewriteOutcome
from postrender.planner.search import solve

US = ReleaseName("shop", "shirts")
HELM = HelmVersion(3, 12, 3)
BETA, STABLE = (GroupVersionKind(f"{name}.example.com", "v1", "Shirt") for name in ("beta", "stable"))


def _entry(gvk: GroupVersionKind, spec: Any, version: str = "") -> ManifestObject:
    metadata = {"name": "shirt", **({"resourceVersion": version} if version else {})}
    body = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata, "spec": spec}
    return ManifestObject(gvk, ObjectKey(gvk.group_kind, "shop", "shirt"), body)


def _live(gvk: GroupVersionKind, spec: Any, version: str, by_helm: Any = ()) -> Any:
    body = with_helm_metadata(_entry(gvk, spec, version).body, US)
    body["metadata"]["namespace"] = "shop"
    body["metadata"]["uid"] = f"uid-{version}"
    body["metadata"]["managedFields"] = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {f"f:{name}": {} for name in by_helm}}}
    ]
    return body


def _adopt(
    matching: Matching,
    objects: dict[GroupVersionKind, tuple[Any, Any]],
    *,
    proposed: DocumentRewrite | None = None,
    **frame: Any,
) -> tuple[RewriteOutcome, ...]:
    """Objects by kind: what the chart wants, what is live."""
    proposed = proposed or DocumentRewrite(owner=US)
    members = [GroupMember(_entry(gvk, spec), proposed) for gvk, (spec, _) in objects.items()]
    live = {
        member.entry.key: _live(gvk, spec, str(index + 11), spec)
        for index, (member, (gvk, (_, spec))) in enumerate(zip(members, objects.items(), strict=True))
        if spec is not None
    }
    adopted = [index for index, member in enumerate(members) if member.entry.key in live]
    return solve(CollisionGroup(members, Update((), (), adopted, live, HELM, matching, **frame), US))


def _specs(outcomes: tuple[RewriteOutcome, ...]) -> list[Any]:
    return [outcome.prediction.live["spec"] for outcome in outcomes]


def test_nothing_changed_and_nothing_collides() -> None:
    (outcome,) = _adopt(Matching.GROUP_KIND, {BETA: ({"color": "blue"}, {"color": "blue"})})
    assert outcome.rewrite == DocumentRewrite(owner=US)
    assert (outcome.differing, outcome.fixed_by_next_upgrade, outcome.withheld_metadata) == ((), True, False)


def test_the_second_of_a_pair_is_pinned() -> None:
    same = {BETA: ({"color": "blue"}, {"color": "blue"}), STABLE: ({"color": "green"}, {"color": "green"})}
    outcomes = _adopt(Matching.KIND, same)
    assert [outcome.rewrite.pin for outcome in outcomes] == ["", "12"]
    assert [outcome.prediction.error for outcome in outcomes] == ["", ""]
    assert _specs(outcomes) == [{"color": "blue"}, {"color": "green"}]
    assert [outcome.rewrite.pin for outcome in _adopt(Matching.GROUP_KIND, same)] == ["", ""]


def test_three_groups_need_two_pins() -> None:
    gamma = GroupVersionKind("gamma.example.com", "v1", "Shirt")
    outcomes = _adopt(Matching.KIND, {gvk: ({"n": 1}, {"n": 1}) for gvk in (BETA, STABLE, gamma)})
    assert [outcome.rewrite.pin for outcome in outcomes] == ["", "12", "13"]


def test_only_what_is_live_collides() -> None:
    outcomes = _adopt(Matching.KIND, {BETA: ({"color": "blue"}, None), STABLE: ({"color": "x"}, {"color": "x"})})
    assert [outcome.rewrite.pin for outcome in outcomes] == ["", ""]


@pytest.mark.parametrize("matching", [Matching.KIND, Matching.GROUP_KIND])
def test_what_helm_will_not_apply_is_stored_as_it_is_live(matching: Matching) -> None:
    """Removals are included, since Helm's own older fields are stored too."""
    (outcome,) = _adopt(matching, {BETA: ({"color": "red", "new": 1}, {"color": "blue", "size": "M"})})
    assert outcome.rewrite.replacement is not None
    assert outcome.rewrite.replacement["spec"] == {"color": "blue", "size": "M"}
    assert outcome.differing == (("spec", "color"), ("spec", "size"), ("spec", "new"))
    assert outcome.fixed_by_next_upgrade
    assert _specs((outcome,)) == [{"color": "blue", "size": "M"}]


def test_fields_of_others_are_not_stored() -> None:
    members = [GroupMember(_entry(BETA, {"color": "red"}), DocumentRewrite())]
    live = {members[0].entry.key: _live(BETA, {"color": "blue", "theirs": 1}, "11", ("color",))}
    (outcome,) = solve(CollisionGroup(members, Update((), (), [0], live, HELM, Matching.GROUP_KIND), US))
    assert outcome.rewrite.replacement["spec"] == {"color": "blue"}
    assert outcome.differing == (("spec", "color"),)


def test_taking_ownership_applies_changes_and_leaves_removals_to_the_next_upgrade() -> None:
    (outcome,) = _adopt(Matching.GROUP_KIND, {BETA: ({"color": "red"}, {"color": "blue", "size": "M"})}, three_way=True)
    assert outcome.rewrite.replacement["spec"] == {"color": "red", "size": "M"}
    assert _specs((outcome,)) == [{"color": "red", "size": "M"}]
    assert (outcome.differing, outcome.fixed_by_next_upgrade) == ((("spec", "size"),), True)


def test_a_label_that_would_not_be_live_is_withheld() -> None:
    proposed = DocumentRewrite(owner=US, label=("postrender/group-kind", "x"))
    (outcome,) = _adopt(Matching.GROUP_KIND, {BETA: ({"n": 1}, {"n": 1})}, proposed=proposed)
    assert outcome.rewrite.label is None
    assert outcome.rewrite.owner == US
    assert outcome.withheld_metadata


def test_both_are_adopted_and_both_differ() -> None:
    outcomes = _adopt(
        Matching.KIND, {BETA: ({"color": "red"}, {"color": "blue"}), STABLE: ({"color": "black"}, {"color": "green"})}
    )
    assert outcomes[0].rewrite.replacement["spec"] == {"color": "blue"}
    assert _specs(outcomes) == [{"color": "blue"}, {"color": "black"}]
    assert [outcome.fixed_by_next_upgrade for outcome in outcomes] == [True, True]


def test_storing_is_no_cure_where_the_next_upgrade_would_leave_a_field_behind() -> None:
    """The namesake's stored value equals the wanted one, so that the next patch would not carry it."""
    outcomes = _adopt(
        Matching.KIND, {BETA: ({"color": "green"}, {"color": "blue"}), STABLE: ({"color": "blue"}, {"color": "green"})}
    )
    assert not outcomes[1].fixed_by_next_upgrade


def _upgrade(
    matching: Matching, objects: dict[GroupVersionKind, tuple[ManifestObject, Any, Any]], **frame: Any
) -> tuple[RewriteOutcome, ...]:
    """Objects by kind: what is stored, what the chart wants now, what is live with which version."""
    members = [GroupMember(_entry(gvk, spec), DocumentRewrite()) for gvk, (_, spec, _) in objects.items()]
    live = {
        member.entry.key: _live(gvk, *found)
        for member, (gvk, (_, _, found)) in zip(members, objects.items(), strict=True)
    }
    stored = [entry for entry, _, _ in objects.values()]
    return solve(CollisionGroup(members, Update((), stored, (), live, HELM, matching, **frame), US))


def test_a_stored_pin_is_carried_on_where_it_would_be_nulled() -> None:
    outcomes = _upgrade(
        Matching.GROUP_KIND,
        {
            BETA: (_entry(BETA, {"n": 1}), {"n": 2}, ({"n": 1}, "21")),
            STABLE: (_entry(STABLE, {"n": 1}, "12"), {"n": 3}, ({"n": 1}, "22")),
        },
    )
    assert [outcome.rewrite.pin for outcome in outcomes] == ["", "12"]
    assert _specs(outcomes) == [{"n": 2}, {"n": 3}]


def test_no_pin_is_carried_on_where_it_would_conflict() -> None:
    outcomes = _upgrade(
        Matching.KIND,
        {
            BETA: (_entry(BETA, {"n": 1}), {"n": 2}, ({"n": 1}, "21")),
            STABLE: (_entry(STABLE, {"n": 1}, "12"), {"n": 3}, ({"n": 1}, "22")),
        },
    )
    assert [outcome.rewrite.pin for outcome in outcomes] == ["", ""]
    assert _specs(outcomes) == [{"n": 2}, {"n": 3}]


def test_a_pinned_first_makes_the_live_version_the_right_one() -> None:
    outcomes = _upgrade(
        Matching.KIND,
        {
            BETA: (_entry(BETA, {"n": 1}, "11"), {"n": 2}, ({"n": 1}, "21")),
            STABLE: (_entry(STABLE, {"n": 1}), {"n": 3}, ({"n": 1}, "22")),
        },
    )
    assert [outcome.rewrite.pin for outcome in outcomes] == ["11", "22"]
    assert _specs(outcomes) == [{"n": 2}, {"n": 3}]


def test_an_upgrade_that_would_leave_a_field_behind() -> None:
    """The second's new value equals what is stored for the first."""
    objects = {
        BETA: (_entry(BETA, {"color": "red"}), {"color": "red"}, ({"color": "red"}, "21")),
        STABLE: (_entry(STABLE, {"color": "blue"}), {"color": "red"}, ({"color": "blue"}, "22")),
    }
    outcomes = _upgrade(Matching.KIND, objects)
    assert outcomes[1].differing == (("spec", "color"),)
    assert not outcomes[1].fixed_by_next_upgrade
    assert [outcome.differing for outcome in _upgrade(Matching.GROUP_KIND, objects)] == [(), ()]
