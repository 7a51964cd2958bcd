"""Helm without postrender: facts about each version that the rest of the project builds on, held against the program.

They also prove the harness: where one of these fails, no other end-to-end test means anything.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.api import VERSION_MISSING, Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, CUSTOM_CONFIG_MAP, STABLE_FLAG, STABLE_SHIRT

MUST_BE_SPECIFIED = (
    'Error: INSTALLATION FAILED: cannot patch "shirt" with kind {kind}: {resource} "shirt" is invalid: '
    + VERSION_MISSING
)


def shirts(folder: Path, beta: dict[str, str], stable: dict[str, str]) -> Path:
    """A chart of two kept Shirts of one name, in two groups; Helm applies beta's first."""
    return chart(
        folder,
        {
            "a-beta": manifest(BETA_SHIRT, "shirt", beta, keep=True),
            "b-stable": manifest(STABLE_SHIRT, "shirt", stable, keep=True),
        },
    )


class TestTwinsOfAnotherGroup:
    """Two kept objects of one Kind and name, in two groups, when the release is installed again."""

    def test_fails_where_helm_compares_the_kind_alone(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path
    ) -> None:
        it = helm("3.12.3")
        both = shirts(tmp_path, {"color": "blue"}, {"color": "green"})
        it.install("r", both).expect_ok()
        it.uninstall("r").expect_ok()
        again = it.install("r", both)
        assert again.error == MUST_BE_SPECIFIED.format(kind="Shirt", resource="shirts.stable.example.com")
        assert again.exit_code == 1
        assert [each.status for each in namespace.releases("r")] == ["failed"]

    @pytest.mark.parametrize("version", ["3.17.3", "3.21.4", "4.3.1"])
    def test_succeeds_where_helm_compares_the_group_too(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
    ) -> None:
        it = helm(version)
        both = shirts(tmp_path, {"color": "blue"}, {"color": "green"})
        it.install("r", both).expect_ok()
        uid = namespace.uid(STABLE_SHIRT, "shirt")
        it.uninstall("r").expect_ok()
        it.install("r", both).expect_ok()
        assert namespace.uid(STABLE_SHIRT, "shirt") == uid
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green"}
        assert [each.status for each in namespace.releases("r")] == ["deployed"]

    def test_an_upgrade_cures_the_failure(self, helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
        it = helm("3.12.3")
        both = shirts(tmp_path, {"color": "blue"}, {"color": "green"})
        it.install("r", both).expect_ok()
        it.uninstall("r").expect_ok()
        assert not it.install("r", both).ok
        it.upgrade("r", shirts(tmp_path, {"color": "red"}, {"color": "black"})).expect_ok()
        assert namespace.content(BETA_SHIRT, "shirt") == {"color": "red"}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black"}

    def test_an_upgrade_after_a_failure_with_changes_cures_half_of_it(
        self, helm: HelmFactory, namespace: Namespace, tmp_path: Path
    ) -> None:
        """The failed revision is what the upgrade compares with: what it had changed counts as done."""
        it = helm("3.12.3")
        it.install("r", shirts(tmp_path, {"color": "blue"}, {"color": "green"})).expect_ok()
        it.uninstall("r").expect_ok()
        changed = shirts(tmp_path, {"color": "red"}, {"color": "black"})
        assert not it.install("r", changed).ok
        assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue"}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green"}
        it.upgrade("r", changed).expect_ok()
        assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue"}
        assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black"}

    def test_a_built_in_kind_beside_a_custom_one(self, helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
        def twins(data: dict[str, str], spec: dict[str, str]) -> Path:
            return chart(
                tmp_path,
                {
                    "a-core": manifest(CONFIG_MAP, "shirt", data, keep=True),
                    "b-custom": manifest(CUSTOM_CONFIG_MAP, "shirt", spec, keep=True),
                },
            )

        it = helm("3.12.3")
        it.install("r", twins({"a": "1"}, {"color": "blue"})).expect_ok()
        it.uninstall("r").expect_ok()
        again = it.install("r", twins({"a": "1"}, {"color": "blue"}))
        assert again.error == MUST_BE_SPECIFIED.format(kind="ConfigMap", resource="configmaps.cm.example.com")
        it.upgrade("r", twins({"a": "2"}, {"color": "red"})).expect_ok()
        assert namespace.content(CONFIG_MAP, "shirt") == {"a": "2"}
        assert namespace.content(CUSTOM_CONFIG_MAP, "shirt") == {"color": "red"}


@pytest.mark.parametrize(
    ("version", "live"),
    [
        ("3.12.3", {"color": "blue", "size": "M"}),
        ("3.21.4", {"color": "blue", "size": "M"}),
        ("4.3.1", {"color": "red"}),
    ],
)
def test_a_kept_custom_resource_of_this_release(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, live: dict[str, str]
) -> None:
    """Helm 3 says ok and changes nothing, and no later upgrade mends it."""
    it = helm(version)
    blue, red = (
        chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", spec, keep=True)})
        for spec in ({"color": "blue", "size": "M"}, {"color": "red"})
    )
    it.install("r", blue).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", red).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == live
    it.upgrade("r", red).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == live


UNMANAGED = (
    'ConfigMap "cfg" in namespace "{namespace}" exists and cannot be imported into the current release: invalid '
    'ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; '
    'annotation validation error: missing key "meta.helm.sh/release-name": must be set to "r"; annotation validation '
    'error: missing key "meta.helm.sh/release-namespace": must be set to "{namespace}"'
)


@pytest.mark.parametrize(
    ("version", "before"),
    [
        ("3.12.3", "rendered manifests contain a resource that already exists. Unable to continue with install"),
        ("3.17.3", "Unable to continue with install"),
        ("3.21.4", "Unable to continue with install"),
        ("4.3.1", "unable to continue with install"),
    ],
)
def test_an_object_without_ownership_metadata(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, before: str
) -> None:
    configuration = manifest(CONFIG_MAP, "cfg", {"a": "1"})
    namespace.kubectl_apply(configuration, CONFIG_MAP)
    done = helm(version).install("r", chart(tmp_path, {"cfg": configuration}))
    assert done.error == f"Error: INSTALLATION FAILED: {before}: {UNMANAGED.format(namespace=namespace.name)}"
    assert namespace.releases("r") == []


@pytest.mark.parametrize("version", ["3.17.3", "3.21.4", "4.3.1"])
def test_take_ownership_takes_from_a_living_release(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    configuration = chart(tmp_path, {"cfg": manifest(CONFIG_MAP, "cfg", {"a": "1"})})
    it.install("old", configuration).expect_ok()
    it.install("new", configuration, "--take-ownership").expect_ok()
    assert namespace.owner(CONFIG_MAP, "cfg") == "new"
    assert [each.status for each in namespace.releases("old")] == ["deployed"]


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_helm_stores_what_the_post_renderer_prints(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """The harness hands over arguments and variables, as a program to Helm 3 and as a plugin to Helm 4."""
    program = tmp_path / "paint"
    program.write_text('#!/bin/sh\nexec sed "s/color: blue/color: $1-$2-$SHADE/"\n')
    program.chmod(0o755)
    blue = chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue"})})
    painted = Filter(("deep", "red"), program)
    helm(version).install("r", blue, filter=painted, env={"SHADE": "dark"}).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "deep-red-dark"}
    (release,) = namespace.releases("r")
    assert "color: deep-red-dark" in release.manifest


def test_a_post_renderer_that_fails(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    program = tmp_path / "no"
    program.write_text("#!/bin/sh\necho 'not today' >&2\nexit 4\n")
    program.chmod(0o755)
    empty = chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue"})})
    three = helm("3.12.3").install("r", empty, filter=Filter(program=program))
    assert three.error == (
        "Error: INSTALLATION FAILED: error while running post render on files: "
        f"error while running command {program}. error output:\nnot today\n: exit status 4"
    )
    four = helm("4.3.1").install("r", empty, filter=Filter(program=program))
    assert four.error == (
        "Error: INSTALLATION FAILED: error while running post render on files: "
        'failed to invoke post-renderer plugin "postrender": plugin "postrender" exited with error'
    )
    assert namespace.releases("r") == []


def test_the_audit_log_tells_what_helm_sent(
    control_plane: ControlPlane, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """The bodies of patches are what the model of Helm is compared with."""
    it = helm("3.12.3")
    it.install("r", chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue", "size": "M"})}))
    mark = control_plane.audit.mark()
    it.upgrade("r", chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "red"})})).expect_ok()
    (patch,) = [
        each
        for each in control_plane.audit.writes(mark, namespace=namespace.name)
        if each.resource == "shirts.stable.example.com"
    ]
    assert (patch.user, patch.verb, patch.name, patch.code) == ("admin", "patch", "shirt", 200)
    assert patch.body == {
        "metadata": {
            "annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": namespace.name},
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
        },
        "spec": {"color": "red", "size": None},
    }
    assert patch.query["fieldManager"] == "helm"


def test_a_user_may_do_what_the_rules_say_and_no_more(
    control_plane: ControlPlane, helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    user = control_plane.user(
        namespace,
        [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "get", "create", "update"]},
            {"apiGroups": ["stable.example.com"], "resources": ["shirts"], "verbs": ["get", "create"]},
        ],
        [{"apiGroups": ["stable.example.com"], "resources": ["flags"], "verbs": ["get"]}],
    )
    it = helm("3.12.3", user=user)
    mark = control_plane.audit.mark()
    it.install("allowed", chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue"})})).expect_ok()
    assert {each.user for each in control_plane.audit.since(mark, namespace=namespace.name)} == {user.name}
    flag = manifest(STABLE_FLAG, namespace.name, {"color": "blue"})
    refused = it.install("refused", chart(tmp_path, {"flag": flag}))
    assert refused.error == (
        "Error: INSTALLATION FAILED: 1 error occurred:\n"
        f'\t* flags.stable.example.com is forbidden: User "{user.name}" cannot create resource "flags" in API group '
        '"stable.example.com" at the cluster scope'
    )
