"""Object gets another name.

An upgrade creates an object with the new name and deletes the one with the old name. A StatefulSet's Pods get new,
empty claims, and the old claims stay. Clients of a Service that use its old DNS name lose it. Whatever outside the
chart names the object, such as a Pod's `secretKeyRef` or an IAM policy, needs the new name. If the old object has
`helm.sh/resource-policy: keep`, it stays, and the new one does not have its data. An object counts as renamed if
exactly one object of its kind left a template and one came. Names that end in a hash, and Jobs, are meant to change.

Fix: Keep the old name, for example by `nameOverride` in the chart's default values, or write into the upgrade
notes what users have to move.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.rules.data_leaves import loss
from postrender.lint.upgrade import Pair, part, renamed, stays
from postrender.models import GroupKind

CODE = "PL205"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object with another name or namespace, unless its data is deleted: that is another rule's."""
    for pair in renamed(facts):
        lost = loss(facts, pair.old)
        if lost and not stays(pair.old):
            continue
        severity, what = _outcome(facts, pair, lost)
        yield Trouble(
            pair.new,
            severity,
            f"is called {pair.old.name} in the old version: {what}",
            ("keep the old name, or write into the upgrade notes what users have to move",),
            ("metadata", "name"),
        )


def _outcome(facts: Facts, pair: Pair, lost: str) -> tuple[Severity, str]:
    kind = pair.new.key.group_kind
    assert facts.before is not None
    if kind == GroupKind("apps", "StatefulSet") and part(
        facts.before.stream.value(pair.old), "spec", "volumeClaimTemplates"
    ):
        return Severity.ERROR, "an upgrade gives its Pods new, empty claims; the old claims stay with their data"
    if lost:
        return Severity.ERROR, "an upgrade leaves the old one with its data and creates an empty one"
    if kind == GroupKind("", "Service"):
        return Severity.WARNING, "clients that use the old name in DNS fail after the upgrade"
    if stays(pair.old):
        return Severity.INFO, "an upgrade creates it and leaves the old one"
    return Severity.INFO, "an upgrade creates it and deletes the old one"
