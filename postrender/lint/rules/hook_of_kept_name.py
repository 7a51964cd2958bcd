"""A hook shares a kept object's name.

Helm deletes a hook's object before it creates it again (`before-hook-creation`, the default) or when the hook is done
(`hook-succeeded`, `hook-failed`). It checks neither that it created the object nor that the object is marked `keep`:
the kept object and its data are deleted. Helm 3 does not pass hooks to a post-renderer, so only a check of the chart
finds this.

Fix: Rename the hook.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
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
