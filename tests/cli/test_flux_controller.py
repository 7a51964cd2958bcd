"""What helm-controller makes of a HelmRelease: action, flags of Helm, storage, and what post-renderers get."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.integrations.flux.controllers import (
    NEWEST,
    Controller,
    Strategy,
    controllers,
    of_version,
    with_helm,
)
from postrender.integrations.flux.helm_release import HelmRelease, read
from postrender.models import ReleaseName, StoredRelease
from tests.cli.test_filter import refused
from tests.cli.test_flux import LIVE, RELEASE, STREAM, done, flux
from tests.plans.test_plans import _secret as a_revision
from tests.tools import assets

MODULE = "github.com/fluxcd/helm-controller"
HELM_4 = with_helm(HelmVersion(4, 2, 2))
HELM_3 = with_helm(HelmVersion(3, 19, 2))
GATED = with_helm(HelmVersion(4, 2, 2), helm3_defaults=True)
ON_THE_SERVER = {"take_ownership": True, "server_side": "true", "force_conflicts": True, "force": False}
BY_THE_CLIENT = {**ON_THE_SERVER, "server_side": "false", "force_conflicts": False}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shirts.yaml"
    path.write_text(RELEASE)
    return path


def helm_release(spec: str) -> HelmRelease:
    text = f"{RELEASE.split('spec:')[0]}spec: {spec}\n"
    return read("release.yaml", text.encode(), None)


def stored(status: str = "deployed", apply_method: str = "") -> StoredRelease:
    return StoredRelease(ReleaseName("prod", "shirts"), 1, status, apply_method=apply_method)


def run(spec: str, own: tuple[StoredRelease, ...], controller: Controller) -> dict[str, Any]:
    invocation = Invocation(controller.helm, Action.UPGRADE_INSTALL, ReleaseName("prod", "shirts"))
    found = helm_release(spec).run(invocation, own, controller)
    fields = ("action", "take_ownership", "server_side", "force_conflicts", "force")
    return {name: getattr(found, name) for name in fields}


@pytest.mark.parametrize(
    ("spec", "controller", "expected"),
    [
        ("{}", HELM_4, ON_THE_SERVER),
        ("{install: {serverSideApply: false}}", HELM_4, BY_THE_CLIENT),
        ("{}", GATED, BY_THE_CLIENT),
        ("{install: {serverSideApply: true}}", GATED, ON_THE_SERVER),
        ("{install: {disableTakeOwnership: true}}", HELM_4, {**ON_THE_SERVER, "take_ownership": False}),
        ("{upgrade: {disableTakeOwnership: true, force: true, serverSideApply: disabled}}", HELM_4, ON_THE_SERVER),
    ],
)
@pytest.mark.parametrize("own", [(), (stored("uninstalled", "ssa"),)])
def test_an_install_goes_by_spec_install(
    spec: str, controller: Controller, expected: dict[str, Any], own: tuple[StoredRelease, ...]
) -> None:
    assert run(spec, own, controller) == {"action": Action.INSTALL, **expected}


@pytest.mark.parametrize(
    ("spec", "method", "controller", "expected"),
    [
        ("{}", "ssa", HELM_4, ON_THE_SERVER),
        ("{}", "ssa", GATED, ON_THE_SERVER),
        ("{}", "", HELM_4, BY_THE_CLIENT),
        ("{}", "csa", HELM_4, BY_THE_CLIENT),
        ("{upgrade: {serverSideApply: auto}}", "csa", HELM_4, BY_THE_CLIENT),
        ("{upgrade: {serverSideApply: enabled}}", "csa", HELM_4, ON_THE_SERVER),
        ("{upgrade: {serverSideApply: disabled}}", "ssa", HELM_4, BY_THE_CLIENT),
        ("{upgrade: {force: true}}", "ssa", HELM_4, ON_THE_SERVER),
        ("{upgrade: {force: true}}", "csa", HELM_4, {**BY_THE_CLIENT, "force": True}),
        ("{upgrade: {force: true}}", "", HELM_3, {**BY_THE_CLIENT, "force": True}),
        ("{upgrade: {disableTakeOwnership: true}}", "ssa", HELM_4, {**ON_THE_SERVER, "take_ownership": False}),
        ("{install: {disableTakeOwnership: true, serverSideApply: false}}", "ssa", HELM_4, ON_THE_SERVER),
    ],
)
@pytest.mark.parametrize("status", ["deployed", "failed", "pending-upgrade"])
def test_an_upgrade_goes_by_spec_upgrade(
    spec: str, method: str, controller: Controller, expected: dict[str, Any], status: str
) -> None:
    own = (stored("superseded", "ssa"), stored(status, method))
    assert run(spec, own, controller) == {"action": Action.UPGRADE, **expected}


@pytest.mark.parametrize(
    ("spec", "version", "strategy"),
    [
        ("{}", "1.6.3", Strategy.COMBINED),
        ("{postRenderStrategy: separate}", "v1.6.0", Strategy.SEPARATE),
        ("{postRenderStrategy: nohooks}", "1.6.3", Strategy.NO_HOOKS),
        ("{postRenderStrategy: combined}", "1.5.5", Strategy.NO_HOOKS),
        ("{}", "1.5.4", Strategy.NO_HOOKS),
        ("{}", "1.5.3", Strategy.COMBINED),
        ("{}", "1.4.5", Strategy.NO_HOOKS),
    ],
)
def test_hooks_reach_post_renderers_by_strategy_and_version(spec: str, version: str, strategy: Strategy) -> None:
    controller = of_version(version)
    assert controller is not None
    assert helm_release(spec).strategy(controller) is strategy


@pytest.mark.parametrize(
    ("controller", "strategy"),
    [
        (GATED, Strategy.NO_HOOKS),
        (HELM_4, Strategy.COMBINED),
        (HELM_3, Strategy.NO_HOOKS),
        (with_helm(None), Strategy.COMBINED),
    ],
)
def test_without_a_strategy_it_depends_on_helm_and_the_feature_gate(controller: Controller, strategy: Strategy) -> None:
    assert helm_release("{}").strategy(controller) is strategy


@pytest.mark.parametrize("version", ["1.4.0", "1.4.3", "1.6.0", "1.6.1", "1.6.2", NEWEST])
def test_the_table_of_helms_is_that_of_go_mod(version: str) -> None:
    # The Go proxy has only some of the versions.
    path = assets.go("list", "-m", "-f", "{{.GoMod}}", f"{MODULE}@v{version}", cwd=Path("/"), GOFLAGS="-mod=mod")
    text = Path(path.strip()).read_text()
    forked = re.search(r"helm\.sh/helm/v\d => github\.com/fluxcd/helm/v\d v([\d.]+)-flux", text)
    plain = re.search(r"helm\.sh/helm/v\d v([\d.]+)", text)
    found = forked or plain
    assert found is not None
    assert str(controllers()[version].helm) == found[1]


def upstream() -> dict[str, HelmRelease]:
    """The HelmReleases of helm-controller's own tests, by path and, in files with several, name."""
    answer = json.loads(assets.go("mod", "download", "-json", f"{MODULE}@v{NEWEST}", cwd=Path("/")))
    folder = Path(answer["Dir"]) / "config" / "testdata"
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        data = path.read_bytes()
        for name in re.findall(rb"kind: HelmRelease\nmetadata:\n  name: (\S+)", data):
            key = f"{path.relative_to(folder)} {name.decode()}"
            namespace = None if b"\n  namespace:" in data.split(b"kind: HelmRelease", 1)[1] else "helm-system"
            found[key] = read(str(path), data, name.decode(), namespace)
    return found


