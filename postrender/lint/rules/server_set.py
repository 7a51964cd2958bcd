"""Manifest contains fields that only the server sets.

It looks like an exported object: `metadata.resourceVersion`, `uid`, `creationTimestamp`, `managedFields`,
`generation`, `selfLink` or `status`. Helm 3 stores them and sends them in later patches; Helm 4 fails with `the object
has been modified`, for a new object too.

Fix: Delete these fields from the template.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble

CODE = "PL109"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object with such fields, unless Helm only creates it."""
    for subject in facts.managed:
        fields = subject.ref.server_set
        if fields:
            yield Trouble(
                subject,
                Severity.WARNING,
                f"carries what only the API server sets: {', '.join(fields)}",
                (f"remove {', '.join(fields)}",),
                tuple(fields[0].split(".")),
            )
