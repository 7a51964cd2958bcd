"""An object as Helm builds it of a manifest."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.helm.objects import MARK, built
from postrender.identity import GroupVersionKind, ObjectKey

SHIRT = GroupVersionKind("stable.example.com", "v1", "Shirt")


@pytest.mark.parametrize(
    ("metadata", "made"),
    [
        ({"name": "a"}, {"name": "a", "namespace": "shop"}),
        ({"name": "a", "namespace": "shop"}, {"name": "a", "namespace": "shop"}),
        ({"name": "a", "annotations": {MARK: "f.yaml"}}, {"name": "a", "namespace": "shop"}),
        (
            {"name": "a", "namespace": "shop", "annotations": {MARK: "f.yaml", "b": "c"}},
            {"name": "a", "namespace": "shop", "annotations": {"b": "c"}},
        ),
    ],
)
def test_a_namespace_is_filled_in_and_the_mark_of_helm_4_is_gone(metadata: Any, made: Any) -> None:
    body = {"kind": "Shirt", "metadata": metadata}
    assert built(SHIRT, ObjectKey(SHIRT.group_kind, "shop", "a"), body).body == {"kind": "Shirt", "metadata": made}
    assert body["metadata"] is metadata


def test_without_a_namespace_none_is_filled_in() -> None:
    body = {"kind": "Shirt", "metadata": {"name": "a"}}
    assert built(SHIRT, ObjectKey(SHIRT.group_kind, "", "a"), body).body == body
