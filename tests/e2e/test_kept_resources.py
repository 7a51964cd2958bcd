"""The main job: what ``helm uninstall`` kept, the next ``helm install`` takes back, through the filter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, HelmFactory, executable
from tests.e2e.kinds import (
    BETA_FLAG,
    BETA_SHIRT,
    CONFIG_MAP,
    CUSTOM_CONFIG_MAP,
    GAMMA_SHIRT,
    STABLE_FLAG,
    STABLE_SHIRT,
    Kind,
)

pytestmark = pytest.mark.one_in(2)

LABEL = "postrender/group-kind"
VERSIONS = ("3.12.3", "3.17.3", "3.21.4", "4.3.1")


def kept(folder: Path, contents: dict[Kind, Any], name: str = "shirt", namespace: str = "") -> Path:
    """A chart of kept objects of one name, applied in the order given."""
    return chart(
        folder,
        {
            f"{index}-{kind.group or 'core'}": manifest(kind, name, content, keep=True, namespace=namespace)
            for index, (kind, content) in enumerate(contents.items())
        },
    )


def pins(namespace: Namespace, release: str = "r") -> int:
    """How many documents of the newest stored revision hold a resourceVersion."""
    return namespace.releases(release)[-1].manifest.count("resourceVersion:")


class Recorded:
    """The project's filter behind a script that notes its exit code and stderr, which Helm 4 throws away."""

    def __init__(self, folder: Path) -> None:
        self._code, self._stderr = folder / "exit-code", folder / "stderr"
        self.program = folder / "recorded"
        self.program.write_text(
            f'#!/bin/sh\n{executable(folder)} "$@" 2>{self._stderr}\necho $? >{self._code}\nexit $(cat {self._code})\n'
        )
        self.program.chmod(0o755)

    def filter(self, *arguments: str) -> Filter:
        return Filter(arguments, self.program)

    @property
    def exit_code(self) -> int:
        return int(self._code.read_text())

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_two_groups_with_one_kind(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    both = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green", "size": "L"}})
    it.install("r", both).expect_ok()
    uids = {kind: namespace.uid(kind, "shirt") for kind in (BETA_SHIRT, STABLE_SHIRT)}
    it.uninstall("r").expect_ok()
    it.install("r", both, filter=True).expect_ok()
    assert {kind: namespace.uid(kind, "shirt") for kind in uids} == uids
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue"}
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green", "size": "L"}
    assert pins(namespace) == (1 if version == "3.12.3" else 0)
    assert [each.status for each in namespace.releases("r")] == ["deployed"]


BUILT_IN_FIRST = {CONFIG_MAP: {"a": "1"}, CUSTOM_CONFIG_MAP: {"color": "blue"}}
CUSTOM_FIRST = {CUSTOM_CONFIG_MAP: {"color": "blue"}, CONFIG_MAP: {"a": "1"}}
THREE_GROUPS = {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green"}, GAMMA_SHIRT: {"size": "M"}}


@pytest.mark.parametrize(
    ("contents", "expected_pins"),
    [
        pytest.param(BUILT_IN_FIRST, 1, id="built in, then custom"),
        # The API server takes an update of a ConfigMap without a resourceVersion, so Helm alone succeeds as well.
        pytest.param(CUSTOM_FIRST, 0, id="custom, then built in"),
        pytest.param(THREE_GROUPS, 2, id="three groups"),
    ],
)
@pytest.mark.parametrize("name", ["shirt", "shirt-" + "x" * 194])
def test_other_collisions(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, contents: dict[Kind, Any], expected_pins: int, name: str
) -> None:
    it = helm("3.12.3")
    all_of_them = kept(tmp_path, contents, name)
    it.install("r", all_of_them).expect_ok()
    uids = {kind: namespace.uid(kind, name) for kind in contents}
    it.uninstall("r").expect_ok()
    alone = it.install("r", all_of_them)
    assert ("must be specified for an update" in alone.error) is (expected_pins > 0)
    it.uninstall("r").expect_ok()
    it.install("r", all_of_them, filter=True).expect_ok()
    assert {kind: namespace.uid(kind, name) for kind in contents} == uids
    assert {kind: namespace.content(kind, name) for kind in contents} == contents
    assert pins(namespace) == expected_pins


def test_cluster_scoped_kinds(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    name = namespace.name
    both = kept(tmp_path, {BETA_FLAG: {"color": "blue"}, STABLE_FLAG: {"color": "green"}}, name)
    it.install("r", both).expect_ok()
    uids = {kind: namespace.uid(kind, name) for kind in (BETA_FLAG, STABLE_FLAG)}
    it.uninstall("r").expect_ok()
    it.install("r", both, filter=True).expect_ok()
    assert {kind: namespace.uid(kind, name) for kind in uids} == uids
    assert pins(namespace) == 1


def test_one_name_in_two_namespaces_is_no_collision(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    other = control_plane.namespace(f"{namespace.name}-other")
    apart = chart(
        tmp_path,
        {
            "a": manifest(BETA_SHIRT, "shirt", {"color": "blue"}, keep=True),
            "b": manifest(STABLE_SHIRT, "shirt", {"color": "green"}, keep=True, namespace=other.name),
        },
    )
    it = helm("3.12.3")
    it.install("r", apart).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", apart, filter=True).expect_ok()
    assert pins(namespace) == 0
    assert LABEL not in namespace.releases("r")[-1].manifest


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_the_release_can_be_upgraded_afterwards(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    old = helm("3.12.3")
    before = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green", "size": "M"}})
    after = kept(tmp_path, {BETA_SHIRT: {"color": "red"}, STABLE_SHIRT: {"color": "black", "size": "L"}})
    old.install("r", before).expect_ok()
    old.uninstall("r").expect_ok()
    old.install("r", before, filter=True).expect_ok()
    assert pins(namespace) == 1
    for chart_ in (after, before, after):
        helm(version).upgrade("r", chart_, filter=True).expect_ok()
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "red"}
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black", "size": "L"}
    assert [each.status for each in namespace.releases("r")] == ["superseded"] * 3 + ["deployed"]


def test_an_upgrade_that_would_leave_a_field_behind_is_refused(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.12.3")
    before = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green", "size": "M"}})
    after = kept(tmp_path, {BETA_SHIRT: {"color": "red"}, STABLE_SHIRT: {"color": "black"}})
    it.install("r", before).expect_ok()
    refused = it.upgrade("r", after, filter=True)
    assert "exit status 4" in refused.stderr
    assert (
        "compares it with the object of this name in another group: 1 field would be wrong afterwards (PR205)"
        in refused.stderr
    )
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "green", "size": "M"}
    it.upgrade("r", after).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black", "size": "M"}, "Helm alone left the size"
    it.upgrade("r", after, "--force", filter=True).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black"}


DRIFT = {"3.12.3": (), "3.17.3": (), "3.21.4": (), "4.3.1": ("--server-side=false",)}


@pytest.mark.parametrize("version", DRIFT)
def test_what_helm_will_not_apply_is_stored_and_the_next_upgrade_applies_it(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    before = kept(tmp_path, {BETA_SHIRT: {"color": "blue", "size": "M"}})
    after = kept(tmp_path, {BETA_SHIRT: {"color": "red", "new": {"a": ["b"]}}})
    it.install("r", before, *DRIFT[version]).expect_ok()
    it.uninstall("r").expect_ok()
    it.install("r", after, *DRIFT[version], filter=True).expect_ok()
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue", "size": "M"}
    it.upgrade("r", after, filter=True).expect_ok()
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "red", "new": {"a": ["b"]}}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_orphan_is_adopted_only_when_allowed(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    shirt = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}, CONFIG_MAP: {"a": "1"}})
    it.install("old", shirt).expect_ok()
    uid = namespace.uid(BETA_SHIRT, "shirt")
    it.uninstall("old").expect_ok()
    recorded = Recorded(tmp_path)
    assert not it.install("new", shirt, filter=recorded.filter()).ok
    assert namespace.releases("new") == []
    assert namespace.owner(BETA_SHIRT, "shirt") == "old"
    gone = f"owned by uninstalled release {namespace.name}/old"
    assert recorded.exit_code == 4
    assert f"shirts.beta.example.com/{namespace.name}/shirt: {gone}" in recorded.stderr
    assert f"configmaps/{namespace.name}/shirt: {gone}" in recorded.stderr
    assert "--adopt=orphans" in recorded.stderr
    it.install("new", shirt, filter=Filter(("--adopt=orphans",))).expect_ok()
    assert namespace.owner(BETA_SHIRT, "shirt") == "new"
    assert namespace.owner(CONFIG_MAP, "shirt") == "new"
    assert namespace.uid(BETA_SHIRT, "shirt") == uid


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_written_in_a_dry_run(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    shirt = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}})
    it.install("old", shirt).expect_ok()
    it.uninstall("old").expect_ok()
    mark = control_plane.audit.mark()
    dry = "--dry-run=server" if version != "3.12.3" else "--dry-run"
    it.install("new", shirt, dry, filter=Filter(("--adopt=orphans",)))
    it.template("new", shirt, filter=Filter(("--adopt=orphans",))).expect_ok()
    assert control_plane.audit.writes(mark, namespace=namespace.name) == []
    assert namespace.owner(BETA_SHIRT, "shirt") == "old"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_living_owner_keeps_its_object(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    shirt = kept(tmp_path, {CONFIG_MAP: {"a": "1"}})
    it.install("old", shirt).expect_ok()
    flags: list[tuple[str, ...]] = [()]
    if version != "3.12.3":
        flags.append(("--take-ownership",))
    recorded = Recorded(tmp_path)
    alive = f"owned by installed release {namespace.name}/old; not adopted (PR101)"
    for given in flags:
        assert not it.install("new", shirt, *given, filter=recorded.filter("--adopt=orphans,unmanaged")).ok
        assert recorded.exit_code == 4
        assert f"configmaps/{namespace.name}/shirt: {alive}" in recorded.stderr
        assert namespace.owner(CONFIG_MAP, "shirt") == "old"
        assert namespace.releases("new") == []


def test_an_unmanaged_object_is_adopted_only_when_allowed(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.12.3")
    namespace.kubectl_apply(manifest(CONFIG_MAP, "shirt", {"a": "1"}), CONFIG_MAP)
    shirt = kept(tmp_path, {CONFIG_MAP: {"a": "2"}})
    refused = it.install("r", shirt, filter=Filter(("--adopt=orphans",)))
    assert "exit status 4" in refused.stderr
    assert "exists and has no Helm owner" in refused.stderr
    it.install("r", shirt, filter=Filter(("--adopt=unmanaged",))).expect_ok()
    assert namespace.content(CONFIG_MAP, "shirt") == {"a": "2"}
    assert namespace.owner(CONFIG_MAP, "shirt") == "r"


def test_a_group_the_caller_may_not_read(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    admin = helm("3.12.3")
    both = kept(tmp_path, {BETA_SHIRT: {"color": "blue"}, STABLE_SHIRT: {"color": "green"}})
    admin.install("r", both).expect_ok()
    admin.uninstall("r").expect_ok()
    user = control_plane.user(
        namespace,
        [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
            {"apiGroups": ["beta.example.com"], "resources": ["shirts"], "verbs": ["*"]},
        ],
    )
    run = helm("3.12.3", user).install("r", both, filter=True)
    assert "exit status 5" in run.stderr
    assert f"shirts.stable.example.com/{namespace.name}/shirt: could not be looked up in " in run.stderr
    assert f"kubectl auth can-i get shirts.stable.example.com/shirt -n {namespace.name}" in run.stderr
    assert namespace.releases("r") == []
