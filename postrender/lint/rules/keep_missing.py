"""Object with data is not marked `keep`.

Deleting a PersistentVolumeClaim, a PersistentVolume, a Namespace or a CustomResourceDefinition deletes data. An
uninstall deletes them. A failed installation that uninstalls itself (`--atomic`, `--rollback-on-failure`, Flux's
remediation) also deletes the objects that it adopted. CustomResourceDefinitions in a chart's folder `crds/` are never
deleted.

Fix: Add the annotation `helm.sh/resource-policy: keep` in the chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.models import CRD, KEEP, NAMESPACE, RESOURCE_POLICY, GroupKind

CODE = "PL104"
LOST = {
    GroupKind("", "PersistentVolumeClaim"): "its volume, unless that is retained",
    GroupKind("", "PersistentVolume"): "what points to the volume",
    NAMESPACE: "everything in it",
    CRD: "every custom resource of it",
}
"""What goes with an object of such a kind."""


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object of those kinds without a resource policy."""
    for subject in facts.managed:
        lost = LOST.get(subject.key.group_kind)
        if lost is None or RESOURCE_POLICY in subject.ref.annotations:
            continue
        yield Trouble(
            subject,
            Severity.WARNING,
            f"has no resource policy: an uninstall deletes it with {lost}, "
            "and so does a failed installation with --atomic that had adopted it",
            (f"set metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}}",),
            ("metadata", "name"),
        )
