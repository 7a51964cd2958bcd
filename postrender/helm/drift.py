"""The difference between a stored manifest and the live object; only fields that the manifest sets count."""

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
"""Metadata that only the server sets; in a manifest it has no effect."""

_PASSING = ("managedFields", "resourceVersion", "generation")
"""Metadata that every write changes."""


class RepairMethod(Enum):
    """How an object is restored to the stored manifest: the content type that is sent, as Helm itself sends it."""

    STRATEGIC = PatchType.STRATEGIC.value
    MERGE = PatchType.MERGE.value
    APPLY = "application/apply-patch+yaml"
    CREATE = "application/json"


class RepairRequest(Record):
    """One request that restores an object to its stored manifest; ``body`` is a patch, or all of the object."""

    how: RepairMethod
    body: Json


class Drift(Record):
    """A live object that differs from its stored manifest: the request that repairs it, and the object after it."""

    repair: RepairRequest
    after: Json


def sent_by_helm(gvk: GroupVersionKind, key: ObjectKey, body: Json, release: ReleaseName) -> Json:
    """A stored document as Helm would send it, without the metadata that only the server sets."""
    made = with_helm_metadata(build_object(gvk, key, body).body, release)
    metadata = {name: value for name, value in made["metadata"].items() if name not in _SERVER_SET}
    result = {name: value for name, value in made.items() if name != "status"}
    result["metadata"] = metadata
    return result


def drift(gvk: GroupVersionKind, body: Json, live: Json, *, server_side: bool) -> Drift | None:
    """The difference between a stored manifest and the live object, ``None`` for none; raises PatchError.

    It is Helm's own three-way patch with nothing to remove: lists are matched as the kind's schema says, and a null in
    the manifest of a custom resource has no effect. With ``server_side``, the manifest is sent as an apply instead.
    """
    strategic = patch_type(gvk) is PatchType.STRATEGIC
    patch = strategic_three_way(body, body, live, gvk) if strategic else three_way_merge_patch(body, body, live)
    if not patch:
        return None
    after = apply_strategic(live, patch, gvk) if strategic else apply_merge_patch(live, patch)
    if without_volatile_metadata(after) == without_volatile_metadata(live):
        return None
    how = RepairMethod.APPLY if server_side else RepairMethod.STRATEGIC if strategic else RepairMethod.MERGE
    return Drift(RepairRequest(how, body if server_side else patch), after)


def leftovers(body: Json, live: Json, fresh: Json, manager: str) -> Drift | None:
    """The difference between the live object and ``body`` if the live object has fields of an older manifest.

    ``fresh`` is what a dry-run create of ``body`` gives, ``manager`` Helm's field manager. ``None`` if no such field is
    live.
    """
    owners = field_owners(live, fresh, manager)
    after = expected_object(live, body, fresh, owners)
    if not differences(
        without_volatile_metadata(as_stored(live, body, fresh, after, owners)), without_volatile_metadata(after), owners
    ):
        return None
    return Drift(RepairRequest(RepairMethod.MERGE, merge_patch(live, after, exact_numbers=True)), after)


def without_volatile_metadata(body: Json) -> Json:
    """An object without the metadata that every write changes."""
    metadata = {name: value for name, value in (body.get("metadata") or {}).items() if name not in _PASSING}
    return {**body, "metadata": metadata}
