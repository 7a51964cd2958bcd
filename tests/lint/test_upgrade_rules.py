"""The rules that compare two versions of a chart: an old and a new stream, and the codes of what an upgrade does."""

from __future__ import annotations

import pytest

from postrender.lint import engine
from postrender.lint.model import Facts, Finding, rendering
from postrender.lint.rules import RULES
from postrender.lint.upgrade import renderings
from tests.lint.test_rules import CRD, CRD_KEPT, obj, stream

UPGRADE = [rule for code, rule in RULES.items() if code.startswith("PL2")]
FROM_CRDS = "# Source: shop/crds/a.yaml\n"
CLAIM = obj("v1", "PersistentVolumeClaim")
CLAIM_KEPT = obj("v1", "PersistentVolumeClaim", keep=True)
SERVICE = obj("v1", "Service") + "spec: {selector: %s, %s}\n"
WEB = obj("apps/v1", "Deployment", "web") + "spec: {template: {metadata: {labels: %s}}}\n"
SHOP, OTHER = "{app: shop}", "{app: other}"


def workload(kind: str = "Deployment", selector: str = SHOP, api: str = "apps/v1", more: str = "") -> str:
    chosen = f"selector: {{matchLabels: {selector}}}, " if selector else ""
    return obj(api, kind) + f"spec: {{{chosen}template: {{metadata: {{labels: {{app: shop, v: '1'}}}}}}{more}}}\n"


def stateful(more: str, name: str = "shop") -> str:
    return obj("apps/v1", "StatefulSet", name) + f"spec: {{{more}}}\n"


def hook(events: str, more: str = "") -> str:
    return obj("v1", "Secret", notes=f"helm.sh/hook: '{events}'{more}")


def claim(spec: str) -> str:
    return CLAIM_KEPT + f"spec: {{{spec}}}\n"


def job(spec: str, more: str = "") -> str:
    return obj("batch/v1", "Job") + f"spec: {{template: {{spec: {{{spec}}}}}{more}}}\n"


