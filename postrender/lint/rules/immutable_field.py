"""Immutable field changes.

The API server accepts some fields only when it creates an object: the selector of a Deployment, most of a StatefulSet,
the template of a Job, the cluster IP of a Service, the role of a binding, the spec of a claim, the type of a Secret. If
the new version changes one, every upgrade fails half way (`field is immutable`, `cannot change roleRef`, `updates to
statefulset spec for fields other than ... are forbidden`). So it does if a CustomResourceDefinition no longer lists a
version that it stored. Labels that contain the chart's version are a frequent cause. Fields that differ only in
notation, or by a default that one version writes out, do not count.

Fix: Keep the old value, or give the object another name. Otherwise the object has to be deleted before the upgrade, and
the upgrade notes have to say how.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from postrender.lint.kubernetes_kinds import stored_as
from postrender.lint.model import Facts, Severity, Trouble
from postrender.lint.rules.generated_data import looks_up
from postrender.lint.upgrade import Pair, differing, generated, pairs, part
from postrender.models import CRD, SECRET, GroupKind, Json, kubectl

CODE = "PL206"
_STATEFUL_SET = GroupKind("apps", "StatefulSet")
_CLAIM = GroupKind("", "PersistentVolumeClaim")
_JOB = GroupKind("batch", "Job")
_SERVICE = GroupKind("", "Service")
_CONFIG_MAP = GroupKind("", "ConfigMap")
_RBAC = "rbac.authorization.k8s.io"
_FIELDS: Mapping[GroupKind, tuple[str, ...]] = {
    GroupKind("apps", "Deployment"): ("spec.selector",),
    GroupKind("apps", "DaemonSet"): ("spec.selector",),
    GroupKind("apps", "ReplicaSet"): ("spec.selector",),
    _STATEFUL_SET: ("spec",),
    _CLAIM: ("spec",),
    _JOB: (
        "spec.template",
        "spec.selector",
        "spec.completions",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
        "spec.successPolicy",
    ),
    GroupKind(_RBAC, "RoleBinding"): ("roleRef",),
    GroupKind(_RBAC, "ClusterRoleBinding"): ("roleRef",),
    SECRET: ("type",),
    GroupKind("storage.k8s.io", "StorageClass"): ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    GroupKind("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    GroupKind("networking.k8s.io", "IngressClass"): ("spec.controller",),
    GroupKind("node.k8s.io", "RuntimeClass"): ("handler",),
    CRD: ("spec.scope", "spec.names.kind"),
}
"""Fields that no update can change, by the validation of the API server.

``ValidateStatefulSetUpdate`` (k8s.io/kubernetes 1.34, pkg/apis/apps/validation/validation.go) and
``ValidateJobSpecUpdate`` (k8s.io/kubernetes 1.34, pkg/apis/batch/validation/validation.go) are two of many.
"""

_MUTABLE: Mapping[GroupKind, tuple[str, ...]] = {
    _STATEFUL_SET: (
        "spec.replicas",
        "spec.template",
        "spec.updateStrategy",
        "spec.ordinals",
        "spec.revisionHistoryLimit",
        "spec.minReadySeconds",
        "spec.persistentVolumeClaimRetentionPolicy",
    ),
    _CLAIM: ("spec.resources.requests", "spec.volumeAttributesClassName"),
}
"""Fields inside of those that an update can change."""

_DEFAULTS: Mapping[str, Json] = {
    "apiGroup": _RBAC,
    "completionMode": "NonIndexed",
    "defaultMode": 420,
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "failureThreshold": 3,
    "periodSeconds": 10,
    "podManagementPolicy": "OrderedReady",
    "preemptionPolicy": "PreemptLowerPriority",
    "protocol": "TCP",
    "reclaimPolicy": "Delete",
    "schedulerName": "default-scheduler",
    "scheme": "HTTP",
    "successThreshold": 1,
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "timeoutSeconds": 1,
    "volumeBindingMode": "Immediate",
    "volumeMode": "Filesystem",
}
"""What the API server sets if a field of this name is missing."""

_TEXTS = ("annotations", "labels", "matchLabels", "nodeSelector", "parameters")
"""Fields whose keys are the user's."""

