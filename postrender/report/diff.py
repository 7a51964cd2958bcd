"""Two values as a unified diff of their YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from postrender.manifest.dump import printed
from postrender.models import Json
from postrender.planner.view import ObjectView

CONTEXT = 3
"""Lines around a difference."""


def live_diff(each: ObjectView) -> list[str]:
    """From what is live to what will be; from nothing where it is made, to nothing where it is deleted.

    Where nobody can say what will be, from what is live to what the filter emits, of the fields in it. Empty where
    nothing differs or nothing is known.
    """
    if each.prediction.request == "delete":
        return unified(each.live if each.live is not None else each.stored, None, "live", "deleted")
    if each.after is not None:
        return unified(each.live, each.after, "live" if each.live is not None else "nothing", "live afterwards")
    if each.live is None or each.emitted is None:
        return []
    from postrender.helm.managed_fields import as_live

    return unified(as_live(each.emitted, each.live), each.emitted, "live, the fields of the chart", "applied")


def stored_diff(each: ObjectView) -> list[str]:
    """From what the chart says to what the release will store; empty where that is the same."""
    return unified(each.desired, each.emitted, "chart", "stored") if each.edits else []


def unified(before: Json, after: Json, old: str, new: str) -> list[str]:
    """The lines of a unified diff, without newlines."""
    return list(_lines(_yaml(before), _yaml(_in_order(after, before)), old, new))


def _lines(before: list[str], after: list[str], old: str, new: str) -> Iterator[str]:
    if before and after:
        yield from difflib.unified_diff(before, after, old, new, n=CONTEXT, lineterm="")
    elif before or after:
        # As difflib would, which takes the square of its time for a large object that is all new.
        yield from (f"--- {old}", f"+++ {new}", f"@@ -{_range(before)} +{_range(after)} @@")
        yield from (f"-{line}" for line in before)
        yield from (f"+{line}" for line in after)


def _in_order(value: Json, like: Json) -> Json:
    """The same value with its keys in the order of another, so that only differences differ."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
        return {key: _in_order(value[key], like.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [_in_order(one, other) for one, other in zip(value, like, strict=True)]
    return value


def _range(lines: list[str]) -> str:
    return f"1,{len(lines)}" if lines else "0,0"


def _yaml(value: Json) -> list[str]:
    return [] if value is None else printed(value).splitlines()
