"""No API server serves this apiVersion.

Helm looks up every object before it installs, and stops at the first kind that is not served: `no matches for kind`.
Kubernetes' built-in kinds are checked against a table of the versions that serve them (`--kube-version`; default: the
newest one). Other kinds are checked against the CustomResourceDefinitions in the rendering and, if set, against
`--api-versions`.

Fix: Change the `apiVersion`, or install the CustomResourceDefinition first.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.kubernetes_kinds import NEWEST, groups, replacement, table
from postrender.lint.model import Facts, Severity, Trouble
from postrender.models import GroupVersionKind

CODE = "PL107"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object whose kind is not served in its version."""
    for subject in facts.subjects:
        gvk = subject.ref.gvk
        own = gvk.group in groups()
        why, advice = _own(gvk, facts.minor) if own else _custom(gvk, facts)
        if why:
            severity = Severity.WARNING if own and facts.minor is None else Severity.ERROR
            yield Trouble(subject, severity, why, advice, ("apiVersion",))


def _own(gvk: GroupVersionKind, minor: int | None) -> tuple[str, tuple[str, ...]]:
    when = table().get(gvk)
    judged = NEWEST if minor is None else minor
    if when is None:
        why = f"no Kubernetes serves {gvk}"
    elif when.until is not None and when.until <= judged:
        why = f"Kubernetes 1.{when.until} serves {gvk} no longer"
    elif when.since is not None and judged < when.since:
        why = f"Kubernetes 1.{judged} does not serve {gvk} yet; 1.{when.since} does"
    else:
        return "", ()
    instead = replacement(gvk, judged)
    return why, (f"set apiVersion: {instead.api_version}",) if instead else ()


def _custom(gvk: GroupVersionKind, facts: Facts) -> tuple[str, tuple[str, ...]]:
    if not facts.stream.kinds.serves(gvk):
        return f"the CustomResourceDefinition at hand does not serve {gvk}", ()
    served = facts.api_versions
    if not served or facts.stream.kinds.knows(gvk) or {gvk.api_version, f"{gvk.api_version}/{gvk.kind}"} & set(served):
        return "", ()
    return f"{gvk} is not among --api-versions", (f"--api-versions {gvk.api_version}",)
