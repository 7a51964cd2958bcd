"""An object as Helm builds it of a manifest."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.helm.objects import (
    FILENAME_ANNOTATION,
    build_object,
    folded,
    with_helm_metadata,
    without_filename_annotation,
)
from postrender.helm.versions import HelmVersion
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    GroupVersionKind,
    ObjectKey,
    ReleaseName,
)
from postrender.planner.rewrite import DocumentRewrite

SHIRT = GroupVersionKind("stable.example.com", "v1", "Shirt")


@pytest.mark.parametrize(
    ("metadata", "made"),
    [
        ({"name": "a"}, {"name": "a", "namespace": "shop"}),
        ({"name": "a", "namespace": "shop"}, {"name": "a", "namespace": "shop"}),
        ({"name": "a", "annotations": {FILENAME_ANNOTATION: "f.yaml"}}, {"name": "a", "namespace": "shop"}),
        (
            {"name": "a", "namespace": "shop", "annotations": {FILENAME_ANNOTATION: "f.yaml", "b": "c"}},
            {"name": "a", "namespace": "shop", "annotations": {"b": "c"}},
        ),
    ],
)
def test_a_namespace_is_filled_in_and_the_mark_of_helm_4_is_gone(metadata: Any, made: Any) -> None:
    body = {"kind": "Shirt", "metadata": metadata}
    assert build_object(SHIRT, ObjectKey(SHIRT.group_kind, "shop", "a"), body).body == {
        "kind": "Shirt",
        "metadata": made,
    }
    assert body["metadata"] is metadata


def test_metadata_that_held_nothing_but_the_mark_of_helm_4_is_gone() -> None:
    body = {"kind": "Shirt", "metadata": {"annotations": {FILENAME_ANNOTATION: "f.yaml"}}}
    assert without_filename_annotation(body) == {"kind": "Shirt"}


def test_without_a_namespace_none_is_filled_in() -> None:
    body = {"kind": "Shirt", "metadata": {"name": "a"}}
    assert build_object(SHIRT, ObjectKey(SHIRT.group_kind, "", "a"), body).body == body


SECRET = GroupVersionKind("", "v1", "Secret")


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ({"stringData": {"a": "x"}}, {"data": {"a": "eA=="}}),
        ({"data": {"a": "eQ==", "b": "eg=="}, "stringData": {"a": "x"}}, {"data": {"a": "eA==", "b": "eg=="}}),
        ({"data": None, "stringData": {"a": "x"}}, {"data": {"a": "eA=="}}),
        ({"stringData": {"a": None}}, {"data": {"a": ""}}),
        ({"stringData": None, "data": {"b": "eg=="}}, {"data": {"b": "eg=="}}),
        ({"stringData": {}}, {}),
        ({"stringData": {"a": 1}}, {"stringData": {"a": 1}}),
        ({"stringData": "x"}, {"stringData": "x"}),
        ({"data": {"b": "eg=="}}, {"data": {"b": "eg=="}}),
    ],
)
def test_string_data_stands_in_data_as_the_server_stores_it(body: Any, stored: Any) -> None:
    assert folded(SECRET, body) == stored
    assert folded(SHIRT, body) == body


def test_which_values_a_patch_of_helm_removes() -> None:
    body = {"data": {"a": "eA==", "b": "eA=="}, "stringData": {"b": "x", "c": "x", "d": None}}
    entry = build_object(SECRET, ObjectKey(SECRET.group_kind, "", "s"), body)
    assert entry.body == {"data": {"a": "eA==", "b": "eA==", "c": "eA==", "d": ""}}
    assert entry.removable == {"data": {"a": "eA==", "b": "eA=="}}


def test_an_older_manifest_with_nothing_but_string_data_has_no_data_to_remove() -> None:
    entry = build_object(SECRET, ObjectKey(SECRET.group_kind, "", "s"), {"stringData": {"a": "x"}})
    assert entry.removable == {}


@pytest.mark.parametrize(
    ("helm", "labels"),
    [
        (None, {}),
        (HelmVersion(3, 17, 3), {}),
        (HelmVersion(3, 18, 0), {"app": "", "tier": "web"}),
        (HelmVersion(4, 3, 1), {"app": "", "tier": "web"}),
    ],
)
def test_a_null_label_is_an_empty_text_from_helm_3_18_on_and_takes_all_others_with_it_before(
    helm: HelmVersion | None, labels: dict[str, str]
) -> None:
    body = {"metadata": {"labels": {"app": None, "tier": "web"}}}
    found = with_helm_metadata(body, ReleaseName("shop", "r"), helm)["metadata"]["labels"]
    assert found == {**labels, "app.kubernetes.io/managed-by": "Helm"}


def test_ownership_metadata_written_into_a_document_leaves_its_null_label_there() -> None:
    body = {"metadata": {"labels": {"app": None}}}
    metadata = DocumentRewrite(owner=ReleaseName("shop", "r")).emitted(body)["metadata"]
    assert metadata["labels"] == {"app": None, "app.kubernetes.io/managed-by": "Helm"}


def test_what_a_manifest_says_about_its_owner_is_overwritten() -> None:
    others = {"labels": {MANAGED_BY: "Tiller"}, "annotations": {RELEASE_NAME: "old", RELEASE_NAMESPACE: "other"}}
    assert with_helm_metadata({"metadata": others}, ReleaseName("shop", "r"))["metadata"] == {
        "labels": {MANAGED_BY: "Helm"},
        "annotations": {RELEASE_NAME: "r", RELEASE_NAMESPACE: "shop"},
    }
