"""What data would go with the objects that an upgrade deletes, asked of the cluster.

Helm deletes what leaves the chart; what then goes along is the doing of Kubernetes' controllers. No Helm deletes an
object to replace it: ``--force`` is a PUT (``updateResource``, pkg/kube/client.go of Helm 3.21.4).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader, Listing, ObjectLookup, live_object
from postrender.helm.objects import folded
from postrender.helm.simulate import Request
from postrender.helm.storage import is_revision
from postrender.helm.storage.generated import generating_templates, given_values
from postrender.models import (
    CRD,
    NAMESPACE,
    SECRET,
    Absent,
    Found,
    GroupKind,
    GroupVersionKind,
    Json,
    LiveObject,
    ObjectKey,
    Resource,
    Unknown,
)
from postrender.planner.facts import Facts, base_revision
from postrender.planner.verdict import Plan, Verdict
from postrender.text import counted

CONFIG_MAP = GroupKind("", "ConfigMap")
CLAIM = Resource(GroupVersionKind("", "v1", "PersistentVolumeClaim"), "persistentvolumeclaims", namespaced=True)
VOLUME = Resource(GroupVersionKind("", "v1", "PersistentVolume"), "persistentvolumes", namespaced=False)
STATEFUL_SET = GroupKind("apps", "StatefulSet")
DELETED_WITH = "Delete"
"""The reclaim policy of volumes, and the retention policy of claims, that takes data along."""

_MADE_BY_KUBERNETES = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
_DERIVED = frozenset({"Event", "Endpoints", "EndpointSlice", "Lease"})
"""Kinds whose objects controllers make again, or nobody misses."""


def with_losses(plan: Plan, facts: Facts, source: ClusterReader) -> Facts:
    """The facts with what goes along with each object that Helm deletes; the same facts if nothing does."""
    deleted = {each.key: each for each in plan.removed if each.prediction and each.prediction.request is Request.DELETE}
    asked = [each for each in deleted.values() if each.key.group_kind in _LOSSES]
    if not asked:
        return facts
    lookups = [ObjectLookup(each.resource, each.key.namespace, each.key.name, body=True) for each in asked]
    losses: dict[ObjectKey, str] = {}
    for verdict, found in zip(asked, source.get_objects(lookups), strict=True):
        if isinstance(found, Found):
            deletion = _Deletion(facts, source, frozenset(deleted), verdict, found.live)
            loss = _LOSSES[verdict.key.group_kind](deletion)
        else:
            loss = "" if isinstance(found, Absent) else f"what depends on it: it could not be read ({_why(found)})"
        if loss:
            losses[verdict.key] = loss
    return replace(facts, losses=losses) if losses else facts


class _Deletion(Record):
    """The deletion of one live object; ``deleted`` are all objects that this upgrade deletes."""

    facts: Facts
    source: ClusterReader
    deleted: frozenset[ObjectKey]
    verdict: Verdict
    live: LiveObject


def _of_definition(deletion: _Deletion) -> str:
    """The objects of a kind go with its definition (``deleteInstances``, k8s.io/apiextensions-apiserver 0.34,
    pkg/controller/finalizer/crd_finalizer.go).
    """
    spec = _part(deletion.live.body, "spec")
    names = _part(spec, "names")
    versions = spec.get("versions")
    served = [each for each in versions if each.get("served")] if isinstance(versions, list) else []
    if not served:
        return "its objects, which could not be counted: it serves no version"
    stored = next((each for each in served if each.get("storage")), served[0])
    gvk = GroupVersionKind(str(spec.get("group")), str(stored.get("name")), str(names.get("kind")))
    resource = Resource(gvk, str(names.get("plural")), namespaced=spec.get("scope") == "Namespaced")
    (found,) = deletion.source.list_objects([Listing(resource, "", "", _metadata)])
    if isinstance(found, Unknown):
        return f"all {resource.qualified}, which could not be counted: {_why(found)}"
    left = {each.key for each in found} - deletion.deleted
    return f"{counted(len(left), 'object')} of its kind ({resource.qualified})" if left else ""


def _of_namespace(deletion: _Deletion) -> str:
    """All objects in a namespace go with it, but for those that Kubernetes makes and those deleted anyway."""
    name, release = deletion.verdict.key.name, deletion.facts.invocation.release
    catalog = deletion.source.catalog()
    resources = [
        each.resource for each in catalog.kinds if each.resource.namespaced and each.resource.gvk.kind not in _DERIVED
    ]
    found = deletion.source.list_objects([Listing(resource, name, "", _made_by_users) for resource in resources])
    failed = [*catalog.unknown.values(), *(each for each in found if isinstance(each, Unknown))]
    # One object may be served by two groups.
    items = {live.uid: live for each in found if not isinstance(each, Unknown) for live in each}
    left = [
        live
        for live in items.values()
        if live.key not in deletion.deleted and not (release and is_revision(live, release))
    ]
    if left:
        others = sum(live.owner != release for live in left)
        more = "at least " if failed else ""
        return f"{more}{counted(len(left), 'object')} in it, {others} of them not of this release"
    return f"the objects in it, which could not be counted: {_why(failed[0])}" if failed else ""


def _of_claim(deletion: _Deletion) -> str:
    """A bound volume goes with its claim if its reclaim policy says so (``reclaimVolume``, k8s.io/kubernetes 1.34,
    pkg/controller/volume/persistentvolume/pv_controller.go).
    """
    name = _part(deletion.live.body, "spec").get("volumeName")
    if not name:
        return ""
    (found,) = deletion.source.get_objects([ObjectLookup(VOLUME, "", str(name), body=True)])
    if isinstance(found, Absent):
        return ""
    if not isinstance(found, Found):
        return f"volume {name}, whose reclaim policy could not be read: {_why(found)}"
    policy = _part(found.live.body, "spec").get("persistentVolumeReclaimPolicy")
    return "" if policy == "Retain" else f"volume {name}, whose reclaim policy is {policy}"


def _of_volume(deletion: _Deletion) -> str:
    policy = _part(deletion.live.body, "spec").get("persistentVolumeReclaimPolicy")
    used = _part(deletion.live.body, "status").get("phase") in ("Bound", "Released")
    return f"its storage: its reclaim policy is {policy}" if used and policy == DELETED_WITH else ""


def _of_stateful_set(deletion: _Deletion) -> str:
    """The claims that it made go with it if it says so (``isClaimOwnerUpToDate``, k8s.io/kubernetes 1.34,
    pkg/controller/statefulset/stateful_set_utils.go).
    """
    spec = _part(deletion.live.body, "spec")
    if _part(spec, "persistentVolumeClaimRetentionPolicy").get("whenDeleted") != DELETED_WITH:
        return ""
    templates = spec.get("volumeClaimTemplates")
    starts = [f"{_part(each, 'metadata').get('name')}-{deletion.verdict.key.name}-" for each in templates or ()]
    (found,) = deletion.source.list_objects([Listing(CLAIM, deletion.verdict.key.namespace, "", _metadata)])
    if isinstance(found, Unknown):
        return f"its claims, which could not be counted: {_why(found)}"
    names = sorted(
        name
        for name in (each.key.name for each in found)
        if any(name.startswith(start) and name[len(start) :].isdigit() for start in starts)
    )
    return f"{counted(len(names), 'claim')} ({', '.join(names)}): its retention policy is Delete" if names else ""


def _of_generated(deletion: _Deletion) -> str:
    """Generated values that neither the chart, its values nor an object of the new manifests holds.

    Helm stores the templates of the chart, not those of its subcharts (``Chart.dependencies`` is not exported).
    """
    facts = deletion.facts
    before = base_revision(facts.invocation, facts.revisions)
    templates = generating_templates(before.chart) if before else {}
    if before is None or not templates:
        return ""
    source = manifests.read((before.manifest or "").encode()).template(deletion.verdict.ref.document)
    name = source.partition("/")[2]  # A comment names the chart first; its stored templates do not.
    if name not in templates:
        return ""
    held = {value for item in facts.items for value in _values(item.ref.gvk, facts.desired(item.ref))}
    given = f"{templates[name]}\n{given_values(before.chart)}"
    lost = [
        value
        for value in _values(deletion.verdict.ref.gvk, deletion.live.body)
        if value not in held and value not in given
    ]
    return f"values that {name} generated and nothing else holds" if lost else ""


def _values(gvk: GroupVersionKind, body: Json) -> list[str]:
    """The data of a Secret or ConfigMap as text."""
    if gvk.group_kind not in (SECRET, CONFIG_MAP):
        return []
    data = _part(folded(gvk, body), "data")
    if gvk.group_kind == CONFIG_MAP:
        return [each for each in data.values() if isinstance(each, str) and each]
    return [_decoded(each) for each in data.values() if isinstance(each, str) and each]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return text


def _metadata(resource: Resource, item: Json) -> LiveObject:
    return live_object(item, resource.gvk, whole=False)


def _made_by_users(resource: Resource, item: Json) -> LiveObject | None:
    """The metadata of an item; ``None`` for what Kubernetes makes or a controller makes again from its owner."""
    live = _metadata(resource, item)
    owners = item["metadata"].get("ownerReferences")
    return None if owners or (resource.gvk.kind, live.key.name) in _MADE_BY_KUBERNETES else live


def _part(body: Json, name: str) -> Mapping[str, Json]:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _why(answer: object) -> str:
    return answer.reason if isinstance(answer, Unknown) else "its kind is not served"


_LOSSES: Mapping[GroupKind, Callable[[_Deletion], str]] = {
    CRD: _of_definition,
    NAMESPACE: _of_namespace,
    CLAIM.gvk.group_kind: _of_claim,
    VOLUME.gvk.group_kind: _of_volume,
    STATEFUL_SET: _of_stateful_set,
    SECRET: _of_generated,
    CONFIG_MAP: _of_generated,
}