_OWNERS = (
    *(GroupKind("apps", kind) for kind in ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet")),
    _JOB,
)
"""Kinds whose Pods are deleted with them, unless they are orphaned."""

_HOLDS_DATA = (_CLAIM, CRD, SECRET, _CONFIG_MAP)
"""Kinds whose deletion nobody should be advised."""

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)")
_SUFFIXES = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", 1)},
}


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object of both versions with fields that no update can change."""
    if facts.before is None:
        return
    for pair in pairs(facts):
        old, new = facts.before.stream.value(pair.old), facts.stream.value(pair.new)
        changed = list(_changed(pair, old, new))
        if _immutable_data(pair, old) and not (generated(facts, pair.new) and looks_up(facts, pair.new)):
            changed += [path for path in differing(_data(old), _data(new)) if path[0] != "immutable"]
            changed += [("immutable",)] if not new.get("immutable") else []
        if changed:
            yield _trouble(pair, changed, old)
        stored = stored_version(old, new) if pair.new.key.group_kind == CRD else ""
        if stored:
            yield Trouble(
                pair.new,
                Severity.ERROR,
                f"has no version {stored}, which the old version stores: the API server rejects the upgrade, because "
                "it may have objects in that version",
                (f"list {stored} in spec.versions with served: false",),
                ("spec", "versions"),
            )


def stored_version(old: Json, new: Json) -> str:
    """The version that the old CRD stores and the new one does not list; "" if there is none."""
    versions = part(old, "spec", "versions") or [{"name": part(old, "spec", "version"), "storage": True}]
    listed = [part(each, "name") for each in part(new, "spec", "versions") or ()] or [part(new, "spec", "version")]
    stored = [part(each, "name") for each in versions if part(each, "storage")]
    return next((str(name) for name in stored if name not in listed), "")


def _trouble(pair: Pair, changed: list[tuple[str, ...]], old: Json) -> Trouble:
    kind = stored_as(pair.new.key.group_kind)
    fields = ", ".join(dict.fromkeys(_shown(path) for path in changed))
    finished = kind == _JOB and part(old, "spec", "ttlSecondsAfterFinished") is not None
    default = kind == _CLAIM and changed == [("spec", "storageClassName")] and part(old, *changed[0]) is None
    unless = ", unless the Job is gone by then" if finished else ", unless it is the default class" if default else ""
    advice = ["keep the old value, or give the object another name"]
    if kind == _JOB:
        advice = ["make the Job a hook, or put the chart's version into its name"]
    if kind not in _HOLDS_DATA:
        flag = " --cascade=orphan" if kind in _OWNERS else ""
        advice.append(f"or write into the upgrade notes: kubectl delete {kubectl(pair.new.name)}{flag}")
    return Trouble(
        pair.new,
        Severity.WARNING if unless else Severity.ERROR,
        f"changes {fields}: the API server rejects the upgrade{unless}",
        tuple(advice),
        changed[0],
        hide=kind in (SECRET, _CONFIG_MAP),
    )


def _shown(path: tuple[str, ...]) -> str:
    """The field without the keys of a selector."""
    return ".".join(path[: path.index("matchLabels")] if "matchLabels" in path else path)


def _changed(pair: Pair, old: Json, new: Json) -> Iterator[tuple[str, ...]]:
    kind = stored_as(pair.new.key.group_kind)
    if kind == _SERVICE:
        yield from _of_service(part(old, "spec"), part(new, "spec"))
    mutable = [tuple(path.split(".")) for path in _MUTABLE.get(kind, ())]
    for field in _FIELDS.get(kind, ()):
        path = tuple(field.split("."))
        if part(old, *path) == part(new, *path):
            continue
        before, after = (_plain(_effective(each, path), path[-1]) for each in (old, new))
        for found in differing(before, after, path):
            if not any(found[: len(free)] == free for free in mutable):
                yield found
    if kind == _CLAIM and _size(old) > _size(new) > 0:
        yield ("spec", "resources", "requests", "storage")


def _effective(body: Json, path: tuple[str, ...]) -> Json:
    """A field, or what the API server sets instead, if that depends on other fields."""
    found = part(body, *path)
    if path == ("spec", "completions"):
        if part(body, "spec", "completionMode") == "Indexed":
            return None  # An update may change it together with parallelism.
        return 1 if found is None and part(body, "spec", "parallelism") is None else found
    if found is None and path == ("spec", "selector") and part(body, "apiVersion") == "extensions/v1beta1":
        return {"matchLabels": part(body, "spec", "template", "metadata", "labels")}
    return "Opaque" if found is None and path == ("type",) else found


def _of_service(old: Json, new: Json) -> Iterator[tuple[str, ...]]:
    """The fields of a Service that an update cannot change; a missing cluster IP is an allocated one.

    ``validateUpgradeDowngradeClusterIPs``, ``validateUpgradeDowngradeIPFamilies`` and
    ``validateLoadBalancerClassField`` (k8s.io/kubernetes 1.34, pkg/apis/core/validation/validation.go).
    """
    kinds = {part(old, "type"), part(new, "type")}
    if "ExternalName" in kinds:
        return
    was, now = part(old, "clusterIP") or "", part(new, "clusterIP") or ""
    if now and was != now:
        yield ("spec", "clusterIP")
    families = [part(each, "ipFamilies") for each in (old, new)]
    if all(families) and "None" not in (was, now) and families[0][0] != families[1][0]:
        yield ("spec", "ipFamilies")
    if kinds == {"LoadBalancer"} and part(old, "loadBalancerClass") != part(new, "loadBalancerClass"):
        yield ("spec", "loadBalancerClass")


def _immutable_data(pair: Pair, old: Json) -> bool:
    return pair.new.key.group_kind in (SECRET, _CONFIG_MAP) and old.get("immutable") is True


def _data(body: Json) -> Json:
    return {name: body.get(name) or {} for name in ("data", "binaryData", "stringData")}


def _plain(value: Json, name: str = "") -> Json:
    """The value of a field without what is empty, and without what the API server would set anyway."""
    if isinstance(value, list):
        return [_plain(item) for item in value] or None
    if isinstance(value, dict):
        fixed = {"imagePullPolicy": _pull_policy(value)}
        if "metadata" in value and "spec" in value:
            fixed |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        items = {key: _plain(item, "" if name in _TEXTS else key) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None and fixed.get(key) != item} or None
    if name in ("storage", "cpu", "memory", "ephemeral-storage"):
        return _number(value)
    return None if name in _DEFAULTS and _DEFAULTS[name] == value else value


def _pull_policy(container: Mapping[str, Json]) -> str:
    image = str(container.get("image", "")).rpartition("/")[2]
    return "IfNotPresent" if ":" in image and not image.endswith(":latest") else "Always"


def _number(value: Json) -> Json:
    found = _QUANTITY.fullmatch(str(value))
    return Fraction(found[1]) * _SUFFIXES[found[2]] if found else value


def _size(claim: Json) -> Fraction:
    found = _number(part(claim, "spec", "resources", "requests", "storage"))
    return found if isinstance(found, Fraction) else Fraction(0)
