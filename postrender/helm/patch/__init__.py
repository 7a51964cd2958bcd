"""The patches that Helm sends for live objects, and what the API server does with them. Pure; tested against Go.

JSON objects are plain dicts and are never changed; results share values with what they were made of.
"""

from __future__ import annotations

from postrender.helm.patch.json_merge import apply_merge_patch, merge_patch, three_way_merge_patch
from postrender.helm.patch.json_values import PatchError, deep_equal, differs, without_nulls
from postrender.helm.patch.schema import PatchType, patch_type
from postrender.helm.patch.strategic_diff import strategic_three_way
from postrender.helm.patch.strategic_merge import apply_strategic

__all__ = [
    "PatchError",
    "PatchType",
    "apply_merge_patch",
    "apply_strategic",
    "deep_equal",
    "differs",
    "merge_patch",
    "patch_type",
    "strategic_three_way",
    "three_way_merge_patch",
    "without_nulls",
]
