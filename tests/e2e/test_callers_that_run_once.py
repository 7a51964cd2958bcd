"""Callers that run Helm once and compare only their own inputs afterwards: Terraform, Pulumi, and Ansible's module.

A kept object with a changed chart comes out right in that one run, or the run fails and says why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.callers.pulumi import chart_arguments
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import CONFIG_MAP, STABLE_SHIRT
from tests.tools import ansible

POSTRENDER = Path(sys.executable).with_name("postrender")
TERRAFORM = "terraform-provider-helm_v3.1.2_x5"
PULUMI = "pulumi-resource-kubernetes"


def shop(folder: Path, size: str) -> Path:
    return chart(
        folder,
        {
            "shirt": manifest(STABLE_SHIRT, "shirt", {"size": size}, keep=True),
            "sizes": manifest(CONFIG_MAP, "sizes", {"size": size}),
        },
    )


class Provider:
    """A program with Helm in it, as Terraform and Pulumi start one: it calls postrender with arguments or variables."""

    def __init__(self, name: str, namespace: Namespace, control_plane: ControlPlane, folder: Path) -> None:
        self.path = folder / name
        shutil.copy(program("provider"), self.path)
        self.namespace, self.control_plane, self.folder = namespace, control_plane, folder

    def run(
        self, action: str, folder: Path, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.control_plane.kubeconfig),
        }
        command = [str(self.path), action, "shop", self.namespace.name, str(folder), str(POSTRENDER), *arguments]
        return subprocess.run(command, env={**environ, **(env or {})}, capture_output=True, text=True)


def arguments(namespace: Namespace, control_plane: ControlPlane) -> list[str]:
    """Those of ``examples/terraform/main.tf``, but for the drift."""
    return [
        "--release=shop",
        f"--namespace={namespace.name}",
        f"--kubeconfig={control_plane.kubeconfig}",
        "--helm-version=3.18.6",
        "--action=upgrade-install",
    ]


def variables(given: list[str]) -> dict[str, str]:
    """The same settings for a caller that passes no arguments."""
    pairs = (each.removeprefix("--").split("=", 1) for each in given)
    return {f"POSTRENDER_{name.replace('-', '_').upper()}": value for name, value in pairs}


@pytest.mark.parametrize("name", [TERRAFORM, PULUMI])
def test_a_provider_gets_a_kept_object_right_at_once_or_fails(
    name: str, helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    provider = Provider(name, namespace, control_plane, tmp_path)
    given = arguments(namespace, control_plane)

    def run(action: str, size: str, *more: str) -> subprocess.CompletedProcess[str]:
        settings = [*given, *more]
        if name == TERRAFORM:
            return provider.run(action, shop(tmp_path, size), *settings)
        return provider.run(action, shop(tmp_path, size), env=variables(settings))

    first = run("install", "M")
    assert first.returncode == 0, first.stderr
    (entry,) = namespace.found(STABLE_SHIRT, "shirt")["metadata"]["managedFields"]
    assert entry["manager"] == name
    uid = namespace.uid(STABLE_SHIRT, "shirt")
    helm("3.21.4").uninstall("shop").expect_ok()

    # Nothing was asked for: the old spec would stay for good, so the run fails and names the way out.
    failed = run("install", "L")
    assert failed.returncode == 1
    assert "Helm would report success and leave 1 field of the chart unapplied: spec.size (PR301)" in failed.stderr
    assert "export POSTRENDER_ON_DRIFT=apply" in failed.stderr
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}
    assert namespace.releases("shop") == []

    applied = run("install", "L", "--on-drift=apply")
    assert applied.returncode == 0, applied.stderr
    assert namespace.uid(STABLE_SHIRT, "shirt") == uid
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "L"}
    # Helm finds what it would have written itself, under the name of its program.
    managers = {each["manager"] for each in namespace.found(STABLE_SHIRT, "shirt")["metadata"]["managedFields"]}
    assert managers == {name}

    version = namespace.resource_version(STABLE_SHIRT, "shirt")
    again = run("upgrade", "L", "--on-drift=apply")
    assert again.returncode == 0, again.stderr
    assert namespace.resource_version(STABLE_SHIRT, "shirt") == version


def test_fields_that_left_the_chart_are_those_of_the_providers_own_manager(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """What the provider set and the chart no longer has goes; a field of somebody else stays."""
    provider = Provider(TERRAFORM, namespace, control_plane, tmp_path)
    given = [*arguments(namespace, control_plane), "--on-drift=apply"]
    kept = {"shirt": manifest(STABLE_SHIRT, "shirt", {"size": "M", "color": "red"}, keep=True)}
    assert provider.run("install", chart(tmp_path, kept), *given).returncode == 0
    namespace.patch(STABLE_SHIRT, "shirt", {"spec": {"note": "mine"}}, "kubectl-edit")
    helm("3.21.4").uninstall("shop").expect_ok()
    less = {"shirt": manifest(STABLE_SHIRT, "shirt", {"size": "M"}, keep=True)}
    done = provider.run("install", chart(tmp_path, less), *given)
    assert done.returncode == 0, done.stderr
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M", "note": "mine"}


def test_terraforms_manifest_experiment_needs_what_is_the_same_in_plan_and_apply(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """With ``experiments.manifest`` the plan runs the post-renderer too, and Terraform fails if the two differ."""
    provider = Provider(TERRAFORM, namespace, control_plane, tmp_path)
    given = arguments(namespace, control_plane)
    planned = provider.run("plan", shop(tmp_path, "M"), *given, "--stamp=all")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("meta.helm.sh/release-name:") == 2
    assert provider.run("install", shop(tmp_path, "M"), *given, "--stamp=all").stdout == planned.stdout
    helm("3.21.4").uninstall("shop").expect_ok()

    # Arguments are the same for both: a dry run would not write when Terraform applies either.
    both = provider.run("plan", shop(tmp_path, "L"), *given, "--on-drift=apply", "--dry-run=server")
    assert both.returncode == 1
    assert (
        f"error: --dry-run: --on-drift=apply never writes to live objects, since {TERRAFORM} passes --dry-run in "
        "every run\nnote: remove --on-drift=apply\n" in both.stderr
    )
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}


def rendered_for_pulumi(
    namespace: Namespace, control_plane: ControlPlane, folder: Path, manifests: str
) -> subprocess.CompletedProcess[str]:
    """The filter with the arguments that the page shows for ``helm.sh/v4:Chart``."""
    return subprocess.run(
        [POSTRENDER, *chart_arguments("shop", namespace.name)],
        input=manifests,
        env={"PATH": os.defpath, "HOME": str(folder), "KUBECONFIG": str(control_plane.kubeconfig)},
        capture_output=True,
        text=True,
    )


def test_pulumi_may_apply_other_values_of_a_chart_that_it_renders(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """It applies under a field manager of its own (``fieldManagerName``), whose fields Helm itself would not set."""
    for size in ("M", "L"):
        manifests = helm("4.3.1").template("shop", shop(tmp_path, size)).stdout
        done = rendered_for_pulumi(namespace, control_plane, tmp_path, manifests)
        assert done.returncode == 0, done.stderr
        for body in yaml.safe_load_all(done.stdout):
            kind = CONFIG_MAP if body["kind"] == "ConfigMap" else STABLE_SHIRT
            namespace.apply(body, kind, "pulumi-kubernetes-1a2b3c4d")
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "L"}
    assert namespace.annotations(STABLE_SHIRT, "shirt")["meta.helm.sh/release-name"] == "shop"


def test_pulumi_is_not_given_what_another_release_owns(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    it = helm("4.3.1")
    it.install("old", shop(tmp_path, "M"), filter=True).expect_ok()
    manifests = it.template("shop", shop(tmp_path, "L")).stdout
    refused = rendered_for_pulumi(namespace, control_plane, tmp_path, manifests)
    assert refused.returncode == 4
    assert refused.stdout == ""
    assert f"owned by installed release {namespace.name}/old; not adopted (PR101)" in refused.stderr


PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
  - kubernetes.core.helm:
      name: shop
      release_namespace: "{{ namespace }}"
      chart_ref: "{{ chart }}"
      post_renderer: postrender
    register: done
  - debug: {var: done.stderr}
"""