UNLIKE = {
    "install-create-target-ns": (
        "install-create-target-ns/install-create-target-ns-install-create-target-ns",
        "true",
        "true",
    ),
    "targetnamespace": ("default/default-targetnamespace", "true", "true"),
    "no-ssa-install-ssa-upgrade": ("helm-system/no-ssa-install-ssa-upgrade", "false", "true"),
    "no-server-side-apply": ("helm-system/no-server-side-apply", "false", "true"),
    "ssa-install-no-ssa-upgrade": ("helm-system/ssa-install-no-ssa-upgrade", "true", "false"),
    "ssa-to-csa-field-removal": ("helm-system/ssa-to-csa-field-removal", "true", "false"),
}
"""By name: the release, and whether an install and an upgrade apply server-side."""
CHARTS = {
    "podinfo-from-ocirepo": ("oci://ghcr.io/stefanprodan/charts/podinfo", "", "6.6.0"),
    "upgrade-from-ocirepo-source": ("oci://ghcr.io/stefanprodan/charts/podinfo", "", ""),
    "podinfo": ("podinfo", "https://stefanprodan.github.io/podinfo", "6.3.5"),
    "podinfo-fail": ("podinfo", "https://stefanprodan.github.io/podinfo", "6.3.5"),
}


def test_the_helm_releases_of_helm_controllers_own_tests_are_read() -> None:
    found = upstream()
    assert len(found) >= 40
    for key, each in found.items():
        chart = each.chart()
        install, upgrade = (
            each.run(Invocation(HELM_4.helm, Action.UPGRADE_INSTALL, each.release), own, HELM_4).server_side
            for own in ((), (stored("deployed", "ssa"),))
        )
        plain = (f"{each.namespace}/{each.ref.name}", "true", "true")
        assert (str(each.release), install, upgrade) == UNLIKE.get(each.ref.name, plain), key
        assert each.storage_namespace == each.namespace, key
        assert chart is None or (chart.name, chart.repository, chart.version) == CHARTS[each.ref.name], key


