"""The model of patches against Go: what Helm and the API server are built from answers the same, error for error."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrender.helm import patch
from postrender.helm.patch import PatchError, PatchType
from postrender.helm.patch.go_sort import go_sorted
from postrender.models import GroupVersionKind
from tests.helm.patchcases import CASES, Case
from tests.tools import assets
from tests.tools.patches import Failure, GoPatch, same
from tests.tools.randomobjects import EVERY, RandomObjects
from tools.patchschema import SCHEMA

pytestmark = pytest.mark.one_in(1)

Json = Any

shrinking = st.randoms(use_true_random=False)
quick = st.randoms(use_true_random=True)
"""Where objects are large: a failure names its seed, and is not made smaller."""


@pytest.fixture(scope="module")
def go() -> Iterator[GoPatch]:
    try:
        running = GoPatch()
    except assets.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    running.close()


def _agree(theirs: Json, operation: Callable[..., Json], *arguments: Json, **options: Json) -> Json:
    """What the model answers, which must be what Go did; ``None`` for an error."""
    before = copy.deepcopy(arguments)
    mine = _answer(operation, *arguments, **options)
    assert repr(arguments) == repr(before)
    if isinstance(mine, PatchError):
        assert isinstance(theirs, Failure), f"the model fails, Go does not: {mine}"
        panics = any(message.startswith("runtime error") for message in theirs.messages)
        assert str(mine) in theirs.messages or (mine.crashes and panics)
        return None
    assert not isinstance(theirs, Failure), f"Go fails, the model does not: {theirs.messages}"
    assert same(mine, theirs), f"model: {json.dumps(mine, sort_keys=True)}\nGo:    {json.dumps(theirs, sort_keys=True)}"
    return mine


def _answer(operation: Callable[..., Json], *arguments: Json, **options: Json) -> Json:
    try:
        return operation(*arguments, **options)
    except PatchError as error:
        return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written_out_is_what_go_says(go: GoPatch, case: Case) -> None:
    answer = go.ask(case.operation, *case.documents, gvk=case.gvk)
    if case.error:
        assert isinstance(answer, Failure)
        assert answer.messages == {case.error}
    else:
        assert not isinstance(answer, Failure)
        assert same(answer, case.result)


@given(shrinking)
def test_merge_patch(go: GoPatch, random: Random) -> None:
    objects = RandomObjects(random)
    old = objects.json_object()
    new = objects.changed_members(old)
    _agree(go.ask("merge_v4", old, new), patch.merge_patch, old, new)
    _agree(go.ask("merge_v5", old, new), patch.merge_patch, old, new, exact_numbers=True)


@given(shrinking)
def test_apply_merge_patch(go: GoPatch, random: Random) -> None:
    objects = RandomObjects(random)
    live = objects.json_object()
    sent = objects.changed_members(live)
    if random.random() < 0.5:
        sent = patch.merge_patch(live, sent)
    _agree(go.ask("apply_merge", live, sent), patch.apply_merge_patch, live, sent)


@given(shrinking)
def test_three_way_merge_patch(go: GoPatch, random: Random) -> None:
    objects = RandomObjects(random)
    live = objects.json_object()
    new = objects.changed_members(live)
    old = random.choice((None, new, live, objects.changed_members(new)))
    if random.random() < 0.1:
        new = {**new, random.choice(("kind", "apiVersion")): "x", "metadata": {"name": "x"}}
    _agree(go.ask("three_way_merge", old, new, live), patch.three_way_merge_patch, old, new, live)


@pytest.mark.parametrize("odd", [0, 0.02, 0.1], ids=["well-formed", "a little odd", "odd"])
@given(quick)
def test_strategic(go: GoPatch, odd: float, random: Random) -> None:
    objects = RandomObjects(random, odd)
    gvk = objects.kind()
    live = objects.object(gvk)
    new = objects.changed(gvk, live)
    old = random.choice((new, live, objects.changed(gvk, new), objects.changed(gvk, live)))
    sent = _agree(go.ask("strategic", old, new, live, gvk=gvk), patch.strategic_three_way, old, new, live, gvk)
    if sent is None:
        return
    for found in (live, objects.changed(gvk, live)):
        _agree(go.ask("apply_strategic", found, sent, gvk=gvk), patch.apply_strategic, found, sent, gvk)


@given(st.lists(st.sampled_from("abcdef"), max_size=120) | st.lists(st.text("ab", max_size=4), max_size=60))
def test_sort(go: GoPatch, keys: list[str]) -> None:
    assert go_sorted(range(len(keys)), keys) == go.ask("sort", keys=keys)


def test_the_committed_schema_is_what_client_go_says(go: GoPatch) -> None:
    committed, told = json.loads(SCHEMA.read_text()), go.ask("describe")
    assert committed["client_go"] == told["client_go"]
    assert {name: committed["types"].get(name) for name in told["types"]} == told["types"]
    current = {
        version: {
            kind: text.partition(" ")[0]
            for kind, text in kinds.items()
            if GroupVersionKind.parse(version, kind) in EVERY
        }
        for version, kinds in committed["kinds"].items()
    }
    assert {version: kinds for version, kinds in current.items() if kinds} == told["kinds"]


OTHERS = ("stable.example.com/v1 Shirt", "apps/v9 Deployment", "v1 Shirt", "example.com/v1 ConfigMap")


@pytest.mark.parametrize("gvk", [*EVERY, *(GroupVersionKind.parse(*each.split()) for each in OTHERS)], ids=str)
def test_patch_type(go: GoPatch, gvk: GroupVersionKind) -> None:
    assert (patch.patch_type(gvk) is PatchType.STRATEGIC) is go.ask("patch_type", gvk=gvk)
