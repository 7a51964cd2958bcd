"""Upgrade does not apply a CRD in `crds/`.

Helm creates the CustomResourceDefinitions of a chart's folder `crds/` when it installs the chart. An upgrade neither
changes nor creates them. If the new version changes a definition or adds one, users who upgrade keep the old one:
custom resources with new fields lose them, or the kind is missing (`no matches for kind`).

Fix: Write into the upgrade notes how to apply the definitions, or move them to the templates.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.upgrade import definitions, differing

CODE = "PL208"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every CustomResourceDefinition of a folder ``crds/`` that is new or differs."""
    if facts.before is None:
        return
    before = definitions(facts.before, apart=True)
    managed = definitions(facts.before, apart=False)
    for name, new in definitions(facts, apart=True).items():
        old = before.get(name)
        changed = old is not None and any(differing(facts.before.stream.value(old), facts.stream.value(new)))
        added = old is None and name not in managed and (before or facts.before.templates)
        if changed or added:
            yield Trouble(
                new,
                Severity.WARNING,
                "is changed in crds/: an upgrade leaves the old definition"
                if changed
                else "is new in crds/: an upgrade does not create it",
                ("write into the upgrade notes: helm show crds CHART | kubectl apply --server-side -f -",),
                ("metadata", "name"),
            )