def test_a_release_of_another_namespace_is_looked_up_where_it_is_stored(file: Path, tmp_path: Path) -> None:
    """The revision lies with the HelmRelease: so this is an upgrade, and ``spec.upgrade`` counts."""
    left = "{disableTakeOwnership: true}"
    spec = f"  targetNamespace: shop\n  install: {left}\n  upgrade: {left}\n  interval:"
    file.write_text(RELEASE.replace("  interval:", spec))
    live = tmp_path / "live.yaml"
    unmanaged = LIVE.replace("prod", "shop").replace(", app.kubernetes.io/managed-by: Helm", "")
    unmanaged = re.sub(r"  annotations: .*\n", "", unmanaged)
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sizes}\n"
    revision = {"name": "shop-shirts", "namespace": "prod", "revision": 2, "manifest": manifest, "apply_method": "ssa"}
    live.write_text(f"{unmanaged}---\n{json.dumps(a_revision(revision))}")
    arguments = ("--stream", "-", "--live", str(live), "--controller-version", "1.6.3", "--verbose")
    assert refused(flux(file, *arguments), 4) == (
        "error: shirts.stable.example.com/shop/shirt: exists and has no Helm owner; Helm won't adopt it (PR103)\n"
        "note: remove spec.upgrade.disableTakeOwnership: helm-controller then takes the objects\n"
        "hint: kubectl get shirts.stable.example.com/shirt -n shop -o yaml --show-managed-fields\n"
        "hint: postrender explain PR103\n"
    )
    file.write_text(file.read_text().replace("upgrade: {disableTakeOwnership: true}", "upgrade: {}"))
    assert "(PR105)" in done(file, *arguments)


def test_revisions_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    revision = a_revision({"name": "shirts", "namespace": "prod", "revision": 2, "manifest": ""})
    revision["data"]["release"] = "bm90IGEgcmVsZWFzZQ=="
    live.write_text(json.dumps(revision))
    assert refused(flux(file, "--stream", "-", "--live", str(live)), 5) == (
        f"error: release prod/shirts: its stored revisions could not be read from file {live}: {live}: "
        "secrets/prod/sh.helm.release.v1.shirts.v2 cannot be decoded, so whether the release is installed is unknown: "
        "revision 2 of release prod/shirts cannot be read: it is not base64\n"
        "hint: helm history shirts -n prod\n"
        "note: if the release is uninstalled\n"
        "hint: kubectl delete secrets sh.helm.release.v1.shirts.v2 -n prod\n"
    )


HOOK = b"""\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: sizes, annotations: {helm.sh/hook: pre-install}}
"""
TWICE = (
    "error: configmaps/prod/sizes: is in the stream twice, in lines 9 and 13, which kustomize does not take\n"
    "note: set spec.postRenderStrategy of the HelmRelease to nohooks (helm-controller 1.6 and later)\n"
)


