"""What becomes of an object that leaves the chart."""

from __future__ import annotations

from postrender.live import ReleaseName
from postrender.plan.findings.words import annotated, kubectl
from postrender.plan.verdict import Finding, Severity


def left_behind(name: str) -> Finding:
    """Helm takes what leaves the chart for its namesake."""
    return Finding(
        "PR401",
        Severity.WARNING,
        "leaves the chart, and this Helm leaves it behind: it takes it for its namesake in another group",
        (f"kubectl delete {kubectl(name)}",),
    )


def deleted_and_wanted(name: str) -> Finding:
    """Helm would delete what the chart still has, in another group or version."""
    return Finding(
        "PR402",
        Severity.ERROR,
        "is in the chart under another group or version, and this Helm would update it there and then delete it",
        (f"kubectl annotate {kubectl(name)} helm.sh/resource-policy=keep",),
    )


def misspelled(policy: str, name: str) -> Finding:
    """Meant to be kept, and not kept by an upgrade."""
    return Finding(
        "PR403",
        Severity.ERROR,
        f"leaves the chart, and Helm would delete it: an upgrade does not take {policy!r} for 'keep'",
        (annotated(name),),
    )


def deleted_from(owner: ReleaseName, name: str) -> Finding:
    """Helm would delete what another release has taken over."""
    return Finding(
        "PR404",
        Severity.ERROR,
        f"leaves the chart, and Helm would delete it, though it belongs to release {owner}, which is alive",
        (annotated(name),),
    )


def leaves(*, kept: bool) -> Finding:
    """What Helm does to an object that leaves the chart."""
    return Finding("PR405", Severity.INFO, f"leaves the chart; Helm {'keeps' if kept else 'deletes'} it")
