"""The rewritings found for a group of lookalikes, on literals."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.helm.objects import ManifestObject, with_helm_metadata
from postrender.helm.patch import apply_merge_patch
from postrender.helm.simulate import Update
from postrender.helm.versions import HelmVersion, Matching
from postrender.models import GroupVersionKind, ObjectKey, ReleaseName
from postrender.planner import search
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.rewrite import CollisionGroup, DocumentRewrite, GroupMember, RewriteOutcome
from postrender.planner.search import solve
from postrender.planner.simulation_findings import of_outcome

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


def _returned(
    chart: Any, live: Any, stored: Any = None, *, helm: HelmVersion = HELM, apply: bool = False
) -> RewriteOutcome:
    """A kept object comes back, and a dry run showed that a new one would be as the chart says."""
    entry = _entry(STABLE, chart)
    fresh = _live(STABLE, chart, "12", chart)
    update = Update(
        (),
        [_entry(STABLE, stored)] if stored else [],
        [] if stored else [0],
        {entry.key: _live(STABLE, live, "11", live)},
        helm,
        Matching.GROUP_KIND,
    )
    member = GroupMember(entry, DocumentRewrite(owner=US))
    (outcome,) = solve(CollisionGroup([member], update, US, fresh={entry.key: fresh}, apply=apply))
    return outcome


def _findings(outcome: RewriteOutcome, policy: Policy | None = None) -> list[str]:
    found = of_outcome(outcome, policy or Policy(), HELM, upgrade=True)
    return [f"{each.code} {each.severity.value}: {each.text}" for each in found]


NULLS: list[Any] = [
    [{"b": 2, "c": None}],
    [[{"b": 2, "c": None}]],
    [{"b": {"d": [{"c": None}]}}],
    [None, {"c": None}],
    {"list": [{"c": None}]},
]


@pytest.mark.parametrize("value", NULLS)
@pytest.mark.parametrize("version", [(3, 12, 3), (3, 22, 0), (4, 3, 2)])
def test_a_null_in_a_list_keeps_no_field_from_being_applied_by_the_next_upgrade(value: Any, version: Any) -> None:
    """A merge patch drops the null that a new object would have."""
    outcome = _returned({"a": value, "color": "red"}, {"a": [], "color": "blue"}, helm=HelmVersion(*version))
    assert outcome.rewrite.replacement["spec"] == {"a": [], "color": "blue"}
    assert _findings(outcome) == [
        "PR301 warning: 2 fields stay as live until the next helm upgrade: spec.a, spec.color"
    ]


@pytest.mark.parametrize("value", NULLS)
def test_an_object_without_the_null_of_a_list_is_as_the_chart_says(value: Any) -> None:
    live = apply_merge_patch({"spec": {}}, {"spec": {"a": value}})["spec"]
    assert _findings(_returned({"a": value}, live)) == []


@pytest.mark.parametrize("value", NULLS)
def test_with_on_drift_apply_a_null_in_a_list_is_sent(value: Any) -> None:
    outcome = _returned({"a": value, "color": "red"}, {"a": [], "color": "blue"}, apply=True)
    assert (outcome.apply["spec"], outcome.rewrite.replacement) == ({"a": value, "color": "red"}, None)
    assert _findings(outcome, Policy(on_drift=OnDrift.APPLY)) == [
        "PR309 info: 2 fields of the live object updated to the chart before Helm runs: spec.a, spec.color"
    ]


def _later(monkeypatch: pytest.MonkeyPatch, *paths: tuple[str, ...]) -> None:
    """Let the next upgrade leave the object wrong at these paths."""
    monkeypatch.setattr(search, "wrong_after_next_upgrade", lambda *_: [paths])


def test_only_what_the_chart_does_not_set_has_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _later(monkeypatch, ("spec", "old"))
    outcome = _returned({"color": "red"}, {"color": "blue", "old": 1})
    assert _findings(outcome) == [
        "PR313 warning: 1 field that left the chart stays live, and the next helm upgrade does not remove it: spec.old",
        "PR301 warning: 1 field stays as live until the next helm upgrade: spec.color",
    ]
    assert outcome.rewrite.replacement["spec"] == {"color": "blue", "old": 1}


@pytest.mark.parametrize("later", [(("spec", "color"), ("spec", "old")), ((),)])
def test_a_field_of_the_chart_that_no_upgrade_applies_is_refused(later: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``((),)``: the next upgrade would fail. To store the live object would be no cure."""
    _later(monkeypatch, *later)
    outcome = _returned({"color": "red"}, {"color": "blue", "old": 1})
    *_, refused = _findings(outcome)
    named = "1 field of the chart unapplied: spec.color"
    if later == ((),):
        named = "2 fields of the chart unapplied: spec.color, spec.old"
    assert refused == f"PR301 error: Helm would report success and leave {named}"
    assert outcome.rewrite.replacement is None
