"""A hook is marked `keep`.

Helm never looks at the resource policy of a hook: hooks are no part of the release, an uninstall leaves them where they
are, and their `helm.sh/hook-delete-policy` alone says when they are deleted. Without one it is
`before-hook-creation`: the object is deleted and made anew each time the hook runs (`deleteHookByPolicy`,
pkg/action/hooks.go, which spares CustomResourceDefinitions).
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.hooks import DELETE_POLICY
from postrender.lint.facts import Facts
from postrender.lint.findings import Severity, Trouble
from postrender.models import CRD, RESOURCE_POLICY

CODE = "PL103"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every hook with a resource policy."""
    for subject in facts.subjects:
        if not subject.hook or RESOURCE_POLICY not in subject.ref.annotations:
            continue
        policy = subject.ref.annotations.get(DELETE_POLICY, "before-hook-creation, the default").lower()
        kept = subject.key.group_kind == CRD or not policy.strip()
        yield Trouble(
            subject,
            Severity.WARNING,
            "is a hook, and Helm does not look at a hook's resource policy: "
            + ("it is never deleted" if kept else f"it is deleted by {policy}"),
            (f"take out {RESOURCE_POLICY}, or helm.sh/hook",),
            ("metadata", "annotations", RESOURCE_POLICY),
        )
