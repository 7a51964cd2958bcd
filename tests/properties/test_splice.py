"""Edits of streams in every style: what was meant and no more, as Go reads it, however they are combined."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit, Remove, Set, splice
from tests.fuzz.oracle import apply, equal
from tests.properties.manifests import names, streams, texts, values
from tests.tools import assets
from tests.tools.goreader import GoReader

pytestmark = pytest.mark.one_in(1)

paths = st.one_of(
    st.tuples(st.just("metadata"), st.sampled_from(["labels", "annotations"]), names),
    st.tuples(st.just("metadata"), st.sampled_from(["uid", "generation", "resourceVersion", "name"])),
    st.tuples(st.sampled_from(["spec", "status", "data"])),
    st.tuples(st.sampled_from(["spec", "data"]), names),
    st.tuples(st.just("spec"), names, names),
    st.tuples(st.just("spec"), st.integers(0, 2)),
    st.tuples(st.just("spec"), st.integers(0, 2), names),
)


@pytest.fixture(scope="module")
def go() -> Iterator[GoReader]:
    try:
        program = assets.goyaml()
    except assets.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    with GoReader(program) as running:
        yield running


@given(streams(), st.data())
def test_edits_change_what_was_meant_and_no_more(go: GoReader, data: bytes, draws: st.DataObject) -> None:
    before = go.read(data)
    if before.error:
        return
    found = manifest.read(data)
    wishes = draws.draw(st.lists(st.tuples(paths, st.booleans(), values), max_size=4))
    edits: list[Edit] = []
    meant: list[Any] = copy.deepcopy(before.values)
    seen = [document for document in found.documents if document.skip_reason != "empty"]
    for ref in found.objects:
        body = _at(meant[seen.index(found.documents[ref.document])], ref)
        for path, remove, value in wishes:
            edit = Remove(ref, path) if remove else Set(ref, path, value)
            if _possible(body, edit) and not _meets(edit, edits):
                apply(body, edit)
                edits.append(edit)
    result = splice(found, edits)
    after = go.read(result.data)
    assert not after.error, (after.error, result.data)
    assert equal(after.values, meant), (after.values, meant, result.data)
    again = manifest.read(result.data)
    refs = {(ref.document, ref.path): ref for ref in again.objects}
    repeated: list[Edit] = [
        _of(refs[edit.ref.document, edit.ref.path], edit)
        for edit in edits
        if isinstance(edit, Set) or not isinstance(edit.path[-1], int)
    ]
    assert splice(again, repeated).data == result.data


@given(streams(), texts)
def test_what_was_put_in_can_be_taken_out(data: bytes, text: str) -> None:
    try:
        found = manifest.read(data)
        added = splice(found, [Set(ref, ("metadata", "labels", "zzz"), text) for ref in found.objects])
    except ManifestError:
        return
    there = manifest.read(added.data)
    taken = splice(there, [Remove(ref, ("metadata", "labels", "zzz")) for ref in there.objects])
    back = manifest.read(taken.data)
    for before, after in zip(found.objects, back.objects, strict=True):
        assert before.labels == after.labels
        value, again = copy.deepcopy(found.value(before)), copy.deepcopy(back.value(after))
        if not value["metadata"].get("labels"):
            value["metadata"].pop("labels", None)
            assert again["metadata"].pop("labels", None) in ({}, None)
        assert equal(value, again)


def _of(ref: ObjectRef, edit: Edit) -> Edit:
    return Set(ref, edit.path, edit.value) if isinstance(edit, Set) else Remove(ref, edit.path)


def _at(value: Any, ref: ObjectRef) -> Any:
    for index in ref.path:
        value = value["items"][index]
    return value


def _possible(body: Any, edit: Edit) -> bool:
    """Whether the path runs through mappings and lists that are there, or could be made."""
    value = body
    for part in edit.path[:-1]:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return value is None and isinstance(part, str)
    last = edit.path[-1]
    if isinstance(value, list):
        return isinstance(last, int) and last < len(value)
    return isinstance(last, str) and (value is None or isinstance(value, dict))


def _meets(edit: Edit, edits: list[Edit]) -> bool:
    """Whether one of the edits is at, above or below the path of another."""
    return any(
        edit.ref == other.ref and all(one == two for one, two in zip(edit.path, other.path, strict=False))
        for other in edits
    )
