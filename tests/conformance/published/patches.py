"""Patches: apimachinery's packages, json-patch, and what Helm's own tests make of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import yaml

from postrender.helm import patch
from postrender.helm.patch import PatchError, PatchType, json_merge, patch_type, schema
from postrender.helm.versions import NEWEST_TESTED
from postrender.models import GroupVersionKind
from tests.conformance.published.result import NotCompared, Result, compare
from tests.tools import gotables
from tests.tools.patches import same

Json = Any

_CONFLICT = re.compile(r"patch:\n(.*)\nconflicts with changes made from original to current:\n.*", re.DOTALL)
"""The message of a conflict, which has the patch."""
_ITEM = GroupVersionKind("", "v1", "Item")


def strategic() -> Result:
    """Three-way patches and their application by the tags of a Go struct of the tests.

    The tests make the same patches by OpenAPI schemas of the struct, which nearly always have the same results.
    """
    calls = gotables.calls("strategicpatch")
    structs = {
        _outcome(call): (call["Struct"], call["Types"]) for made in calls.values() for call in made if "Types" in call
    }
    return compare(calls, lambda call: _strategic(call, structs.get(_outcome(call))))


def _outcome(call: Any) -> tuple[Any, ...]:
    return tuple(call["Documents"]), call["Overwrite"], bool(call["Error"])


def _strategic(call: Any, struct: tuple[str, dict[str, dict[str, str]]] | None) -> str:
    if struct is None:
        raise NotCompared("patched only by an OpenAPI schema: Helm and the API server use Go structs")
    conflict = _CONFLICT.fullmatch(call["Error"])
    if conflict:  # only without overwriting, and Helm always overwrites
        call = {**call, "Error": "", "Result": json.dumps(yaml.safe_load(conflict[1]))}
    with _struct(*struct):
        if call["Operation"] == "apply_strategic":
            return _differs(call, lambda live, changes: patch.apply_strategic(live, changes, _ITEM))
        return _differs(call, lambda old, new, live: patch.strategic_three_way(old, new, live, _ITEM))


def three_way_merge(call: Any) -> str:
    """A three-way merge patch, or what its package filters for one."""
    operations: dict[str, Callable[..., Json]] = {
        "three_way": patch.three_way_merge_patch,
        "nulls": lambda value: json_merge._only(value, nulls=True),
        "without_nulls": lambda value: json_merge._only(value, nulls=False),
    }
    return _differs(call, operations[call["Operation"]])


def json_patch(*, applied: bool, exact_numbers: bool) -> Callable[[Any], str]:
    """Merge patches; ``applied`` if the API server is built from the package, so that it applies them with it."""

    def differs(call: Any) -> str:
        if call["Operation"] == "apply_merge":
            if not applied:
                raise NotCompared("applies a patch: Helm only makes them")
            return _differs(call, patch.apply_merge_patch)
        return _differs(call, lambda old, new: patch.merge_patch(old, new, exact_numbers=exact_numbers))

    return differs


def of_helm(major: int) -> Callable[[Any], str]:
    """The kind of patch that ``createPatch`` chooses, and the patch."""

    def differs(call: Any) -> str:
        target = json.loads(call["Documents"][1])
        gvk = GroupVersionKind.parse(target["apiVersion"], target["kind"])
        if (call["Operation"] == "strategic") is not (patch_type(gvk, NEWEST_TESTED[major]) is PatchType.STRATEGIC):
            return f"{call['Operation']} for {gvk}"
        operations: dict[str, Callable[..., Json]] = {
            "strategic": lambda old, new, live: patch.strategic_three_way(old, new, live, gvk),
            "three_way_merge": patch.three_way_merge_patch,
            "merge": lambda old, new, _: patch.merge_patch(old, new, exact_numbers=major >= 4),
        }
        return _differs(call, operations[call["Operation"]])

    return differs


@contextmanager
def _struct(name: str, types: dict[str, dict[str, str]]) -> Iterator[None]:
    facts = schema._Facts("v0.0.0", {"v1": {"Item": name}}, types)
    with mock.patch.object(schema, "_facts", return_value=facts):
        schema.object_field.cache_clear()
        schema.list_field.cache_clear()
        try:
            yield
        finally:
            schema.object_field.cache_clear()
            schema.list_field.cache_clear()


def _differs(call: Any, operation: Callable[..., Json]) -> str:
    documents = [_object(text) for text in call["Documents"]]
    try:
        found = operation(*documents)
    except PatchError as error:
        return "" if call["Error"] else f"fails: {error}"
    if call["Error"]:
        return f"does not fail: {call['Error']}"
    return "" if same(found, json.loads(call["Result"])) else f"{json.dumps(found)} instead of {call['Result']}"


def _object(text: str) -> Json:
    """A document; Go takes no text at all for an empty object."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        raise NotCompared("a document that is not JSON: none reaches a patch") from None
    if not isinstance(found, dict):
        raise NotCompared("a document that is not a JSON object: none reaches a patch")
    return found
