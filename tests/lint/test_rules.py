"""Each rule with what it finds and what it lets pass, as one table: a stream, and the codes of what is wrong in it."""

from __future__ import annotations

import pytest

from postrender._record import replace
from postrender.lint import engine
from postrender.lint.model import Facts, Template, rendering
from postrender.lint.rules import RULES
from postrender.models import RELEASE_NAME, RELEASE_NAMESPACE, GroupKind, LiveObject, ObjectKey

KEPT = "{helm.sh/resource-policy: keep}"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shirts.stable.example.com%s}
spec:
  group: stable.example.com
  names: {kind: Shirt, plural: shirts}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true}, {name: v1beta1, served: false, storage: false}]
"""
CRD_KEPT = CRD % f", annotations: {KEPT}"


def obj(api: str, kind: str, name: str = "shop", *, keep: bool = False, more: str = "", notes: str = "") -> str:
    annotations = KEPT if keep else f"{{{notes}}}"
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, annotations: {annotations}{more}}}\n"


def stream(*documents: str) -> bytes:
    return "".join(f"---\n{document}" for document in documents).encode()


def shirt(group: str, **how: object) -> str:
    return obj(f"{group}.example.com/v1", "Shirt", **how)  # type: ignore[arg-type]


def found(data: bytes, **told: object) -> list[str]:
    facts = replace(Facts(rendering(data)), **told)
    return [finding.code for finding in engine.check(facts, RULES.values(), "stream")]


HOOK = "helm.sh/hook: pre-install"
CASES: tuple[tuple[str, bytes, list[str]], ...] = (
    ("PL101 two groups", stream(shirt("beta"), shirt("stable")), ["PL101"]),
    ("PL101 three groups", stream(shirt("a"), shirt("b"), shirt("c")), ["PL101", "PL101"]),
    ("PL101 built in beside custom", stream(obj("v1", "ConfigMap"), obj("cm.example.com/v1", "ConfigMap")), ["PL101"]),
    ("PL101 other names", stream(shirt("beta", name="a"), shirt("stable", name="b")), []),
    (
        "PL101 other namespaces",
        stream(shirt("beta", more=", namespace: a"), shirt("stable", more=", namespace: b")),
        [],
    ),
    ("PL101 a hook is no part of the release", stream(shirt("beta", notes=HOOK), shirt("stable")), []),
    ("PL102 Keep", stream(shirt("a", notes="helm.sh/resource-policy: Keep")), ["PL102"]),
    ("PL102 a blank", stream(shirt("a", notes="helm.sh/resource-policy: 'keep '")), ["PL102"]),
    ("PL102 delete", stream(shirt("a", notes="helm.sh/resource-policy: delete")), ["PL102"]),
    ("PL102 the key misspelt", stream(shirt("a", notes="helm.sh/resource_policy: keep")), ["PL102"]),
    ("PL102 another prefix", stream(shirt("a", notes="helm.io/resource-policy: keep")), ["PL102"]),
    ("PL102 as a label", stream(shirt("a", more=", labels: {helm.sh/resource-policy: keep}")), ["PL102"]),
    ("PL102 as it should be", stream(shirt("a", keep=True)), []),
    ("PL102 somebody else's policy", stream(shirt("a", notes="example.com/policy: Keep")), []),
    ("PL103 a kept hook", stream(shirt("a", notes=f"{HOOK}, helm.sh/resource-policy: keep")), ["PL103"]),
    ("PL103 a hook", stream(shirt("a", notes=HOOK)), []),
    ("PL104 a claim", stream(obj("v1", "PersistentVolumeClaim")), ["PL104"]),
    ("PL104 a volume", stream(obj("v1", "PersistentVolume")), ["PL104"]),
    ("PL104 a namespace", stream(obj("v1", "Namespace")), ["PL104"]),
    ("PL104 a definition", stream(CRD % ""), ["PL104"]),
    ("PL104 a kept claim", stream(obj("v1", "PersistentVolumeClaim", keep=True)), []),
    ("PL104 a claim of another group", stream(obj("example.com/v1", "PersistentVolumeClaim")), []),
    ("PL104 a definition from crds/", stream("# Source: shop/crds/a.yaml\n" + CRD % "", CRD % ""), []),
    ("PL104 a definition from a subchart's crds/", stream("# Source: shop/charts/b/crds/a.yaml\n" + CRD % ""), []),
    ("PL104 a definition from crds/ as Helm 3.12 calls it", stream("# Source: crds/a.yaml\n" + CRD % ""), []),
    ("PL104 a chart named crds alone", stream("# Source: crds/templates/a.yaml\n" + CRD % ""), ["PL104"]),
    ("PL104 a chart named crds", stream("# Source: a/charts/crds/templates/a.yaml\n" + CRD % ""), ["PL104"]),
    ("PL104 folder crds in templates/", stream("# Source: a/templates/crds/a.yaml\n" + CRD % ""), ["PL104"]),
    (
        "PL105 generateName",
        b"apiVersion: v1\nkind: Secret\nmetadata: {generateName: a, annotations: %s}\n" % KEPT.encode(),
        ["PL105"],
    ),
    ("PL105 generateName, not kept", b"apiVersion: v1\nkind: Secret\nmetadata: {generateName: a}\n", []),
    ("PL107 gone", stream(obj("policy/v1beta1", "PodDisruptionBudget")), ["PL107"]),
    ("PL107 never there", stream(obj("v1", "Deployment")), ["PL107"]),
    ("PL107 served", stream(obj("apps/v1", "Deployment"), obj("policy/v1", "PodDisruptionBudget")), []),
    ("PL107 of a group nobody told of", stream(shirt("a")), []),
    ("PL107 not as the definition says", stream(CRD_KEPT, obj("stable.example.com/v2", "Shirt")), ["PL107"]),
    ("PL107 a version not served", stream(CRD_KEPT, obj("stable.example.com/v1beta1", "Shirt")), ["PL107"]),
    ("PL107 as the definition says", stream(CRD_KEPT, shirt("stable")), []),
    ("PL108 a core Event", stream(obj("v1", "Event")), ["PL108"]),
    ("PL108 the other Event", stream(obj("events.k8s.io/v1", "Event")), ["PL108"]),
    ("PL108 extensions", stream(obj("extensions/v1beta1", "Ingress")), ["PL107", "PL108"]),
    ("PL108 networking.k8s.io", stream(obj("networking.k8s.io/v1", "Ingress")), []),
    ("PL109 exported", stream(shirt("a", more=", uid: 1, resourceVersion: '2'")), ["PL109"]),
    ("PL109 a status", stream(shirt("a") + "status: {ready: true}\n"), ["PL109"]),
    ("PL109 nothing in it", stream(shirt("a", more=", creationTimestamp: null") + "status: {}\n"), []),
    ("PL109 helm only creates it", stream("# Source: a/crds/a.yaml\n" + CRD % ", uid: 1"), []),
    ("PL110 same name", stream(obj("v1", "Secret", keep=True), obj("v1", "Secret", notes=HOOK)), ["PL110"]),
    ("PL110 not kept", stream(obj("v1", "Secret"), obj("v1", "Secret", notes=HOOK)), []),
    ("PL110 another kind", stream(obj("v1", "Secret", keep=True), obj("v1", "ConfigMap", notes=HOOK)), []),
    ("PL110 a definition is never deleted as a hook", stream(CRD_KEPT, CRD % f", annotations: {{{HOOK}}}"), []),
    ("PL111 a kept job", stream(obj("batch/v1", "Job", keep=True)), ["PL111"]),
    ("PL111 a kept pod", stream(obj("v1", "Pod", keep=True)), ["PL111"]),
    ("PL111 a job", stream(obj("batch/v1", "Job")), []),
    ("PL111 a kept CronJob", stream(obj("batch/v1", "CronJob", keep=True)), []),
    ("PL113 twice", stream(shirt("a"), shirt("a")), ["PL113"]),
    (
        "PL113 twice in two versions",
        stream(obj("a.example.com/v1", "Shirt"), obj("a.example.com/v2", "Shirt")),
        ["PL113"],
    ),
    ("PL113 the namespace written out", stream(shirt("a"), shirt("a", more=", namespace: default")), ["PL113"]),
    (
        "PL113 cluster scope",
        stream(obj("v1", "Namespace", keep=True), obj("v1", "Namespace", keep=True, more=", namespace: b")),
        ["PL113"],
    ),
    ("PL113 two namespaces", stream(shirt("a"), shirt("a", more=", namespace: b")), []),
    ("PL113 hooks", stream(shirt("a", notes=HOOK), shirt("a", notes=HOOK)), []),
    ("PL114 not kept", stream(CRD % "", shirt("stable", keep=True)), ["PL104", "PL114"]),
    ("PL114 both kept", stream(CRD_KEPT, shirt("stable", keep=True)), ["PL114"]),
    (
        "PL114 in crds/",
        stream(
            "# Source: shop/crds/a.yaml\n" + CRD % "", "# Source: shop/templates/a.yaml\n" + shirt("stable", keep=True)
        ),
        [],
    ),
    ("PL114 nothing kept", stream(CRD_KEPT, shirt("stable")), []),
    (
        "in a list",
        b"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Event, metadata: {name: a}}\n",
        ["PL108"],
    ),
    ("JSON", b'{"apiVersion": "v1", "kind": "Event", "metadata": {"name": "a"}}', ["PL108"]),
    ("nothing", b"# nothing\n", []),
)


@pytest.mark.parametrize(("data", "codes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_stream(data: bytes, codes: list[str]) -> None:
    assert found(data) == codes


def test_every_rule_is_found_once_at_least() -> None:
    told = {code for _, _, codes in CASES for code in codes} | {"PL106", "PL112"}
    assert told == {code for code in RULES if code.startswith("PL1")}


def test_kept_pairs_are_errors_and_others_warnings() -> None:
    def severities(*documents: str) -> list[str]:
        findings = engine.check(Facts(rendering(stream(*documents))), [RULES["PL101"]], "stream")
        return [finding.severity.value for finding in findings]

    assert severities(shirt("beta", keep=True), shirt("stable", keep=True)) == ["error"]
    assert severities(shirt("beta"), shirt("stable", keep=True)) == ["warning"]
    custom, core = obj("cm.example.com/v1", "ConfigMap", keep=True), obj("v1", "ConfigMap", keep=True)
    assert severities(core, custom) == ["error"]
    assert severities(custom, core) == ["warning"]


def live(group: str, release: str) -> LiveObject:
    owner = {RELEASE_NAME: release, RELEASE_NAMESPACE: "default"} if release else {}
    return LiveObject(ObjectKey(GroupKind(group, "Shirt"), "default", "shop"), f"{group}/v1", "", "1", {}, owner)


@pytest.mark.parametrize(
    ("other", "release", "codes"),
    [
        (live("beta.example.com", "shop"), "", ["PL101"]),
        (live("beta.example.com", "shop"), "shop", ["PL101"]),
        (live("beta.example.com", "other"), "shop", []),
        (live("beta.example.com", ""), "", []),
        (live("stable.example.com", "shop"), "", []),
    ],
)
def test_live_namesakes(other: LiveObject, release: str, codes: list[str]) -> None:
    assert found(stream(shirt("stable")), live=(other,), release=release) == codes


def secret(name: str, password: str, *, keep: bool = True) -> bytes:
    return stream(
        f"# Source: shop/templates/a.yaml\n{obj('v1', 'Secret', name, keep=keep)}data:\n  password: {password}\n"
    )


@pytest.mark.parametrize(
    ("data", "again", "renamed", "codes"),
    [
        (secret("shop", "YQ=="), secret("shop", "YQ=="), secret("b", "YQ=="), []),
        (secret("shop", "YQ=="), secret("shop", "Yg=="), secret("b", "Yg=="), ["PL112"]),
        (secret("shop", "YQ==", keep=False), secret("shop", "Yg=="), secret("b", "Yg=="), []),
        (secret("shop-1", "YQ=="), secret("shop-2", "YQ=="), secret("b", "YQ=="), ["PL105"]),
        (secret("shop", "YQ=="), secret("shop", "YQ=="), secret("shop", "YQ=="), ["PL106"]),
        (stream(CRD_KEPT), stream(CRD_KEPT), stream(CRD_KEPT), []),
    ],
)
def test_other_renderings(data: bytes, again: bytes, renamed: bytes, codes: list[str]) -> None:
    assert found(data, again=rendering(again), renamed=rendering(renamed)) == codes


@pytest.mark.parametrize(("release", "codes"), [("", []), ("shop", []), ("other", ["PL106"])])
def test_a_streams_release(release: str, codes: list[str]) -> None:
    assert found(stream(shirt("a", name="shop-db", keep=True)), release=release) == codes


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("name: shop-{{ .Release.Revision }}", ["PL105"]),
        ("  name: {{ .Release.Name }}-{{ randAlphaNum 5 | lower }}", ["PL105"]),
        ("name: {{ .Release.Name }}-1", []),
        ("name: other-{{ .Release.Revision }}", []),
        ("label: shop-{{ .Release.Revision }}", []),
    ],
)
def test_names_by_the_template(line: str, codes: list[str]) -> None:
    data = secret("shop-1", "YQ==")
    assert found(data, templates={"shop/templates/a.yaml": Template("a.yaml", line)}) == codes


def test_lookup_may_take_the_live_value_over() -> None:
    facts = Facts(
        rendering(secret("shop", "YQ==")),
        again=rendering(secret("shop", "Yg==")),
        templates={"shop/templates/_helpers.tpl": Template("h", '{{ lookup "v1" "Secret" }}')},
    )
    (finding,) = engine.check(facts, [RULES["PL112"]], "stream")
    assert finding.severity.value == "info"
    assert finding.text.endswith("; where lookup finds nothing, as here")


@pytest.mark.parametrize(
    ("annotation", "codes"),
    [
        ("data.password", []),
        ("data", []),
        ("stringData.password, data.other", []),
        ("data.other", ["PL112"]),
        ("data[0]", ["PL112"]),
    ],
)
def test_what_is_kept_as_it_is_live_locks_nobody_out(annotation: str, codes: list[str]) -> None:
    both = (
        secret("shop", each).replace(b": keep}", f": keep, postrender/keep-live: '{annotation}'}}".encode())
        for each in ("YQ==", "Yg==")
    )
    data, again = both
    assert found(data, again=rendering(again)) == codes


def test_the_annotation_is_advised_with_every_field() -> None:
    data, again = (
        secret("shop", each).replace(b"  password", f"  tls.key: {each}\n  password".encode())
        for each in ("YQ==", "Yg==")
    )
    (finding,) = engine.check(Facts(rendering(data), again=rendering(again)), [RULES["PL112"]], "stream")
    assert finding.next[0] == (
        "in the chart, annotate secrets/default/shop with postrender/keep-live: 'data[\"tls.key\"],data.password'"
    )


LOOKUP = '{{ lookup "v1" "Secret" "a" "b" }}'


@pytest.mark.parametrize(
    ("templates", "severity"),
    [
        ({"a.yaml": "password: {{ randAlphaNum 8 }}", "b.yaml": LOOKUP}, "error"),
        ({"a.yaml": LOOKUP}, "info"),
        ({"a.yaml": '{{ include "one" . }}', "_h.tpl": f'{{{{ define "one" }}}}{LOOKUP}{{{{ end }}}}'}, "info"),
        ({"a.yaml": "x", "_h.tpl": f'{{{{ define "one" }}}}{LOOKUP}{{{{ end }}}}'}, "error"),
    ],
)
def test_only_the_lookup_of_its_own_template_counts(templates: dict[str, str], severity: str) -> None:
    facts = Facts(
        rendering(secret("shop", "YQ==")),
        again=rendering(secret("shop", "Yg==")),
        templates={f"shop/templates/{name}": Template(name, text) for name, text in templates.items()},
    )
    (finding,) = engine.check(facts, [RULES["PL112"]], "stream")
    assert finding.severity.value == severity


@pytest.mark.parametrize(
    ("minor", "codes"), [(None, []), (20, ["PL107"]), (21, []), (36, [])], ids=["unsaid", "1.20", "1.21", "1.36"]
)
def test_kubernetes_versions(minor: int | None, codes: list[str]) -> None:
    assert found(stream(obj("batch/v1", "CronJob")), minor=minor) == codes


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        ((), []),
        (("stable.example.com/v1",), []),
        (("stable.example.com/v1/Shirt",), []),
        (("stable.example.com/v1/Hat",), ["PL107"]),
        (("beta.example.com/v1",), ["PL107"]),
    ],
)
def test_api_versions(told: tuple[str, ...], codes: list[str]) -> None:
    assert found(stream(shirt("stable")), api_versions=told) == codes


def test_every_rule_says_what_it_is_about() -> None:
    for rule in RULES.values():
        assert rule.title
        assert not rule.title.endswith(".")
        assert len(rule.title) <= 72
        assert rule.text.endswith(".")