def test_ansible_gets_a_kept_object_right_at_once_or_fails(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    (tmp_path / "play.yaml").write_text(PLAYBOOK)
    it = helm("3.21.4")
    environ = {
        "PATH": f"{program('helm@3.21.4').parent}:{POSTRENDER.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(control_plane.kubeconfig),
        "LC_ALL": "C.UTF-8",
    }

    def play(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
        extra = json.dumps({"namespace": namespace.name, "chart": str(folder)})
        command = [str(ansible.playbook()), "-e", extra, str(tmp_path / "play.yaml")]
        return subprocess.run(command, env={**environ, **env}, capture_output=True, text=True)

    small, large = shop(tmp_path, "M"), shop(tmp_path, "L")
    first = play(small)
    assert first.returncode == 0, first.stdout
    uid = namespace.uid(STABLE_SHIRT, "shirt")
    it.uninstall("shop").expect_ok()

    failed = play(large)
    assert failed.returncode == 2
    assert "leave 1 field of the chart unapplied: spec.size (PR301)" in failed.stdout
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}

    applied = play(large, POSTRENDER_ON_DRIFT="apply")
    assert applied.returncode == 0, applied.stdout
    assert "1 of 2 objects modified" in applied.stdout, applied.stdout
    assert namespace.uid(STABLE_SHIRT, "shirt") == uid
    assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "L"}

    again = play(large, POSTRENDER_ON_DRIFT="apply")
    assert "changed=0" in again.stdout, again.stdout
    assert [each.revision for each in namespace.releases("shop")] == [1]
