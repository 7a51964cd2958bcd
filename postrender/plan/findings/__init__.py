"""What a user is told, sentence by sentence: the code, the cause, and what to type next.

A module for each of those that find something out; here is what they share.
"""

from __future__ import annotations

from collections.abc import Sequence

from postrender.plan.verdict import Finding, Severity

NEVER_ALLOWED = frozenset({"PR101"})
"""Codes that no ``--allow`` lets through: taking from a living owner."""


def lookalikes(others: Sequence[str]) -> Finding:
    """Other documents of the stream share Kind, namespace and name."""
    return Finding("PR201", Severity.INFO, f"shares its Kind and name with {', '.join(others)}")


def stripped(paths: Sequence[str]) -> Finding:
    """Server-set fields are taken out."""
    return Finding("PR303", Severity.INFO, f"server-set fields taken out: {', '.join(paths)}")


def name_and_prefix() -> Finding:
    """The object has two names, and Helm takes one."""
    return Finding(
        "PR207",
        Severity.ERROR,
        "this Helm would fail: metadata.name and metadata.generateName cannot both be set",
        ("in the chart, remove metadata.generateName",),
    )


def version_unknown() -> Finding:
    """Helm's versions would do different things."""
    return Finding(
        "PR901",
        Severity.ERROR,
        "what Helm does to it depends on Helm's version, which is not known",
        ("--helm-version 3.x.y   (or POSTRENDER_HELM_VERSION; helm version --short tells it)",),
    )