def test_a_hook_with_the_name_of_an_object_needs_another_strategy(file: Path) -> None:
    arguments = ("--stream", "-", "--stamp", "all")
    for more in ((), ("--controller-version=1.5.3",)):
        again = f"hint: postrender flux {file} {' '.join((*arguments, *more))}\n"
        assert refused(flux(file, *arguments, *more, stdin=STREAM + HOOK), 4) == TWICE + again
    for strategy in ("nohooks", "separate"):
        file.write_text(RELEASE.replace("  interval:", f"  postRenderStrategy: {strategy}\n  interval:"))
        done(file, *arguments, stdin=STREAM + HOOK)
    file.write_text(RELEASE)
    done(file, *arguments, "--helm3-defaults", stdin=STREAM + HOOK)
    done(file, *arguments, "--controller-version=1.4.5", stdin=STREAM + HOOK)


def test_a_patch_of_operations_would_fail_on_a_hook_of_that_name(file: Path) -> None:
    stream = STREAM + b"data: {a: null}\n" + HOOK
    file.write_text(RELEASE.replace("  interval:", "  postRenderStrategy: separate\n  interval:"))
    assert refused(flux(file, "--stream", "-", "--stamp", "all", stdin=stream), 4) == (
        "error: configmaps/prod/sizes: has the name of a hook, and kustomize would apply its patch to both\n"
        "note: set spec.postRenderStrategy of the HelmRelease to nohooks (helm-controller 1.6 and later)\n"
        f"hint: postrender flux {file} --stream - --stamp all\n"
    )


DRIFTED = STREAM.split(b"---")[0] + b"spec: {size: L}\n"


def test_drift_detection_applies_what_helm_leaves(file: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    live.write_text(LIVE)
    spec = "  install: {disableTakeOwnership: true}\n  driftDetection: {mode: MODE}\n"
    arguments = ("--stream", "-", "--live", str(live), "--controller-version", "1.4.5")
    file.write_text(RELEASE.replace("  interval:", f"{spec.replace('MODE', 'warn')}  interval:"))
    assert "note: set spec.driftDetection.mode to enabled" in refused(flux(file, *arguments, stdin=DRIFTED), 4)
    file.write_text(RELEASE.replace("  interval:", f"{spec.replace('MODE', 'enabled')}  interval:"))
    said = done(file, *arguments, stdin=DRIFTED)
    assert "(PR301)" in said
    assert "note: drift detection is enabled: helm-controller applies the chart's fields after Helm" in said
    assert "--on-drift" not in said
    assert "size" not in file.read_text().split("kustomize")[1]


@pytest.mark.parametrize("spec", ["{}", "{install: {disableTakeOwnership: true}}"])
def test_helm_3_may_leave_changes_unapplied_without_an_error(spec: str, file: Path) -> None:
    file.write_text(RELEASE.replace("  interval:", f"  install: {spec}\n  interval:"))
    note = "may adopt a kept object and leave the chart's changes unapplied, without an error"
    assert f"helm-controller with Helm 3.19.2 {note}" in " ".join(
        done(file, "--stream", "-", "--controller-version", "1.4.5").split()
    )
    assert note not in " ".join(done(file, "--stream", "-", "--controller-version", "1.6.3").split())


def test_an_unknown_controller(file: Path) -> None:
    message = refused(flux(file, "--stream", "-", "--controller-version", "9.0.0"), 2)
    assert message.startswith("error: --controller-version: unknown helm-controller '9.0.0' (known: 1.0.0, 1.0.1, ")
    assert message.endswith(
        f", {NEWEST})\nnote: use --helm-version with the Helm in that helm-controller's go.mod instead\n"
        "hint: postrender flux --help\n"
    )
    assert refused(flux(file, "--stream", "-", "--controller-version", "1.6.3", "--helm-version", "4.2.2"), 2) == (
        "error: --controller-version and --helm-version exclude each other\nhint: postrender flux --help\n"
    )


def test_a_namespace_that_a_kustomization_adds(file: Path) -> None:
    file.write_text(RELEASE.replace("  namespace: prod   # one namespace a team\n", ""))
    done(file, "--stream", "-", "-n", "prod", "--stamp", "all")
    assert 'meta.helm.sh/release-namespace: "prod"' in file.read_text()
    file.write_text(RELEASE)
    assert refused(flux(file, "--stream", "-", "--namespace", "shop"), 2) == (
        f"error: {file}, line 2: the HelmRelease is in namespace prod, not shop\nhint: postrender flux --help\n"
    )
