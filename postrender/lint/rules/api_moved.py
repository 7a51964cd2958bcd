"""API group or version changes.

If only the version changes, both versions name one object for the API server, and the upgrade updates it. There are two
risks. Helm 4.0.0 to 4.1.0 take two versions for two objects, and delete the object after the update. And once
Kubernetes does not serve the old version any more, every upgrade of a release that stores it fails: `unable to build
kubernetes objects from current release manifest`.

If the group changes, it depends on the kind. Kinds that moved from `extensions` are one stored object: Helm 3.17.1 and
later update it and then delete it. Custom resources of two groups are two objects: Helm 3.17.1 and later create one and
delete the other, and Helm 3.17.0 and older leave the old one behind.

A CustomResourceDefinition that no longer serves a version breaks every manifest that uses it.

Fix: For one stored object, have users annotate it with `helm.sh/resource-policy: keep` before the upgrade. For a
removed version, write into the upgrade notes that the chart has to be upgraded before Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.cluster import builtin_kinds
from postrender.lint.kubernetes_kinds import table
from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.rules.immutable_field import stored_version
from postrender.lint.upgrade import Pair, pairs, regrouped
from postrender.models import CRD, KEEP, RESOURCE_POLICY, kubectl

CODE = "PL204"


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object with another apiVersion, and every CRD that serves a version no longer."""
    for pair in pairs(facts):
        old, new = pair.old.ref.gvk, pair.new.ref.gvk
        if old.group != new.group:
            yield _one_object(pair)
        elif old.version != new.version:
            yield _one_group(pair)
        if facts.before and pair.new.key.group_kind == CRD:
            yield from _unserved(facts.before, facts, pair)
    for pair in regrouped(facts):
        yield _trouble(
            pair,
            Severity.WARNING,
            "the API server has two objects: Helm 3.17.1 and later delete the old one, Helm 3.17.0 and older leave it "
            "behind",
            ("write into the upgrade notes what moves the data of the old one to the new one",),
        )


def _one_object(pair: Pair) -> Trouble:
    return _trouble(
        pair,
        Severity.ERROR,
        "the API server has one object: Helm 3.17.1 and later update it and then delete it",
        (f"write into the upgrade notes: kubectl annotate {kubectl(pair.old.name)} {RESOURCE_POLICY}={KEEP}",),
    )


def _one_group(pair: Pair) -> Trouble:
    when = table().get(pair.old.ref.gvk)
    if when and when.until is not None:
        return _trouble(
            pair,
            Severity.WARNING,
            f"Kubernetes 1.{when.until} and later do not serve the old version: there, every upgrade of an installed "
            "release fails",
            (f"write into the upgrade notes: upgrade the chart before Kubernetes 1.{when.until}",),
        )
    return _trouble(
        pair,
        Severity.INFO,
        "the API server has one object, but Helm 4.0.0 to 4.1.0 delete it after the upgrade",
        ("write into the upgrade notes: use another version of Helm than 4.0.0 to 4.1.0",),
    )


def _trouble(pair: Pair, severity: Severity, what: str, advice: tuple[str, ...]) -> Trouble:
    old, new = pair.old.ref.gvk.api_version, pair.new.ref.gvk.api_version
    return Trouble(pair.new, severity, f"changes from {old} to {new}: {what}", advice, ("apiVersion",))


def _unserved(before: Facts, facts: Facts, pair: Pair) -> Iterator[Trouble]:
    old, new = before.stream.value(pair.old), facts.stream.value(pair.new)
    served = [resource.gvk.version for resource in builtin_kinds.resources_of_crd(new)]
    stored = stored_version(old, new)
    gone = [
        resource.gvk.version
        for resource in builtin_kinds.resources_of_crd(old)
        if resource.gvk.version not in (*served, stored)
    ]
    if gone and served:
        yield Trouble(
            pair.new,
            Severity.WARNING,
            f"serves {', '.join(gone)} no longer: manifests and stored releases that use it fail",
            (f"serve {', '.join(gone)} for one more version, and write into the upgrade notes what replaces it",),
            ("spec", "versions"),
        )
