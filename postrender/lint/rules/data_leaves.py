"""Upgrade deletes an object with data.

An upgrade deletes every object that the new version of the chart no longer has, unless the live object has the
annotation `helm.sh/resource-policy: keep`. That deletes data if the object is a PersistentVolumeClaim, a
PersistentVolume, a Namespace, a CustomResourceDefinition, a StatefulSet whose claims are deleted with it, or a Secret
or ConfigMap with generated values. The old version is rendered twice to find generated values. To Helm, an object
that became a hook is no longer in the chart either.

Fix: Publish a version that adds `helm.sh/resource-policy: keep` to the object before the version that removes it. For
users who skip that version, put `kubectl annotate` into the upgrade notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.lint.rules.keep_missing import LOST
from postrender.lint.upgrade import definitions, generated, left, part, renamed, stays
from postrender.models import KEEP, RESOURCE_POLICY, SECRET, GroupKind, kubectl

CODE = "PL201"
_STATEFUL_SET = GroupKind("apps", "StatefulSet")
_VALUES = (SECRET, GroupKind("", "ConfigMap"))


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object that left, whose deletion deletes data; CRDs that moved to ``crds/`` are another rule's."""
    moved = definitions(facts, apart=True)
    instead = {pair.old.key: pair.new for pair in renamed(facts)}
    for subject in left(facts):
        lost = loss(facts, subject)
        if not lost or stays(subject) or subject.key.name in moved:
            continue
        new = instead.get(subject.key)
        yield Trouble(
            subject,
            Severity.ERROR,
            f"is not in the new version{f', which has {new.name} instead' if new else ''}: an upgrade deletes it with "
            f"{lost}",
            (
                f"publish a version with metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}} first",
                f"or write into the upgrade notes: kubectl annotate {kubectl(subject.name)} {RESOURCE_POLICY}={KEEP}",
            ),
            ("metadata", "name"),
            old=True,
        )


def loss(facts: Facts, subject: Subject) -> str:
    """What goes with an object of the old version if an upgrade deletes it; "" for nothing that is known of."""
    assert facts.before is not None
    kind = subject.key.group_kind
    if kind == _STATEFUL_SET:
        spec = part(facts.before.stream.value(subject), "spec")
        deleted = part(spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete"
        return "its claims: its retention policy is Delete" if deleted and part(spec, "volumeClaimTemplates") else ""
    if kind in _VALUES:
        fields = [".".join(path) for path in generated(facts.before, subject) if path[0] in ("data", "stringData")]
        return f"the generated {', '.join(fields)}" if fields else ""
    return LOST.get(kind, "")
