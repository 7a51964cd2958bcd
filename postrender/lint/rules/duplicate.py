"""The same object is there twice.

A first installation fails at the second one (`already exists`), or, where both are found and adopted, the second is
compared with the first and wins or loses by the version of Helm. The apiVersion does not make them two: one group,
Kind, namespace and name is one object. Hooks may share a name, since each is deleted before the next one is made.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.facts import Facts, Subject
from postrender.lint.findings import Severity, Trouble
from postrender.models import ObjectKey

CODE = "PL113"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object that an earlier one of the release is already."""
    first: dict[ObjectKey, Subject] = {}
    for subject in facts.managed:
        if not subject.key.name:
            continue
        other = first.setdefault(subject.key, subject)
        if other is not subject:
            yield Trouble(
                subject,
                Severity.ERROR,
                f"is there already ({other.place}): the installation fails at the second one",
                ("take one of them out",),
                ("metadata", "name"),
            )
