"""What a stored manifest says and a live object does not: only fields that the manifest names count."""

from __future__ import annotations

from enum import Enum

from postrender._record import Record
from postrender.helm.fresh_install import as_stored, differences, expected_object, field_owners
from postrender.helm.objects import build_object, with_helm_metadata
from postrender.helm.patch import (
    PatchType,
    apply_merge_patch,
    apply_strategic,
    merge_patch,
    patch_type,
    strategic_three_way,
    three_way_merge_patch,
)
from postrender.models import GroupVersionKind, Json, ObjectKey, ReleaseName

_SERVER_SET = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation", "selfLink")
"""Metadata that only a server sets, whatever a manifest says about it."""

_PASSING = ("managedFields", "resourceVersion", "generation")
"""Metadata that every write changes."""


class RepairMethod(Enum):
    """How an object is restored to the stored manifest: the content type that is sent, as Helm itself sends it."""

    STRATEGIC = PatchType.STRATEGIC.value
    MERGE = PatchType.MERGE.value
    APPLY = "application/apply-patch+yaml"
    CREATE = "application/json"


class RepairRequest(Record):
    """One request that brings an object to what is stored, without its resourceVersion; ``body`` is all or a patch."""

    how: RepairMethod
    body: Json


class Drift(Record):
    """A live object that is not as stored: the request that mends it, and what will be there as far as we can tell."""

    repair: RepairRequest
    after: Json


def wanted(gvk: GroupVersionKind, key: ObjectKey, body: Json, release: ReleaseName) -> Json:
    """A stored document as Helm would send it, without what only a server sets."""
    made = with_helm_metadata(build_object(gvk, key, body).body, release)
    metadata = {name: value for name, value in made["metadata"].items() if name not in _SERVER_SET}
    result = {name: value for name, value in made.items() if name != "status"}
    result["metadata"] = metadata
    return result


def drift(gvk: GroupVersionKind, body: Json, live: Json, *, server_side: bool) -> Drift | None:
    """The difference of ``wanted`` and live, ``None`` where there is none; raises PatchError.

    Helm's own three-way patch with nothing to remove: lists are matched as the kind's schema says, and a null in the
    manifest of a custom resource counts for nothing. ``server_side`` tells that the release is applied so; then the
    same is sent whole.
    """
    strategic = patch_type(gvk) is PatchType.STRATEGIC
    patch = strategic_three_way(body, body, live, gvk) if strategic else three_way_merge_patch(body, body, live)
    if not patch:
        return None
    after = apply_strategic(live, patch, gvk) if strategic else apply_merge_patch(live, patch)
    if settled(after) == settled(live):
        return None
    how = RepairMethod.APPLY if server_side else RepairMethod.STRATEGIC if strategic else RepairMethod.MERGE
    return Drift(RepairRequest(how, body if server_side else patch), after)


def leftovers(body: Json, live: Json, fresh: Json) -> Drift | None:
    """The difference that fields make which an older manifest set and this one does not, with all else that differs.

    ``fresh`` is what a dry-run create of ``body`` gives. ``None`` if no such field is live.
    """
    owners = field_owners(live, fresh)
    after = expected_object(live, body, fresh, owners)
    if not differences(settled(as_stored(live, body, fresh, after, owners)), settled(after), owners):
        return None
    return Drift(RepairRequest(RepairMethod.MERGE, merge_patch(live, after, exact_numbers=True)), after)


def settled(body: Json) -> Json:
    """An object without what every write changes."""
    metadata = {name: value for name, value in (body.get("metadata") or {}).items() if name not in _PASSING}
    return {**body, "metadata": metadata}
