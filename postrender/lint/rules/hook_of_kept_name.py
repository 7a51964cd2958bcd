"""A hook has the name of a kept object.

Helm deletes a hook before it makes it anew (`before-hook-creation`, the default), or when it is done
(`hook-succeeded`, `hook-failed`), and looks neither whether that is the hook it made nor whether it is marked
`keep`: the kept object goes, data and all. A post-renderer of Helm 3 does not see hooks, so that only the chart shows
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.facts import Facts
from postrender.lint.findings import Severity, Trouble
from postrender.models import CRD

CODE = "PL110"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every hook that is a kept object by kind, namespace and name."""
    kept = {subject.key: subject for subject in facts.kept if subject.key.name and subject.key.group_kind != CRD}
    for subject in facts.subjects:
        if subject.hook and subject.key in kept:
            yield Trouble(
                subject,
                Severity.ERROR,
                f"is a hook with the name of the kept object ({kept[subject.key].place}): "
                "Helm deletes the kept one to make room for the hook",
                ("give the hook another name",),
                ("metadata", "name"),
            )