def crd(versions: str, group: str = "stable", more: str = "") -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: shirts.{group}.example.com, annotations: {{helm.sh/resource-policy: keep}}}}
spec: {{group: {group}.example.com, names: {{kind: Shirt, plural: shirts}}, versions: [{versions}]{more}}}
"""


def version(name: str, *, served: bool = True, storage: bool = False) -> str:
    return f"{{name: {name}, served: {str(served).lower()}, storage: {str(storage).lower()}}}"


def compared(old: bytes, new: bytes) -> list[Finding]:
    before, after = renderings(old, new, "default")
    return engine.check(Facts(after, before=Facts(before)), UPGRADE, "new.yaml", "old.yaml")


TEMPLATE = "volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: %s}}]"
RETAINED = "persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}"
NOTHING = ""
CASES: tuple[tuple[str, str, str, list[str]], ...] = (
    ("PL201 a claim left", CLAIM, NOTHING, ["PL201"]),
    ("PL201 a kept claim left", CLAIM_KEPT, NOTHING, []),
    (
        "PL201 no upgrade knows Keep",
        obj("v1", "PersistentVolumeClaim", notes="helm.sh/resource-policy: Keep"),
        NOTHING,
        ["PL201"],
    ),
    ("PL201 a claim is there", CLAIM, CLAIM, []),
    ("PL201 a definition left", CRD % "", NOTHING, ["PL201"]),
    ("PL201 a namespace left", obj("v1", "Namespace"), NOTHING, ["PL201"]),
    ("PL201 a volume left", obj("v1", "PersistentVolume"), NOTHING, ["PL201"]),
    ("PL201 a deployment left", workload(), NOTHING, []),
    ("PL201 claims go along", stateful(f"{RETAINED}, {TEMPLATE % 'a'}"), NOTHING, ["PL201"]),
    ("PL201 claims stay", stateful(TEMPLATE % "a"), NOTHING, []),
    ("PL201 claims of nobody", stateful(RETAINED), NOTHING, []),
    ("PL201 it is a hook now", CLAIM, obj("v1", "PersistentVolumeClaim", notes="helm.sh/hook: pre-upgrade"), ["PL201"]),
    ("PL201 a hook left", obj("v1", "PersistentVolumeClaim", notes="helm.sh/hook: pre-install"), NOTHING, []),
    ("PL201 another name", CLAIM, obj("v1", "PersistentVolumeClaim", "data"), ["PL201"]),
    ("PL202 dropped", CLAIM_KEPT, CLAIM, ["PL202"]),
    (
        "PL202 dropped from a Deployment",
        obj("apps/v1", "Deployment", keep=True),
        obj("apps/v1", "Deployment"),
        ["PL202"],
    ),
    ("PL202 not there before", CLAIM, CLAIM, []),
    ("PL202 new", CLAIM, CLAIM_KEPT, []),
    (
        "PL202 misspelt now",
        CLAIM_KEPT,
        obj("v1", "PersistentVolumeClaim", notes="helm.sh/resource-policy: Keep"),
        ["PL202"],
    ),
    ("PL203 into templates", FROM_CRDS + CRD % "", CRD_KEPT, ["PL203"]),
    ("PL203 into templates, not kept", FROM_CRDS + CRD % "", CRD % "", ["PL203"]),
    ("PL203 into crds/", CRD % "", FROM_CRDS + CRD % "", ["PL203"]),
    ("PL203 into crds/, kept", CRD_KEPT, FROM_CRDS + CRD_KEPT, []),
    ("PL203 stays in crds/", FROM_CRDS + CRD % "", FROM_CRDS + CRD % "", []),
    (
        "PL204 a version",
        obj("autoscaling/v1", "HorizontalPodAutoscaler"),
        obj("autoscaling/v2", "HorizontalPodAutoscaler"),
        ["PL204"],
    ),
    (
        "PL204 a removed version",
        obj("policy/v1beta1", "PodDisruptionBudget"),
        obj("policy/v1", "PodDisruptionBudget"),
        ["PL204"],
    ),
    (
        "PL204 one stored object",
        obj("extensions/v1beta1", "Ingress"),
        obj("networking.k8s.io/v1", "Ingress"),
        ["PL204"],
    ),
    ("PL204 two objects", obj("a.example.com/v1", "Shirt"), obj("b.example.com/v1", "Shirt"), ["PL204"]),
    ("PL204 no change", obj("a.example.com/v1", "Shirt"), obj("a.example.com/v1", "Shirt"), []),
    ("PL204 another kind", obj("a.example.com/v1", "Shirt"), obj("b.example.com/v1", "Hat"), []),
    (
        "PL204 no longer served",
        crd(f"{version('v1', storage=True)}, {version('v2')}"),
        crd(version("v1", storage=True)),
        ["PL204"],
    ),
    ("PL205 a Service", obj("v1", "Service"), obj("v1", "Service", "web"), ["PL205"]),
    ("PL205 a Deployment", workload(), obj("apps/v1", "Deployment", "web"), ["PL205"]),
    ("PL205 a StatefulSet", stateful(TEMPLATE % "a"), stateful(TEMPLATE % "a", "db"), ["PL205"]),
    ("PL205 a kept claim", CLAIM_KEPT, obj("v1", "PersistentVolumeClaim", "data"), ["PL205"]),
    ("PL205 another namespace", obj("v1", "Service"), obj("v1", "Service", more=", namespace: a"), ["PL205"]),
    ("PL205 a hash", obj("v1", "ConfigMap", "shop-4f9a21b7c0"), obj("v1", "ConfigMap", "shop-9e1b7730aa"), []),
    ("PL205 a Job", obj("batch/v1", "Job", "shop-1"), obj("batch/v1", "Job", "shop-2"), []),
    ("PL205 left", obj("v1", "Service"), NOTHING, []),
    ("PL205 came", NOTHING, obj("v1", "Service"), []),
    (
        "PL205 nobody knows which",
        obj("v1", "Service"),
        stream(obj("v1", "Service", "a"), obj("v1", "Service", "b")).decode(),
        [],
    ),
    (
        "PL205 by their templates",
        stream(
            "# Source: a/templates/a.yaml\n" + obj("v1", "Service", "a"),
            "# Source: a/templates/b.yaml\n" + obj("v1", "Service", "b"),
        ).decode(),
        stream(
            "# Source: b/templates/b.yaml\n" + obj("v1", "Service", "d"),
            "# Source: b/templates/a.yaml\n" + obj("v1", "Service", "c"),
        ).decode(),
        ["PL205", "PL205"],
    ),
    ("PL206 a selector", workload(), workload(selector=OTHER), ["PL206"]),
    ("PL206 a DaemonSet's", workload("DaemonSet"), workload("DaemonSet", OTHER), ["PL206"]),
    ("PL206 no change", workload(), workload(), []),
    ("PL206 a replica", workload(), workload(more=", replicas: 2"), []),
    ("PL206 a null is nothing", workload(), workload(more=", paused: null"), []),
    ("PL206 claims of a StatefulSet", stateful(TEMPLATE % "a"), stateful(TEMPLATE % "b"), ["PL206"]),
    ("PL206 a StatefulSet's service", stateful("serviceName: a"), stateful("serviceName: b"), ["PL206"]),
    (
        "PL206 a StatefulSet's default",
        stateful("serviceName: a"),
        stateful("serviceName: a, podManagementPolicy: OrderedReady"),
        [],
    ),
    (
        "PL206 a StatefulSet's replicas",
        stateful("replicas: 1"),
        stateful("replicas: 2, updateStrategy: {type: OnDelete}"),
        [],
    ),
    (
        "PL206 a Job's image",
        job("containers: [{name: a, image: b}]"),
        job("containers: [{name: a, image: c}]"),
        ["PL206"],
    ),
    (
        "PL206 a Job's default",
        job("containers: [{name: a, image: 'b:1'}]"),
        job("dnsPolicy: ClusterFirst, containers: [{name: a, image: 'b:1', imagePullPolicy: IfNotPresent}]"),
        [],
    ),
    ("PL206 a Job's deadline", job(""), job("", ", activeDeadlineSeconds: 5"), []),
    ("PL206 a headless Service", SERVICE % (SHOP, "type: ClusterIP"), SERVICE % (SHOP, "clusterIP: None"), ["PL206"]),
    ("PL206 no more headless", SERVICE % (SHOP, "clusterIP: None"), SERVICE % (SHOP, "clusterIP: 10.0.0.7"), ["PL206"]),
    ("PL206 the server keeps it", SERVICE % (SHOP, "clusterIP: 10.0.0.7"), SERVICE % (SHOP, "type: NodePort"), []),
    (
        "PL206 an ExternalName",
        SERVICE % (SHOP, "clusterIP: None"),
        SERVICE % (SHOP, "type: ExternalName, externalName: a"),
        [],
    ),
    (
        "PL206 a load balancer's class",
        SERVICE % (SHOP, "type: LoadBalancer, loadBalancerClass: a.example.com/a"),
        SERVICE % (SHOP, "type: LoadBalancer"),
        ["PL206"],
    ),
    (
        "PL206 a role",
        obj("rbac.authorization.k8s.io/v1", "RoleBinding") + "roleRef: {kind: Role, name: a}\n",
        obj("rbac.authorization.k8s.io/v1", "RoleBinding") + "roleRef: {kind: Role, name: b}\n",
        ["PL206"],
    ),
    (
        "PL206 a role's group",
        obj("rbac.authorization.k8s.io/v1", "RoleBinding") + "roleRef: {kind: Role, name: a}\n",
        obj("rbac.authorization.k8s.io/v1", "RoleBinding")
        + "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n",
        [],
    ),
    ("PL206 a class", claim("storageClassName: a"), claim("storageClassName: b"), ["PL206"]),
    (
        "PL206 a smaller claim",
        claim("resources: {requests: {storage: 2Gi}}"),
        claim("resources: {requests: {storage: 1Gi}}"),
        ["PL206"],
    ),
    (
        "PL206 a larger claim",
        claim("resources: {requests: {storage: 1Gi}}"),
        claim("resources: {requests: {storage: 2Gi}}"),
        [],
    ),
    (
        "PL206 one size",
        claim("resources: {requests: {storage: 1Gi}}"),
        claim("resources: {requests: {storage: 1024Mi}}"),
        [],
    ),
    (
        "PL206 a mode's default",
        claim("accessModes: [ReadWriteOnce]"),
        claim("accessModes: [ReadWriteOnce], volumeMode: Filesystem"),
        [],
    ),
    ("PL206 a Secret's type", obj("v1", "Secret"), obj("v1", "Secret") + "type: kubernetes.io/tls\n", ["PL206"]),
    ("PL206 a Secret's default type", obj("v1", "Secret"), obj("v1", "Secret") + "type: Opaque\n", []),
    (
        "PL206 immutable data",
        obj("v1", "ConfigMap") + "immutable: true\ndata: {a: b}\n",
        obj("v1", "ConfigMap") + "immutable: true\ndata: {a: c}\n",
        ["PL206"],
    ),
    ("PL206 data", obj("v1", "ConfigMap") + "data: {a: b}\n", obj("v1", "ConfigMap") + "data: {a: c}\n", []),
    (
        "PL206 a StorageClass",
        obj("storage.k8s.io/v1", "StorageClass") + "provisioner: a\n",
        obj("storage.k8s.io/v1", "StorageClass") + "provisioner: b\n",
        ["PL206"],
    ),
    (
        "PL206 a scope",
        crd(version("v1", storage=True), more=", scope: Cluster"),
        crd(version("v1", storage=True), more=", scope: Namespaced"),
        ["PL206"],
    ),
    ("PL206 a stored version", crd(version("v1", storage=True)), crd(version("v2", storage=True)), ["PL206"]),
    (
        "PL206 a selector that extensions/v1beta1 made",
        workload(selector="", api="extensions/v1beta1"),
        workload(),
        ["PL204", "PL206"],
    ),
    (
        "PL207 a Service that finds no Pod",
        stream(SERVICE % (SHOP, "type: ClusterIP"), WEB % SHOP).decode(),
        stream(SERVICE % (OTHER, "type: ClusterIP"), WEB % OTHER).decode(),
        ["PL207"],
    ),
    (
        "PL207 a Service that finds the old Pods",
        stream(SERVICE % ("{app: shop, tier: a}", "type: ClusterIP"), WEB % "{app: shop, tier: a}").decode(),
        stream(SERVICE % (SHOP, "type: ClusterIP"), WEB % SHOP).decode(),
        [],
    ),
    ("PL207 Pods of others", SERVICE % (SHOP, "type: ClusterIP"), SERVICE % (OTHER, "type: ClusterIP"), ["PL207"]),
    ("PL208 changed", FROM_CRDS + CRD % "", FROM_CRDS + CRD % ", labels: {a: b}", ["PL208"]),
    (
        "PL208 came",
        FROM_CRDS + CRD % "",
        stream(FROM_CRDS + CRD % "", crd(version("v1", storage=True), "beta")).decode(),
        ["PL208"],
    ),
    ("PL208 nobody knows", NOTHING, FROM_CRDS + CRD % "", []),
    ("PL209 a hook that stays", hook("pre-install"), obj("v1", "Secret"), ["PL209"]),
    (
        "PL209 a hook that goes",
        hook("pre-install", ", helm.sh/hook-delete-policy: hook-succeeded"),
        obj("v1", "Secret"),
        [],
    ),
    ("PL209 a test", hook("test"), obj("v1", "Secret"), []),
    ("PL209 a hook before", obj("v1", "Secret"), hook("pre-install,pre-upgrade"), ["PL209"]),
    ("PL209 a hook after", obj("v1", "Secret"), hook("post-upgrade"), []),
    ("PL209 kept", obj("v1", "Secret", keep=True), hook("pre-upgrade"), []),
    ("PL209 a hook in both", hook("pre-upgrade"), hook("pre-upgrade"), []),
    ("PL208 left", FROM_CRDS + CRD % "", NOTHING, []),
)


@pytest.mark.parametrize(("old", "new", "codes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_upgrade(old: str, new: str, codes: list[str]) -> None:
    assert [finding.code for finding in compared(old.encode(), new.encode())] == codes


def test_every_rule_is_found_once_at_least() -> None:
    assert {code for *_, codes in CASES for code in codes} == {rule.code for rule in UPGRADE}


def test_no_rule_finds_anything_without_an_old_version() -> None:
    data = stream(CRD % "", CLAIM, workload(), stateful(TEMPLATE % "a"))
    assert engine.check(Facts(rendering(data)), UPGRADE, "stream") == []


NODE_EXPORTER = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: shop-node}
spec:
  selector: {matchLabels: %(labels)s}
  template: {metadata: {labels: %(labels)s}}
---
apiVersion: v1
kind: Service
metadata: {name: shop-node}
spec: {selector: %(labels)s}
"""


