"""CRD moves between `crds/` and `templates/`.

Helm creates a CustomResourceDefinition of a chart's folder `crds/` without ownership metadata. If it is a template in
the new version, an upgrade fails with `invalid ownership metadata`, because Helm did not create it as part of the
release. In the other direction, an upgrade deletes the definition with every custom resource, because it left the
templates, and does not create it again: Helm reads `crds/` only to install.

Fix: Mark the definition `helm.sh/resource-policy: keep`, and put the commands for users into the upgrade
notes. A definition that leaves the templates needs a version of the chart with `keep` first.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.lint.upgrade import definitions, stays
from postrender.models import KEEP, MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, RESOURCE_POLICY, kubectl

CODE = "PL203"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every CustomResourceDefinition that is in a folder ``crds/`` in one version and a template in the other."""
    if facts.before is None:
        return
    apart, managed = definitions(facts, apart=True), definitions(facts, apart=False)
    for name in definitions(facts.before, apart=True):
        if name in managed and name not in definitions(facts.before, apart=False):
            yield _to_templates(managed[name])
    for name, old in definitions(facts.before, apart=False).items():
        if name in apart and name not in managed and not stays(old):
            yield _to_crds(apart[name], old)


def _to_templates(new: Subject) -> Trouble:
    named = kubectl(new.name)
    keep = () if new.kept else (f"set metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}}, or an uninstall deletes it",)
    return Trouble(
        new,
        Severity.ERROR,
        "moves from crds/ to the templates: an upgrade fails with `invalid ownership metadata`",
        (
            *keep,
            "write into the upgrade notes: upgrade with --post-renderer postrender "
            "--post-renderer-args=--adopt=unmanaged, or with --take-ownership of Helm 3.17 and later",
            f"or write into the upgrade notes: kubectl label {named} {MANAGED_BY}=Helm && kubectl annotate {named} "
            f"{RELEASE_NAME}=RELEASE {RELEASE_NAMESPACE}=NAMESPACE",
        ),
        ("metadata", "name"),
    )


def _to_crds(new: Subject, old: Subject) -> Trouble:
    return Trouble(
        new,
        Severity.ERROR,
        "moves from the templates to crds/: an upgrade deletes it with every custom resource of it, "
        "and does not create it again",
        (
            f"publish a version with metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}} first",
            f"or write into the upgrade notes: kubectl annotate {kubectl(old.name)} {RESOURCE_POLICY}={KEEP}",
        ),
        ("metadata", "name"),
    )
