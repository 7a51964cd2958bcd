"""The cluster room against a real API server, and against what real Helms store there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from postrender.cluster import builtin_kinds
from postrender.cluster.client import Cluster, connect
from postrender.cluster.interface import ObjectLookup
from postrender.errors import ClusterError
from postrender.models import (
    Absent,
    Connection,
    Found,
    GroupVersionKind,
    LiveObject,
    NotServed,
    ReleaseName,
    Resource,
    Unknown,
)
from tests.e2e import kinds
from tests.e2e.api import ApiError, Namespace, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, SERVICE, STABLE_FLAG, STABLE_SHIRT, Kind

API_SERVICE = Kind("apiregistration.k8s.io", "v1", "APIService", "apiservices", namespaced=False)
BROKEN = GroupVersionKind("broken.example.com", "v1", "Thing")


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Cluster:
    return connect(Connection(kubeconfig=str(control_plane.kubeconfig)))


def resource(kind: Kind) -> Resource:
    return Resource(GroupVersionKind(kind.group, kind.version, kind.kind), kind.plural, kind.namespaced, False)


def wanted(kind: Kind, namespace: Namespace, name: str, *, body: bool = False) -> ObjectLookup:
    return ObjectLookup(resource(kind), namespace.name if kind.namespaced else "", name, body)


def live(cluster: Cluster, kind: Kind, namespace: Namespace, name: str, *, body: bool = False) -> LiveObject:
    (found,) = cluster.get_objects([wanted(kind, namespace, name, body=body)])
    assert isinstance(found, Found)
    return found.live


class TestDiscovery:
    def test_custom_kinds(self, cluster: Cluster) -> None:
        found = cluster.resolve_kinds(resource(kind).gvk for kind in kinds.CUSTOM)
        assert found == {resource(kind).gvk: resource(kind) for kind in kinds.CUSTOM}

    def test_the_table_of_built_in_kinds_agrees(self, cluster: Cluster) -> None:
        """Every kind in a version that this server has by default; CSINode has a status since Kubernetes 1.37."""
        versions = {
            "": "v1",
            "apps": "v1",
            "autoscaling": "v2",
            "batch": "v1",
            "networking.k8s.io": "v1",
            "policy": "v1",
            "rbac.authorization.k8s.io": "v1",
            "storage.k8s.io": "v1",
            "apiextensions.k8s.io": "v1",
            "apiregistration.k8s.io": "v1",
            "admissionregistration.k8s.io": "v1",
            "scheduling.k8s.io": "v1",
            "coordination.k8s.io": "v1",
        }
        table = json.loads((Path(builtin_kinds.__file__).parent / "builtin_kinds.json").read_text())
        gvks = [GroupVersionKind(group, versions[group], kind) for group, kind, *_ in table if group in versions]
        served = {gvk: found for gvk, found in cluster.resolve_kinds(gvks).items() if isinstance(found, Resource)}
        assert len(served) >= 45
        differ = {gvk for gvk, found in served.items() if found != builtin_kinds.builtin_resource(gvk)}
        assert differ <= {GroupVersionKind("storage.k8s.io", "v1", "CSINode")}

    @pytest.mark.parametrize(
        ("api_version", "kind"),
        [
            ("apps/v1beta1", "Deployment"),
            ("stable.example.com/v3", "Shirt"),
            ("nowhere.example.com/v1", "Shirt"),
            ("v1", "Shirt"),
            ("v2", "ConfigMap"),
        ],
    )
    def test_not_served(self, cluster: Cluster, api_version: str, kind: str) -> None:
        gvk = GroupVersionKind.parse(api_version, kind)
        assert cluster.resolve_kinds([gvk]) == {gvk: NotServed()}

    def test_kinds_that_cannot_be_read_are_unknown(self, cluster: Cluster) -> None:
        gvk = GroupVersionKind("authentication.k8s.io", "v1", "TokenReview")
        assert isinstance(cluster.resolve_kinds([gvk])[gvk], Unknown)

    @pytest.fixture
    def broken(self, control_plane: ControlPlane, cluster: Cluster) -> Iterator[None]:
        """An aggregated API behind which there is nothing."""
        name = f"{BROKEN.version}.{BROKEN.group}"
        spec = {
            "group": BROKEN.group,
            "version": BROKEN.version,
            "groupPriorityMinimum": 1000,
            "versionPriority": 15,
            "service": {"name": "none", "namespace": "default"},
            "insecureSkipTLSVerify": True,
        }
        control_plane.api.request("POST", API_SERVICE.path(""), {"metadata": {"name": name}, "spec": spec})
        try:
            yield
        finally:
            control_plane.api.request("DELETE", API_SERVICE.path("", name))
            wait_until(lambda: cluster.resolve_kinds([BROKEN]) == {BROKEN: NotServed()}, "the broken API to go away")

    @pytest.mark.usefixtures("broken")
    def test_an_aggregated_api_that_does_not_answer_is_unknown(
        self, control_plane: ControlPlane, cluster: Cluster
    ) -> None:
        stale = Unknown(
            "what the server knows of broken.example.com/v1 is stale: its API server does not answer",
            (f"kubectl get apiservices v1.broken.example.com --kubeconfig {control_plane.kubeconfig}",),
        )
        wait_until(lambda: cluster.resolve_kinds([BROKEN])[BROKEN] == stale, "the API to be known as stale")


class TestReads:
    def test_what_is_there_and_what_is_not(self, cluster: Cluster, namespace: Namespace) -> None:
        made = namespace.create(manifest(STABLE_SHIRT, "shirt", {"color": "blue"}), STABLE_SHIRT)
        questions = [wanted(kind, namespace, "shirt") for kind in (STABLE_SHIRT, BETA_SHIRT, CONFIG_MAP)]
        stable, beta, other = cluster.get_objects(questions)
        assert isinstance(stable, Found)
        assert (stable.live.uid, stable.live.body) == (made["metadata"]["uid"], None)
        assert (beta, other) == (Absent(), Absent())
        assert live(cluster, STABLE_SHIRT, namespace, "shirt", body=True).body == made

    def test_a_namespace_that_is_not_there(self, cluster: Cluster) -> None:
        assert cluster.get_objects([ObjectLookup(resource(CONFIG_MAP), "no-such-namespace", "a", False)]) == [Absent()]

    @pytest.mark.parametrize("name", ["..", ".", "a/b", "a b", "a%2fb"])
    def test_a_name_that_no_object_can_have(self, cluster: Cluster, namespace: Namespace, name: str) -> None:
        (answer,) = cluster.get_objects([wanted(CONFIG_MAP, namespace, name)])
        assert not isinstance(answer, Found)

    def test_someone_without_rights(self, control_plane: ControlPlane, namespace: Namespace) -> None:
        user = control_plane.user(namespace)
        (answer,) = connect(Connection(kubeconfig=str(user.kubeconfig))).get_objects(
            [wanted(STABLE_SHIRT, namespace, "shirt")]
        )
        assert isinstance(answer, Unknown)
        assert answer.reason.startswith("no right to get shirts.stable.example.com (403): ")
        assert f'User "{user.name}" cannot get resource "shirts"' in answer.reason

    def test_someone_unknown(self, control_plane: ControlPlane, namespace: Namespace) -> None:
        stranger = Connection(kubeconfig=str(control_plane.kubeconfig), token="nobody")
        (answer,) = connect(stranger).get_objects([wanted(CONFIG_MAP, namespace, "a")])
        assert isinstance(answer, Unknown)
        assert answer.reason == "the server does not accept our credentials (401): Unauthorized"

    def test_impersonation(self, control_plane: ControlPlane, namespace: Namespace) -> None:
        mark = control_plane.audit.mark()
        someone = Connection(
            kubeconfig=str(control_plane.kubeconfig), as_user="jane", as_groups=("system:masters", "tailors")
        )
        assert connect(someone).get_objects([wanted(CONFIG_MAP, namespace, "a")]) == [Absent()]
        assert [each.agent for each in control_plane.audit.since(mark, namespace=namespace.name)] == ["postrender"]

    def test_reads_are_reads(self, control_plane: ControlPlane, cluster: Cluster, namespace: Namespace) -> None:
        mark = control_plane.audit.mark()
        cluster.resolve_kinds([resource(STABLE_SHIRT).gvk, resource(CONFIG_MAP).gvk])
        cluster.get_objects([wanted(CONFIG_MAP, namespace, f"c{place}", body=bool(place % 2)) for place in range(10)])
        cluster.get_revisions(ReleaseName(namespace.name, "r"), manifest=True, driver="secret")
        asked = control_plane.audit.since(mark)
        assert {each.verb for each in asked if each.agent == "postrender"} == {"get", "list"}
        assert len([each for each in asked if each.namespace == namespace.name]) == 2

    @pytest.mark.parametrize("kind", [CONFIG_MAP, STABLE_SHIRT])
    def test_a_list_tells_the_same(
        self, control_plane: ControlPlane, cluster: Cluster, namespace: Namespace, kind: Kind
    ) -> None:
        for place in (3, 7):
            namespace.create(manifest(kind, f"c{place}", {"color": "blue"}, labels={"a": "b"}), kind)
        questions = [wanted(kind, namespace, f"c{place}", body=place == 7) for place in range(40)]
        one_by_one = [cluster.get_objects([question])[0] for question in questions]
        mark = control_plane.audit.mark()
        assert cluster.get_objects(questions) == one_by_one
        asked = control_plane.audit.since(mark, namespace=namespace.name)
        assert [(each.verb, each.name) for each in asked] == [("list", ""), ("get", "c7")]
        assert sum(isinstance(each, Found) for each in one_by_one) == 2

    @pytest.mark.parametrize("kind", [CONFIG_MAP, SERVICE, STABLE_SHIRT], ids=["ConfigMap", "Service", "Shirt"])
    def test_a_list_of_whole_objects_tells_the_same(
        self, control_plane: ControlPlane, cluster: Cluster, namespace: Namespace, kind: Kind
    ) -> None:
        content = {"clusterIP": "None", "ports": [{"port": 80}]} if kind is SERVICE else {"color": "blue"}
        for place in range(25):
            namespace.create(manifest(kind, f"c{place}", content, labels={"a": "b"}), kind)
        questions = [wanted(kind, namespace, f"c{place}", body=True) for place in range(30)]
        one_by_one = [cluster.get_objects([question])[0] for question in questions]
        mark = control_plane.audit.mark()
        assert cluster.get_objects(questions) == one_by_one
        asked = control_plane.audit.since(mark, namespace=namespace.name)
        assert [each.verb for each in asked] == ["list", "list"]
        assert sum(isinstance(each, Found) for each in one_by_one) == 25


class TestStamps:
    def test_a_stamp_is_three_values(self, control_plane: ControlPlane, cluster: Cluster, namespace: Namespace) -> None:
        release = ReleaseName(namespace.name, "r")
        before = namespace.create(manifest(STABLE_SHIRT, "shirt", {"color": "blue"}, labels={"a": "b"}), STABLE_SHIRT)
        mark = control_plane.audit.mark()
        found = live(cluster, STABLE_SHIRT, namespace, "shirt", body=True)
        stamped = cluster.set_ownership(found, resource(STABLE_SHIRT), release)
        after = namespace.found(STABLE_SHIRT, "shirt")
        assert stamped.body == after
        assert (stamped.owner, stamped.managed_by_helm, stamped.uid) == (release, True, before["metadata"]["uid"])
        assert after["spec"] == before["spec"]
        assert namespace.labels(STABLE_SHIRT, "shirt") == {"a": "b", "app.kubernetes.io/managed-by": "Helm"}
        assert [each.verb for each in control_plane.audit.writes(mark, namespace=namespace.name)] == ["patch"]
        assert [each["manager"] for each in after["metadata"]["managedFields"]] == ["kubectl-create", "postrender"]

    def test_a_cluster_scoped_object(self, cluster: Cluster, namespace: Namespace) -> None:
        namespace.create(manifest(STABLE_FLAG, namespace.name, {"color": "red"}), STABLE_FLAG)
        release = ReleaseName(namespace.name, "r")
        stamped = cluster.set_ownership(
            live(cluster, STABLE_FLAG, namespace, namespace.name), resource(STABLE_FLAG), release
        )
        assert (stamped.owner, stamped.body) == (release, None)

    @pytest.mark.parametrize("change", ["patched", "made anew"])
    def test_an_object_that_changed_is_not_stamped(self, cluster: Cluster, namespace: Namespace, change: str) -> None:
        namespace.create(manifest(CONFIG_MAP, "c", {"a": "1"}), CONFIG_MAP)
        found = live(cluster, CONFIG_MAP, namespace, "c")
        if change == "patched":
            namespace.patch(CONFIG_MAP, "c", {"data": {"a": "2"}})
        else:
            namespace.delete(CONFIG_MAP, "c")
            namespace.create(manifest(CONFIG_MAP, "c", {"a": "1"}), CONFIG_MAP)
        with pytest.raises(ClusterError, match="it changed since it was read, so it was not given ownership metadata"):
            cluster.set_ownership(found, resource(CONFIG_MAP), ReleaseName(namespace.name, "r"))
        assert namespace.owner(CONFIG_MAP, "c") == ""

    def test_an_object_that_went_away_is_not_made(self, cluster: Cluster, namespace: Namespace) -> None:
        namespace.create(manifest(CONFIG_MAP, "c", {"a": "1"}), CONFIG_MAP)
        found = live(cluster, CONFIG_MAP, namespace, "c")
        namespace.delete(CONFIG_MAP, "c")
        with pytest.raises(
            ClusterError,
            match=r"could not be given ownership metadata for release .*: the server answers 404: configmaps \"c\" not",
        ):
            cluster.set_ownership(found, resource(CONFIG_MAP), ReleaseName(namespace.name, "r"))
        assert namespace.get(CONFIG_MAP, "c") is None

    def test_a_server_side_apply_of_the_same_stamps_meets_no_conflict(
        self, cluster: Cluster, namespace: Namespace
    ) -> None:
        """As Helm 4 does it, with its field manager; other values would be a conflict."""
        namespace.create(manifest(CONFIG_MAP, "c"), CONFIG_MAP)
        release = ReleaseName(namespace.name, "r")
        cluster.set_ownership(live(cluster, CONFIG_MAP, namespace, "c"), resource(CONFIG_MAP), release)

        def desired(name: str) -> dict[str, object]:
            return manifest(
                CONFIG_MAP,
                "c",
                {"a": "1"},
                labels={"app.kubernetes.io/managed-by": "Helm"},
                annotations={
                    "meta.helm.sh/release-name": name,
                    "meta.helm.sh/release-namespace": namespace.name,
                },
            )

        namespace.apply(desired("r"), CONFIG_MAP, "helm")
        with pytest.raises(ApiError, match=r"FieldManagerConflict"):
            namespace.apply(desired("else"), CONFIG_MAP, "another")

    @pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
    def test_helm_adopts_what_is_stamped(
        self, cluster: Cluster, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        namespace.create(manifest(CONFIG_MAP, "c", {"a": "1"}), CONFIG_MAP)
        a_chart = chart(tmp_path, {"c": manifest(CONFIG_MAP, "c", {"a": "1"})})
        assert "cannot be imported into the current release" in helm(version).install("r", a_chart).error
        helm(version).uninstall("r")
        cluster.set_ownership(
            live(cluster, CONFIG_MAP, namespace, "c"), resource(CONFIG_MAP), ReleaseName(namespace.name, "r")
        )
        helm(version).install("r", a_chart).expect_ok()
        assert namespace.owner(CONFIG_MAP, "c") == "r"


class TestReleases:
    @pytest.mark.parametrize(("version", "method"), [("3.9.4", ""), ("3.12.3", ""), ("3.21.4", ""), ("4.3.1", "ssa")])
    @pytest.mark.parametrize("driver", ["secret", "configmap"])
    def test_what_helm_stores(
        self,
        cluster: Cluster,
        helm: HelmFactory,
        namespace: Namespace,
        tmp_path: Path,
        version: str,
        method: str,
        driver: str,
    ) -> None:
        it, env = helm(version), {"HELM_DRIVER": driver}
        name = ReleaseName(namespace.name, "r")
        good = chart(tmp_path, {"c": manifest(CONFIG_MAP, "c", {"a": "1"})})
        bad = chart(tmp_path, {"c": manifest(CONFIG_MAP, "c", {"a": [1]})})
        assert cluster.get_revisions(name, manifest=True, driver=driver) == ()
        it.install("r", good, env=env).expect_ok()
        it.upgrade("r", good, env=env).expect_ok()
        assert not it.upgrade("r", bad, "--disable-openapi-validation", env=env).ok
        found = cluster.get_revisions(name, manifest=True, driver=driver)
        assert isinstance(found, tuple)
        assert [(each.revision, each.status) for each in found] == [(1, "superseded"), (2, "deployed"), (3, "failed")]
        assert [each.manifest is None for each in found] == [True, False, False]
        assert [each.apply_method for each in found] == ["", method, method]
        assert "kind: ConfigMap" in (found[1].manifest or "")
        short = cluster.get_revisions(name, manifest=False, driver=driver)
        assert isinstance(short, tuple)
        assert [(each.revision, each.status) for each in short] == [(each.revision, each.status) for each in found]
        it.run("uninstall", "r", "--keep-history", env=env).expect_ok()
        kept = cluster.get_revisions(name, manifest=True, driver=driver)
        assert isinstance(kept, tuple)
        assert (kept[-1].revision, kept[-1].status) == (3, "uninstalled")

    def test_many_revisions(
        self, cluster: Cluster, helm: HelmFactory, namespace: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("postrender.cluster.reads.PAGE", 2)
        a_chart = chart(tmp_path, {"c": manifest(CONFIG_MAP, "c", {"a": "1"})})
        for _ in range(5):
            helm("3.21.4").upgrade("r", a_chart, "--install").expect_ok()
        found = cluster.get_revisions(ReleaseName(namespace.name, "r"), manifest=False, driver="secret")
        assert isinstance(found, tuple)
        assert [each.revision for each in found] == [1, 2, 3, 4, 5]
