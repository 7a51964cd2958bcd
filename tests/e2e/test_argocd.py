"""From Argo CD to Helm and back: what the plugin prints is applied as Argo CD does, and adopted by the real Helm."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.test_argocd import EXAMPLE, Ended, command
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT
from tests.tools.assets import KUBERNETES

ARGOCD = "argocd-controller"
"""The field manager of Argo CD's server-side apply (``ArgoCDSSAManager``, common/common.go)."""

ADOPTED_AS_IT_IS = ("3.12.3", "3.16.4", "3.17.0", "3.21.4", "4.3.1")


def shop(folder: Path, size: str = "M") -> Path:
    return chart(
        folder,
        {
            "stable": manifest(STABLE_SHIRT, "shirt", {"size": size}, keep=True),
            "beta": manifest(BETA_SHIRT, "shirt", {"size": size}, keep=True),
            "sizes": manifest(CONFIG_MAP, "sizes", {"size": size}),
        },
    )


def generate(folder: Path, namespace: Namespace, helm: Path, *flags: str, **environ: str) -> Ended:
    told = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{helm.parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(folder.parent),
        "ARGOCD_APP_NAME": "shop",
        "ARGOCD_APP_NAMESPACE": namespace.name,
        "KUBE_VERSION": KUBERNETES,
        "KUBE_API_VERSIONS": "v1,v1/ConfigMap",
        **environ,
    }
    return command({"command": ["postrender", "argocd", "generate", *flags]}, folder, told)


def apply(namespace: Namespace, ended: Ended) -> None:
    """Server-side, as an Application with ``ServerSideApply=true`` is synced."""
    assert ended.code == 0, ended.stderr
    kinds = {kind.api_version + kind.kind: kind for kind in (STABLE_SHIRT, BETA_SHIRT, CONFIG_MAP)}
    for body in yaml.safe_load_all(ended.stdout):
        namespace.apply(body, kinds[body["apiVersion"] + body["kind"]], ARGOCD, force=True)


@pytest.mark.parametrize("version", ADOPTED_AS_IT_IS)
def test_what_argo_cd_applied_with_stamps_helm_adopts(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    folder = shop(tmp_path)
    apply(namespace, generate(folder, namespace, program("helm@3.21.4"), "--stamp=all"))
    before = {kind: namespace.uid(kind, "shirt") for kind in (STABLE_SHIRT, BETA_SHIRT)}
    it = helm(version)
    it.install("shop", folder, filter=True).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in before} == before
    assert namespace.content(STABLE_SHIRT, "shirt") == namespace.content(BETA_SHIRT, "shirt") == {"size": "M"}
    assert namespace.owner(CONFIG_MAP, "sizes") == "shop"


def test_without_stamps_helm_does_not(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    folder = shop(tmp_path)
    apply(namespace, generate(folder, namespace, program("helm@3.21.4")))
    assert "invalid ownership metadata" in helm("3.21.4").install("shop", folder).error


def test_what_helm_kept_argo_cd_takes_over(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    it = helm("3.21.4")
    it.install("shop", shop(tmp_path), filter=True).expect_ok()
    look_up = {"POSTRENDER_KUBECONFIG": str(control_plane.kubeconfig)}
    held = generate(shop(tmp_path, "L"), namespace, it.binary, **look_up)
    assert held.code == 0, held.stderr
    assert held.stderr.count("(PR603)") == 3
    it.uninstall("shop").expect_ok()
    taken = generate(shop(tmp_path, "L"), namespace, it.binary, "--verbose", **look_up)
    assert taken.stderr.count("(PR601)") == 2, taken.stderr
    assert taken.stderr.count("(PR602)") == 2
    before = namespace.uid(STABLE_SHIRT, "shirt")
    apply(namespace, taken)
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "L"}
    assert namespace.uid(STABLE_SHIRT, "shirt") == before


def test_what_a_living_release_owns_argo_cd_is_not_given(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    it = helm("3.21.4")
    it.install("other", shop(tmp_path), filter=True).expect_ok()
    done = generate(shop(tmp_path), namespace, it.binary, POSTRENDER_KUBECONFIG=str(control_plane.kubeconfig))
    assert (done.code, done.stdout) == (4, "")
    assert f"owned by installed release {namespace.name}/other; not adopted (PR101)" in done.stderr


def test_a_destination_whose_patch_release_is_not_named_is_the_same_cluster(
    namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """As Argo CD 3.2.6 names it."""
    look_up = {"POSTRENDER_KUBECONFIG": str(control_plane.kubeconfig), "KUBE_VERSION": KUBERNETES.rpartition(".")[0]}
    done = generate(shop(tmp_path), namespace, program("helm@3.21.4"), **look_up)
    assert done.code == 0, done.stderr


def test_a_destination_of_another_version_is_another_cluster(
    namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    done = generate(
        shop(tmp_path),
        namespace,
        program("helm@3.21.4"),
        POSTRENDER_KUBECONFIG=str(control_plane.kubeconfig),
        KUBE_VERSION="1.29.1",
    )
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.startswith("error: Application shop: its destination runs Kubernetes 1.29.1, and ")
    assert done.stderr.endswith(
        f"runs {KUBERNETES}: it is another cluster\n"
        "note: set look-up only if Argo CD deploys to one cluster, and give it credentials for that cluster\n"
    )


def test_the_rights_of_the_example_suffice(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """``rbac.yaml``, with the namespace of the test: every object is looked up, and whose it is, is known."""
    bodies = list(yaml.safe_load_all((EXAMPLE / "rbac.yaml").read_text()))
    rules = {body["kind"]: body["rules"] for body in bodies if "rules" in body}
    assert all("*" not in values for each in rules.values() for rule in each for values in rule.values())
    user = control_plane.user(namespace, rules["Role"], rules["ClusterRole"])
    look_up = {"POSTRENDER_KUBECONFIG": str(user.kubeconfig)}
    folder = tmp_path / "chart"
    shutil.copytree(EXAMPLE / "chart", folder)
    given = {"ARGOCD_APP_PARAMETERS": "[]", "POSTRENDER_VERBOSE": "true"}
    new = generate(folder, namespace, program("helm@3.21.4"), **look_up, **given)
    assert (new.code, new.stderr.count("(PR601)")) == (0, 1), new.stderr
    helm("3.21.4").install("other", folder, "--skip-crds", filter=True).expect_ok()
    done = generate(folder, namespace, program("helm@3.21.4"), **look_up, **given)
    assert (done.code, done.stdout) == (4, "")
    assert f"owned by installed release {namespace.name}/other; not adopted (PR101)" in done.stderr
