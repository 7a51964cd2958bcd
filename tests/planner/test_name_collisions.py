"""Which objects share Kind, namespace and name, and the label that tells them apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrender.helm.objects import first_matches, identity, name_collisions
from postrender.helm.versions import Matching
from postrender.models import GroupKind, GroupVersionKind, ObjectKey
from postrender.planner.policy import is_label_key, kind_label

# IsValidLabelValue, k8s.io/apimachinery/pkg/util/validation.
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

groups = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,6}", fullmatch=True)
kinds = st.from_regex(r"[A-Z][A-Za-z0-9]{0,62}", fullmatch=True)


def test_a_short_kind_is_its_own_label_value() -> None:
    assert kind_label(GroupKind("stable.example.com", "Shirt")) == "Shirt.stable.example.com"
    assert kind_label(GroupKind("", "ConfigMap")) == "ConfigMap"


def test_a_long_kind_is_cut_and_hashed() -> None:
    one = kind_label(GroupKind("a" * 60 + ".example.com", "Shirt"))
    other = kind_label(GroupKind("a" * 60 + ".example.org", "Shirt"))
    assert len(one) == 63
    assert one[:52] == other[:52]
    assert one != other


@given(groups, kinds)
def test_every_label_value_is_valid(group: str, kind: str) -> None:
    value = kind_label(GroupKind(group, kind))
    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)


@pytest.mark.parametrize("key", ["postrender/group-kind", "a", "example.com/A_b.c", "x" * 63])
def test_label_keys(key: str) -> None:
    assert is_label_key(key)


@pytest.mark.parametrize("key", ["", "/a", "a/", "a/b/c", "-a", "a-", "Example.com/a", "x" * 64, "a b", "a..b/c"])
def test_no_label_keys(key: str) -> None:
    assert not is_label_key(key)


def _object(
    group: str, kind: str, namespace: str, name: str, version: str = "v1"
) -> tuple[GroupVersionKind, ObjectKey]:
    return GroupVersionKind(group, version, kind), ObjectKey(GroupKind(group, kind), namespace, name)


def test_lookalikes_share_kind_namespace_and_name_and_not_the_group() -> None:
    objects = [
        _object("beta.example.com", "Shirt", "shop", "shirt"),
        _object("stable.example.com", "Shirt", "shop", "shirt"),
        _object("stable.example.com", "Shirt", "other", "shirt"),
        _object("stable.example.com", "Shirt", "shop", "blouse"),
        _object("", "ConfigMap", "shop", "shirt"),
        _object("cm.example.com", "ConfigMap", "shop", "shirt"),
        _object("gamma.example.com", "Shirt", "shop", "shirt"),
        _object("apps", "Deployment", "shop", "x", "v1"),
        _object("apps", "Deployment", "shop", "x", "v1beta1"),
    ]
    assert name_collisions(objects) == [(0, 1, 6), (4, 5)]


def test_what_each_matching_compares() -> None:
    beta = _object("beta.example.com", "Shirt", "shop", "shirt")
    stable = _object("stable.example.com", "Shirt", "shop", "shirt")
    newer = _object("stable.example.com", "Shirt", "shop", "shirt", "v2")
    same = {
        matching: (
            identity(matching, *beta) == identity(matching, *stable),
            identity(matching, *stable) == identity(matching, *newer),
        )
        for matching in Matching
    }
    assert same == {
        Matching.KIND: (True, True),
        Matching.GROUP_KIND: (False, True),
        Matching.GROUP_VERSION_KIND: (False, False),
    }


def test_the_first_match_wins() -> None:
    assert first_matches(["a", "b", "a"]) == {"a": 0, "b": 1}
