"""Live objects in a file, and the source that asks nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster import snapshot_file
from postrender.cluster.interface import CONTEXTS, ClusterReader, ObjectLookup
from postrender.cluster.offline import Offline
from postrender.cluster.snapshot_file import Snapshot
from postrender.errors import UsageError
from postrender.models import (
    Absent,
    Found,
    GroupVersionKind,
    LiveObject,
    NotServed,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
)
from tests.wire.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SHIRT, a_revision, an_object

OLD = ReleaseName("shop", "old")
CRD = Resource(GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "crds", False)

FILE = """\
# what kubectl get configmaps,namespaces,shirts -o yaml printed
apiVersion: v1
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: a
    namespace: shop
    uid: one
    resourceVersion: "7"
    labels: {app.kubernetes.io/managed-by: Helm}
    annotations: {meta.helm.sh/release-name: old, meta.helm.sh/release-namespace: shop}
    managedFields: [{manager: helm}]
  data: {port: "8080", "on": "yes"}
- apiVersion: v1
  kind: Namespace
  metadata: {name: shop, uid: two, resourceVersion: "8", deletionTimestamp: "2026-01-01T00:00:00Z"}
- apiVersion: stable.example.com/v1
  kind: Shirt
  metadata: {name: a, namespace: shop, uid: three, resourceVersion: "9"}
kind: List
metadata:
  resourceVersion: ""
