"""Server-side apply, as far as Helm 4 adds to what the API server decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postrender.helm.fields import MANAGER, Tree, free_form, union
from postrender.live import Json


def client_side_past(managed_fields: Sequence[Json], *, custom: bool) -> tuple[Tree, Tree]:
    """What Helm set by plain writes, and what everybody else set: two trees of fields.

    Helm makes the first its own by server-side apply before it applies (``upgradeClientSideFieldManager``,
    pkg/kube/client.go of v4; ``UpgradeManagedFieldsPatch``, k8s.io/client-go 0.35, util/csaupgrade/upgrade.go). Of a
    kind that is not ``custom`` only free-form maps are told, as by ``fields.owned``.
    """
    mine: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for entry in managed_fields:
        fields = entry.get("fieldsV1") or {}
        plain = entry.get("manager") == MANAGER and entry.get("operation") == "Update" and not entry.get("subresource")
        if plain:
            mine = union(mine, fields)
        elif entry.get("manager") != MANAGER:
            others = union(others, fields)
    return (mine if custom else free_form(mine)), others


def without_past(applied: Json, desired: Json, mine: Tree, others: Tree) -> Json:
    """``applied`` without what ``mine`` names and ``desired`` has no longer, unless ``others`` name it too.

    ``prune`` of structured-merge-diff (v6, merge/update.go): what an applier set the last time and does not set now
    goes, and what another manager set too stays.
    """
    if not (isinstance(applied, dict) and isinstance(desired, dict)):
        return applied
    result = {}
    for key, value in applied.items():
        own, other = mine.get(f"f:{key}"), others.get(f"f:{key}")
        if own is None:
            result[key] = value
        elif key in desired:
            result[key] = without_past(value, desired[key], own, other or {})
        elif (rest := _rest(value, own, other)) is not None:
            result[key] = rest
    return result


def dropped(target: Json, live: Json, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths that the target sets and that are not there, or null, once it was applied.

    A field that turns from a map with entries of its own into ``{}`` becomes null: structured-merge-diff takes the
    entries out after it has merged the empty map in.
    """
    found = []
    for key, value in target.items():
        if value is None:
            continue
        now = live.get(key)
        if now is None:
            found.append((*path, key))
        elif isinstance(value, dict) and isinstance(now, dict):
            found += dropped(value, now, (*path, key))
    return found


def never_there(target: Json) -> str:
    """What the server says where an object is applied that is not live, and whose manifest claims that it was."""
    uid = target["metadata"].get("uid")
    if not uid:
        return ""
    return f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"


def _rest(value: Json, mine: Tree, others: Tree | None) -> Json:
    """What is left of a field that Helm no longer sets; ``None`` for nothing."""
    fields = {key: below for key, below in mine.items() if key.startswith("f:")}
    if not (fields and isinstance(value, dict)):
        return value if others is not None else None
    rest = {}
    for key, below in value.items():
        own = fields.get(f"f:{key}")
        kept = below if own is None else _rest(below, own, (others or {}).get(f"f:{key}"))
        if kept is not None:
            rest[key] = kept
    return rest if rest or "." not in mine or others is not None else None
