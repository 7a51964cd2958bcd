"""The chart contains an object more than once.

A first installation fails at the second document (`already exists`). If the object exists and is adopted, the second
document is compared with the first one, and the result depends on the version of Helm. Different versions in
`apiVersion` do not make two objects: group, Kind, namespace and name identify one. Hooks may share a name, because
Helm deletes each one before it creates the next.

Fix: Remove all but one of the documents.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Subject, Trouble
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
                ("remove one of them",),
                ("metadata", "name"),
            )