"""


def written(folder: Path, content: object) -> str:
    path = folder / "live.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.fixture
def live(tmp_path: Path) -> Snapshot:
    return snapshot_file.load(written(tmp_path, FILE))


def found(
    source: ClusterReader, resource: Resource, name: str, namespace: str = "shop", *, body: bool = True
) -> LiveObject:
    (answer,) = source.get_objects([ObjectLookup(resource, namespace if resource.namespaced else "", name, body)])
    assert isinstance(answer, Found)
    return answer.live


def a_crd(kind: str, plural: str, *, scope: str = "Namespaced", **spec: Any) -> dict[str, Any]:
    names = {"kind": kind, "plural": plural}
    versions = [{"name": "v1", "served": True, "subresources": {"status": {}}}, {"name": "v0", "served": False}]
    whole = {"group": "stable.example.com", "scope": scope, "names": names, "versions": versions, **spec}
    return an_object(CRD, f"{plural}.stable.example.com", spec=whole)


def refused(path: str) -> str:
    with pytest.raises(UsageError) as caught:
        snapshot_file.load(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


class TestObjects:
    def test_a_list_as_kubectl_prints_it(self, live: Snapshot) -> None:
        first = found(live, CONFIG_MAP, "a")
        assert (first.uid, first.resource_version, first.api_version) == ("one", "7", "v1")
        assert (first.managed_by_helm, first.owner) == (True, OLD)
        assert first.managed_fields == ({"manager": "helm"},)
        assert first.body["data"] == {"port": "8080", "on": "yes"}
        assert (first.body["apiVersion"], first.body["kind"]) == ("v1", "ConfigMap")

    def test_cluster_scope(self, live: Snapshot) -> None:
        assert found(live, NAMESPACE, "shop").deleting

    def test_what_is_not_there_is_absent(self, live: Snapshot) -> None:
        wanted = [ObjectLookup(CONFIG_MAP, "shop", "b", False), ObjectLookup(CONFIG_MAP, "stall", "a", False)]
        assert live.get_objects(wanted) == [Absent(), Absent()]

    def test_answers_are_in_the_order_of_the_questions(self, live: Snapshot) -> None:
        one, two, three = live.get_objects(
            [
                ObjectLookup(SHIRT, "shop", "a", False),
                ObjectLookup(SHIRT, "shop", "b", False),
                ObjectLookup(CONFIG_MAP, "shop", "a", True),
            ]
        )
        assert isinstance(one, Found)
        assert isinstance(three, Found)
        assert (one.live.uid, two, three.live.uid) == ("three", Absent(), "one")

    def test_description(self, live: Snapshot) -> None:
        assert live.description == f"file {live.path}"

    @pytest.mark.parametrize(
        "content",
        [
            {"kind": "List", "apiVersion": "v1", "items": [an_object(CONFIG_MAP, "a"), an_object(SHIRT, "a")]},
            "\n---\n".join(json.dumps(an_object(kind, "a")) for kind in (CONFIG_MAP, SHIRT)),
            "---\n"
            + json.dumps(an_object(CONFIG_MAP, "a"))
            + "\n---\n# nothing\n---\n"
            + json.dumps(an_object(SHIRT, "a")),
            {
                "kind": "List",
                "apiVersion": "v1",
                "items": [
                    {"kind": "List", "apiVersion": "v1", "items": [an_object(CONFIG_MAP, "a"), an_object(SHIRT, "a")]}
                ],
            },
        ],
        ids=["JSON list", "stream", "stream with an empty document", "list in a list"],
    )
    def test_every_way_to_write_objects(self, tmp_path: Path, content: object) -> None:
        source = snapshot_file.load(written(tmp_path, content))
        assert found(source, CONFIG_MAP, "a").body == an_object(CONFIG_MAP, "a")
        assert found(source, SHIRT, "a").body == an_object(SHIRT, "a")

    def test_a_single_object(self, tmp_path: Path) -> None:
        assert found(snapshot_file.load(written(tmp_path, an_object(SHIRT, "a"))), SHIRT, "a").uid == "uid-of-a"

    def test_an_empty_list_is_a_cluster_without_objects(self, tmp_path: Path) -> None:
        source = snapshot_file.load(written(tmp_path, {"kind": "List", "apiVersion": "v1", "items": []}))
        assert source.get_objects([ObjectLookup(SHIRT, "shop", "a", True)]) == [Absent()]

    def test_items_that_do_not_say_what_they_are(self, tmp_path: Path) -> None:
        """As ``kubectl get --raw`` prints them."""
        bare = {key: value for key, value in an_object(CONFIG_MAP, "a").items() if key not in ("kind", "apiVersion")}
        source = snapshot_file.load(written(tmp_path, {"kind": "ConfigMapList", "apiVersion": "v1", "items": [bare]}))
        assert found(source, CONFIG_MAP, "a").body == an_object(CONFIG_MAP, "a")

    def test_a_body_in_another_version_is_unknown(self, tmp_path: Path) -> None:
        old = Resource(
            GroupVersionKind("autoscaling", "v1", "HorizontalPodAutoscaler"), "horizontalpodautoscalers", True
        )
        new = Resource(
            GroupVersionKind("autoscaling", "v2", "HorizontalPodAutoscaler"), "horizontalpodautoscalers", True
        )
        path = written(tmp_path, an_object(new, "a"))
        source = snapshot_file.load(path)
        assert found(source, old, "a", body=False).api_version == "autoscaling/v2"
        assert source.get_objects([ObjectLookup(old, "shop", "a", True)]) == [
            Unknown(
                f"{path} has it as autoscaling/v2, and only a server can convert it to autoscaling/v1",
                (f"(echo ---; kubectl get horizontalpodautoscalers.v1.autoscaling a -n shop -o yaml) >> {path}",),
            )
        ]
        Path(path).write_text(json.dumps(an_object(new, "a")) + "\n---\n" + json.dumps(an_object(old, "a")))
        source = snapshot_file.load(path)
        assert [found(source, each, "a").body["apiVersion"] for each in (old, new)] == [
            "autoscaling/v1",
            "autoscaling/v2",
        ]


class TestKinds:
    @pytest.mark.parametrize("kind", [CONFIG_MAP, NAMESPACE, DEPLOYMENT, SECRET])
    def test_kubernetes_own(self, live: Snapshot, kind: Resource) -> None:
        assert live.resolve_kinds([kind.gvk]) == {kind.gvk: kind}

    def test_a_kind_of_a_crd_in_the_file(self, tmp_path: Path) -> None:
        content = [a_crd("Shirt", "shirtes"), a_crd("Rack", "racks", scope="Cluster"), an_object(SHIRT, "a")]
        source = snapshot_file.load(written(tmp_path, {"kind": "List", "apiVersion": "v1", "items": content}))
        rack = GroupVersionKind("stable.example.com", "v1", "Rack")
        unserved = [GroupVersionKind("stable.example.com", version, "Shirt") for version in ("v0", "v2")]
        assert source.resolve_kinds([SHIRT.gvk, rack, *unserved]) == {
            SHIRT.gvk: Resource(SHIRT.gvk, "shirtes", True, True),
            rack: Resource(rack, "racks", False, True),
            unserved[0]: NotServed(),
            unserved[1]: NotServed(),
        }

    def test_a_kind_of_which_there_are_only_objects(self, tmp_path: Path) -> None:
        rack = Resource(GroupVersionKind("stable.example.com", "v1", "Rack"), "racks", False)
        items = [an_object(SHIRT, "a"), an_object(rack, "a")]
        source = snapshot_file.load(written(tmp_path, {"kind": "List", "apiVersion": "v1", "items": items}))
        assert source.resolve_kinds([SHIRT.gvk, rack.gvk]) == {
            SHIRT.gvk: Resource(SHIRT.gvk, "shirts", True),
            rack.gvk: rack,
        }
        assert found(source, rack, "a").key.namespace == ""

    def test_a_kind_nobody_knows_is_guessed(self, live: Snapshot) -> None:
        policy = GroupVersionKind("x.example.com", "v1", "Policy")
        assert live.resolve_kinds([policy]) == {policy: Resource(policy, "policies", True)}

    def test_a_namespace_of_a_kind_without_namespaces_counts_for_nothing(self, tmp_path: Path) -> None:
        source = snapshot_file.load(written(tmp_path, an_object(NAMESPACE, "shop", metadata={"namespace": "shop"})))
        assert found(source, NAMESPACE, "shop").key.namespace == ""


class TestReleases:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> Snapshot:
        statuses = {8: "deployed", 9: "failed", 10: "failed"}
        items = [
            *(a_revision("old", each, statuses.get(each, "superseded")) for each in (10, 9, 8, 7)),
            a_revision("old", 1, "deployed", driver="configmap"),
            a_revision("other", 1, "deployed"),
            an_object(SECRET, "old", metadata={"labels": {"name": "old"}}),
            an_object(SECRET, "elsewhere", "stall", metadata={"labels": {"owner": "helm", "name": "old"}}),
        ]
        return snapshot_file.load(written(tmp_path, {"kind": "List", "apiVersion": "v1", "items": items}))

    def test_secrets(self, stored: Snapshot) -> None:
        assert stored.get_revisions(OLD, manifest=False, driver="secret") == (
            StoredRelease(OLD, 7, "superseded"),
            StoredRelease(OLD, 8, "deployed"),
            StoredRelease(OLD, 9, "failed"),
            StoredRelease(OLD, 10, "failed"),
        )

    def test_manifests_of_those_that_matter(self, stored: Snapshot) -> None:
        assert stored.get_revisions(OLD, manifest=True, driver="") == (
            StoredRelease(OLD, 7, "superseded"),
            StoredRelease(OLD, 8, "deployed", "# revision 8\n"),
            StoredRelease(OLD, 9, "failed"),
            StoredRelease(OLD, 10, "failed", "# revision 10\n"),
        )

    def test_config_maps(self, stored: Snapshot) -> None:
        assert stored.get_revisions(OLD, manifest=True, driver="configmap") == (
            StoredRelease(OLD, 1, "deployed", "# revision 1\n"),
        )

    def test_none_is_gone(self, stored: Snapshot) -> None:
        assert stored.get_revisions(ReleaseName("shop", "nobody"), manifest=True, driver="secret") == ()
        assert stored.get_revisions(ReleaseName("elsewhere", "old"), manifest=True, driver="secret") == ()

    def test_a_driver_that_no_file_can_tell_of(self, stored: Snapshot) -> None:
        assert stored.get_revisions(OLD, manifest=False, driver="sql") == Unknown(
            "HELM_DRIVER=sql keeps releases in a database, where they cannot be read"
        )

    def test_a_payload_that_is_none(self, tmp_path: Path) -> None:
        path = written(tmp_path, {**a_revision("old", 1, "deployed"), "data": {}})
        assert snapshot_file.load(path).get_revisions(OLD, manifest=True, driver="secret") == Unknown(
            f"{path}: secrets/shop/sh.helm.release.v1.old.v1 cannot be decoded, so whether the release is installed "
            "is unknown: revision 1 of release shop/old has no data.release",
            (
                "helm history old -n shop",
                "kubectl delete secrets sh.helm.release.v1.old.v1 -n shop",
            ),
        )


class TestErrors:
    NEXT = (
        "note: --live takes a file that kubectl get KINDS -n NAMESPACE -o yaml wrote\nhint: postrender snapshot --help"
    )

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        path = str(tmp_path / "live.yaml")
        assert refused(path) == f"{path}: cannot be read: No such file or directory\n{self.NEXT}"

    def test_stdin(self) -> None:
        assert refused("-") == (f"stdin holds the manifests, so it cannot hold the live objects\n{self.NEXT}")

    @pytest.mark.parametrize("content", ["", "\n", "---\n", "# No resources found in shop namespace.\n"])
    def test_a_call_of_kubectl_that_failed(self, tmp_path: Path, content: str) -> None:
        path = written(tmp_path, content)
        assert refused(path) == f"{path}: is empty: kubectl prints an empty list, never an empty file\n{self.NEXT}"

    def test_no_yaml(self, tmp_path: Path) -> None:
        path = written(tmp_path, "apiVersion: v1\nkind: [ConfigMap\n")
        told = refused(path)
        assert told.startswith(f"{path}, line 3, column 1: cannot be read: ")

    @pytest.mark.parametrize(
        ("second", "cause"),
        [
            ("just words", "not a mapping"),
            ("[1, 2]", "not a mapping"),
            ("NAME   READY\na      1/1", "not a mapping"),
            ("a: 1", "no kind"),
            ("kind: ConfigMap", "no apiVersion"),
        ],
    )
    def test_no_object(self, tmp_path: Path, second: str, cause: str) -> None:
        path = written(tmp_path, f"{json.dumps(an_object(SHIRT, 'a'))}\n---\n{second}\n")
        assert refused(path) == (
            f"{path}, line 3: holds something that is not a Kubernetes object: {cause}\n{self.NEXT}"
        )

    def test_the_same_object_twice(self, tmp_path: Path) -> None:
        body = an_object(SHIRT, "a")
        path = written(tmp_path, "\n---\n".join(json.dumps(each) for each in (body, an_object(CONFIG_MAP, "a"), body)))
        assert refused(path) == (
            f"{path}, line 5: Shirt.stable.example.com/shop/a is in the file twice, first in line 1\n{self.NEXT}"
        )

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ({"metadata": {}}, "a ConfigMap without a name is not a live object"),
            ({"metadata": {"name": "a"}}, "ConfigMap a is not a live object: it has no metadata.namespace"),
            (
                {"metadata": {"name": "a", "namespace": "shop", "labels": {"a": 1}}},
                "ConfigMap a is not a live object: its metadata.labels do not map text to text",
            ),
            (
                {"metadata": {"name": "a", "namespace": "shop", "uid": 7}},
                "ConfigMap a is not a live object: its metadata.uid is not a text",
            ),
        ],
    )
    def test_an_object_that_cannot_be_live(self, tmp_path: Path, body: dict[str, Any], why: str) -> None:
        path = written(tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", **body})
        assert refused(path) == f"{path}, line 1: {why}\n{self.NEXT}"


class TestOffline:
    def test_it_knows_kinds(self) -> None:
        assert Offline().resolve_kinds([DEPLOYMENT.gvk, SHIRT.gvk]) == {
            DEPLOYMENT.gvk: DEPLOYMENT,
            SHIRT.gvk: Resource(SHIRT.gvk, "shirts", True),
        }

    def test_crds_that_it_is_given(self) -> None:
        source = Offline([a_crd("Rack", "rackses", scope="Cluster")])
        for version in ("v1", "v2"):
            rack = GroupVersionKind("stable.example.com", version, "Rack")
            assert source.resolve_kinds([rack]) == {rack: Resource(rack, "rackses", False, True)}

    def test_it_says_that_it_knows_nothing_live(self) -> None:
        nobody = Unknown("no cluster was asked", (CONTEXTS,))
        assert Offline().get_objects([ObjectLookup(SHIRT, "shop", "a", True)]) == [nobody]
        assert Offline().get_revisions(OLD, manifest=False, driver="secret") == nobody
        assert Offline().description == "no cluster"


def test_both_are_sources() -> None:
    sources: list[ClusterReader] = [Offline(), Snapshot("live.yaml", {}, Offline(), {})]
    assert [each.description for each in sources] == ["no cluster", "file live.yaml"]
