"""Service selects other Pods.

An upgrade changes the selector of a Service at once, while the Pods of the old version still run. If the new selector
does not match their labels, the Service has no endpoints until new Pods are ready: an outage at every upgrade, and a
long one if the new Pods fail.

Fix: Add the new labels to the Pods in one version, and select by them in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.upgrade import pairs, part
from postrender.models import GroupKind, Json

CODE = "PL207"
_SERVICE = GroupKind("", "Service")


def check(facts: Facts) -> Iterator[Trouble]:
    """Every Service whose new selector does not match Pods that its old one matches."""
    if facts.before is None:
        return
    labels = list(_labels(facts.before))
    for pair in pairs(facts):
        if pair.new.key.group_kind != _SERVICE:
            continue
        old = part(facts.before.stream.value(pair.old), "spec", "selector") or {}
        new = part(facts.stream.value(pair.new), "spec", "selector") or {}
        selected = [pods for pods in labels if old.items() <= pods.items()]
        narrower = any(new.items() <= pods.items() for pods in selected) if selected else new.items() <= old.items()
        if old and new and not narrower:
            yield Trouble(
                pair.new,
                Severity.WARNING,
                f"its new selector does not match the {'Pods of the old version' if selected else 'old Pods'}: during "
                "an upgrade it has no endpoints until new Pods are ready",
                ("add the labels to the Pods in one version of the chart, and select by them in the next one",),
                ("spec", "selector"),
            )


def _labels(facts: Facts) -> Iterator[dict[str, Json]]:
    """The labels of the Pods that each workload makes."""
    for subject in facts.managed:
        body = facts.stream.value(subject)
        found = part(body, "spec", "template", "metadata", "labels")
        if isinstance(found, dict):
            yield found
