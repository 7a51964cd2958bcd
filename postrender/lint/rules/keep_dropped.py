"""New version drops `keep`.

The old version marks the object `helm.sh/resource-policy: keep`, the new one does not. The upgrade itself only removes
the annotation. From then on an uninstall deletes the object, and so does an upgrade to a version without it, although
users rely on it being kept.

Fix: Leave the annotation in the chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.rules.keep_missing import LOST
from postrender.lint.upgrade import pairs
from postrender.models import KEEP, RESOURCE_POLICY

CODE = "PL202"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object that an upgrade with the new version keeps no longer."""
    for pair in pairs(facts):
        if pair.old.kept and pair.new.ref.annotations.get(RESOURCE_POLICY) != KEEP:
            lost = LOST.get(pair.new.key.group_kind, "")
            yield Trouble(
                pair.new,
                Severity.ERROR if lost else Severity.WARNING,
                f"has {RESOURCE_POLICY}: {KEEP} in the old version only: after the upgrade, an uninstall deletes it"
                f"{f' with {lost}' if lost else ''}",
                (f"set metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}}",),
                ("metadata", "annotations"),
            )
