"""JSON merge patches: what Helm sends for custom resources, and what the API server does with it."""

from __future__ import annotations

from collections.abc import Callable

from postrender.helm.patch.json_values import Object, PatchError, deep_equal, printed, through_float64, without_nulls
from postrender.models import Json

_FLOAT64_INTEGERS = (1 << 53) + 1
"""The first integer that a float64 cannot hold."""


def merge_patch(original: Object | None, modified: Object | None, *, exact_numbers: bool = False) -> Object:
    """The two-way patch from ``original`` to ``modified``; ``{}``, which Helm does not send, where nothing differs.

    ``None`` is an empty object. Lists are replaced as a whole. A null in ``modified`` is sent as it is, and so deletes.
    The patch shares values with ``modified``.

    With ``exact_numbers``, numbers are compared and sent digit by digit: Helm 4 (``CreateMergePatch`` of
    github.com/evanphx/json-patch/v5 5.9.11, internal/json). Without it they pass through a float64, so that
    integers beyond 2**53 are rounded and neighbours look equal: Helm 3 (the same function of json-patch 4.12.0 to
    5.9.11, merge.go).
    """
    if not exact_numbers:
        return _float64_patch(original or {}, modified or {})
    patch: Object = through_float64(_difference(original or {}, modified or {}, deep_equal))
    return patch


def apply_merge_patch(live: Object, patch: Object) -> Object:
    """``live`` as the API server leaves it after the patch, before defaulting and validation.

    RFC 7386, with two ways of its own (``MergePatch``, merge.go of gopkg.in/evanphx/json-patch.v4 4.13.0, called from
    ``applyJSPatch``, pkg/endpoints/handlers/patch.go of k8s.io/apiserver 0.27.3 to 0.37.1): nulls inside the objects
    of a list are dropped where the list is new or takes the place of something that is not an object, and kept where it
    takes the place of an object. The result shares values with both.
    """
    merged = dict(live)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif type(merged.get(key)) is not dict:
            merged[key] = without_nulls(value)
        else:
            merged[key] = apply_merge_patch(merged[key], value) if type(value) is dict else value
    return merged


def three_way_merge_patch(original: Object | None, modified: Object | None, current: Object | None) -> Object:
    """The patch that ``install --take-ownership`` sends for a custom resource since Helm 3.18.0.

    What differs between ``current`` (the live object) and ``modified``, and a null for each field that ``original``
    has and ``modified`` lacks. ``None`` is an empty object. ``CreateThreeWayJSONMergePatch``
    (pkg/util/jsonmergepatch/patch.go of k8s.io/apimachinery 0.27.3 to 0.37.1), with the preconditions of
    ``createPatch`` (pkg/kube/client.go of Helm 3.21.4 and 4.3.1). Its check for conflicts is left out: both halves
    are made from one ``modified`` and cannot disagree.

    Raises PatchError where the patch would change apiVersion, kind or metadata.name.
    """
    new = modified or {}
    changes = _only(_float64_patch(current or {}, new), nulls=False)
    deletions = _only(_float64_patch(original or {}, new), nulls=True)
    patch = apply_merge_patch(deletions, changes)
    metadata = patch.get("metadata")
    if "apiVersion" in patch or "kind" in patch or (type(metadata) is dict and "name" in metadata):
        raise PatchError(f"precondition failed for: {printed(patch)}")
    return patch


def _float64_patch(original: Object, modified: Object) -> Object:
    patch: Object = through_float64(_difference(original, modified, _equal_as_float64), _FLOAT64_INTEGERS)
    return patch


def _equal_as_float64(left: Json, right: Json) -> bool:
    if deep_equal(left, right):
        return True
    old, new = through_float64(left, _FLOAT64_INTEGERS), through_float64(right, _FLOAT64_INTEGERS)
    return (old is not left or new is not right) and deep_equal(old, new)


def _difference(original: Object, modified: Object, equal: Callable[[Json, Json], bool]) -> Object:
    """``getDiff``: an object that is the same apart from its empty ones counts as the same."""
    patch: Object = {}
    for key, new in modified.items():
        if key not in original:
            patch[key] = new
            continue
        old = original[key]
        if new is old:
            # Results share values with what they were made of, and an adopted object is compared with itself.
            continue
        if type(new) is dict and type(old) is dict:
            inner = _difference(old, new, equal)
            if inner:
                patch[key] = inner
        elif not equal(old, new):
            patch[key] = new
    patch.update(dict.fromkeys(key for key in original if key not in modified))
    return patch


def _only(patch: Object, *, nulls: bool) -> Object:
    """``keepOrDeleteNullInObj``: the nulls of a patch alone, or the patch without them."""
    kept: Object = {}
    for key, value in patch.items():
        if type(value) is dict and value:
            inner = _only(value, nulls=nulls)
            if inner:
                kept[key] = inner
        elif (value is None) == nulls:
            kept[key] = value
    return kept
