"""Resource policy on a hook has no effect.

Helm ignores the resource policy of a hook: hooks are not part of the release, an uninstall leaves them, and only their
`helm.sh/hook-delete-policy` decides when they are deleted. The default is `before-hook-creation`: the object is
deleted and created again each time the hook runs (`deleteHookByPolicy`, pkg/action/hooks.go, which spares
CustomResourceDefinitions).

Fix: Set `helm.sh/hook-delete-policy`, or remove the hook annotation so that the object is part of the release.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.objects import DELETE_POLICY
from postrender.lint.model import Facts, Severity, Trouble
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
            (f"remove {RESOURCE_POLICY}, or helm.sh/hook",),
            ("metadata", "annotations", RESOURCE_POLICY),
        )
