"""A kept object contains generated data.

An uninstall keeps the object. The next installation renders a new password, key or certificate and overwrites the old
one, which existing data may depend on. The rule renders the chart twice and compares. A chart that calls `lookup` may
reuse the live value; without a cluster `lookup` finds nothing, so this is only a note. Values are never shown.

Fix: Reuse the live value with `lookup`, or set it in the chart's values.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.models import Json

CODE = "PL112"
_SHOWN = 3


def check(facts: Facts) -> Iterator[Trouble]:
    """Every kept object that differs in the second rendering."""
    if facts.again is None:
        return
    again = {subject.key: subject for subject in facts.again.subjects}
    looks_up = any("lookup " in template.text for template in facts.templates.values())
    for subject in facts.kept:
        twin = again.get(subject.key)
        paths = list(_differing(facts.stream.value(subject), facts.again.value(twin))) if twin else []
        if not paths:
            continue
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        fields = ", ".join(".".join(path) for path in paths[:_SHOWN]) + more
        unless = "; where lookup finds nothing, as here" if looks_up else ""
        yield Trouble(
            subject,
            Severity.INFO if looks_up else Severity.ERROR,
            f"is kept, and each rendering generates new {fields}: "
            f"the next installation locks out what the old value opens{unless}",
            ("use the live value if there is one ({{ lookup ... }}), or let the user name an existing Secret",),
            paths[0],
            hide=True,
        )


def _differing(one: Json, other: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths at which two objects differ, as deep as both are mappings."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differing(one.get(key), other.get(key), (*path, key))
    elif one != other:
        yield path
