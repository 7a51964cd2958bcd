"""Hooks, as Helm reads their annotations."""

from __future__ import annotations

import pytest

from postrender.helm.objects import deleted_after, deleted_before, events, unknown_events


def test_events_are_trimmed_and_lower_cased() -> None:
    assert events({"helm.sh/hook": "Pre-Install, post-UPGRADE "}) == ("pre-install", "post-upgrade")
    assert events({}) == ()


@pytest.mark.parametrize(
    ("hook", "unknown"),
    [
        ("Pre-Install,test-success,TEST", ()),
        ("pre-instal, post-install", ("pre-instal",)),
        ("pre-install,", ("",)),
    ],
)
def test_an_event_that_helm_does_not_know(hook: str, unknown: tuple[str, ...]) -> None:
    assert unknown_events({"helm.sh/hook": hook}) == unknown


@pytest.mark.parametrize(
    ("policy", "deleted"),
    [
        ("Before-Hook-Creation", True),
        ("x , before-hook-creation", True),
        ("hook-succeeded", False),
        ("", False),
    ],
)
def test_the_delete_policy(policy: str, deleted: bool) -> None:
    assert deleted_before({"helm.sh/hook-delete-policy": policy}) is deleted


def test_without_a_delete_policy_the_hook_takes_the_place() -> None:
    assert deleted_before({})


@pytest.mark.parametrize(
    ("annotations", "deleted"),
    [
        ({"helm.sh/hook-delete-policy": "x, Hook-Succeeded"}, True),
        ({"helm.sh/hook-delete-policy": "hook-failed"}, False),
        ({}, False),
    ],
)
def test_the_object_of_a_hook_that_succeeded(annotations: dict[str, str], deleted: bool) -> None:
    assert deleted_after(annotations) is deleted