def test_labels_change_as_in_prometheus_node_exporter_4() -> None:
    """Version 4.0.0 took to the recommended labels, and its notes say to delete the DaemonSet before the upgrade."""
    old = NODE_EXPORTER % {"labels": "{app: node, release: shop}"}
    new = NODE_EXPORTER % {"labels": "{app.kubernetes.io/name: node, app.kubernetes.io/instance: shop}"}
    selector, service = compared(old.encode(), new.encode())
    assert (selector.code, selector.text, selector.next[-1]) == (
        "PL206",
        "changes spec.selector: the API server rejects the upgrade",
        "or write into the upgrade notes: kubectl delete daemonsets.apps/shop-node -n default --cascade=orphan",
    )
    assert (service.code, service.object) == ("PL207", "services/default/shop-node")


MOVED = """\
# Source: shop/%s/hats.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
%s
  name: hats.example.com
"""


def test_definitions_move_as_in_argo_cd_5_2() -> None:
    """Version 5.2.0 moved its definitions to the templates. Two had ``annotations`` twice, and were not kept."""
    kept = "  annotations: {helm.sh/resource-policy: keep}"
    twice = f"{kept}\n  labels: {{a: b}}\n  annotations: {{example.com/version: v1}}"
    old = (MOVED % ("crds", "  labels: {a: b}")).encode()
    advice = []
    for written in (kept, twice):
        (moved,) = compared(old, (MOVED % ("templates", written)).encode())
        assert (moved.code, moved.text) == (
            "PL203",
            "moves from crds/ to the templates: an upgrade fails with `invalid ownership metadata`",
        )
        advice.append(moved.next[0].partition(":")[0])
    assert advice == ["write into the upgrade notes", "set metadata.annotations"]
