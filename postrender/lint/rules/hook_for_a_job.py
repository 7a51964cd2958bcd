"""Kept Job or Pod; use a hook.

The next installation adopts the kept Job or Pod. Its Pod template cannot change (`field is immutable`), or it has
finished and does not run again.

Fix: Make it a hook (`helm.sh/hook: post-install,post-upgrade`). A hook runs each time, is not part of the release, and
stays after an uninstall.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.models import RESOURCE_POLICY, GroupKind

CODE = "PL111"
_RUNS_ONCE = (GroupKind("batch", "Job"), GroupKind("", "Pod"))


def check(facts: Facts) -> Iterator[Trouble]:
    """Every kept Job and Pod."""
    for subject in facts.kept:
        if subject.key.group_kind in _RUNS_ONCE:
            yield Trouble(
                subject,
                Severity.WARNING,
                "is kept: the next installation meets it finished and can neither change nor run it again",
                ("set metadata.annotations: {helm.sh/hook: 'post-install,post-upgrade'}, without a resource policy",),
                ("metadata", "annotations", RESOURCE_POLICY),
            )
