"""What Helm prints when adoption goes wrong: each error of the documentation, brought about with the real programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, HelmFactory, Run
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, CUSTOM_CONFIG_MAP, DEPLOYMENT, ROLE_BINDING, STABLE_SHIRT, Kind
from tests.e2e.removed_apis import store


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an error is brought about: one Helm in a namespace, and a folder for charts."""

    version: str
    helm: HelmFactory
    namespace: Namespace
    folder: Path
    control_plane: ControlPlane

    @property
    def it(self) -> Helm:
        return self.helm(self.version)

    def chart(self, *objects: Object, text: Mapping[str, str] | None = None) -> Path:
        """A chart of these objects in this order; ``text`` are further templates."""
        numbered: dict[str, str | Object] = {f"{place}": body for place, body in enumerate(objects)}
        return chart(self.folder, {**numbered, **(text or {})})


Play = Callable[[Stage], Run]
"""Brings the error about; the run that fails."""


@dataclass(frozen=True, slots=True)
class Error:
    """An error, how it comes about, and the versions of Helm that the documentation shows it for."""

    name: str
    versions: tuple[str, ...]
    play: Play


def shirt(kind: Kind, color: str = "blue", *, keep: bool = True, name: str = "shirt") -> Object:
    return manifest(kind, name, {"color": color}, keep=keep)


def config(value: str = "1", *, keep: bool | str = False, name: str = "cfg") -> Object:
    return manifest(CONFIG_MAP, name, {"a": value}, keep=keep)


def reinstalled(stage: Stage, *objects: Object, then: tuple[Object, ...] = ()) -> Run:
    it = stage.it
    it.install("shop", stage.chart(*objects)).expect_ok()
    it.uninstall("shop").expect_ok()
    return it.install("shop", stage.chart(*(then or objects)))


def pair(stage: Stage) -> Run:
    return reinstalled(stage, shirt(BETA_SHIRT), shirt(STABLE_SHIRT))


def built_in_pair(stage: Stage) -> Run:
    return reinstalled(stage, config(keep=True), manifest(CUSTOM_CONFIG_MAP, "cfg", {"a": "1"}, keep=True))


def pinned_before(stage: Stage) -> Run:
    """A release that an old Helm stored with a pin, upgraded by a newer one without."""
    shirts = (shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "green"))
    old = stage.helm("3.12.3")
    old.install("shop", stage.chart(*shirts)).expect_ok()
    old.uninstall("shop").expect_ok()
    old.install("shop", stage.chart(*shirts), filter=True).expect_ok()
    return stage.it.upgrade("shop", stage.chart(shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "red")))


def rolled_back_to_a_pin(stage: Stage) -> Run:
    shirts = (shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "green"))
    it = stage.it
    it.install("shop", stage.chart(*shirts)).expect_ok()
    it.uninstall("shop").expect_ok()
    it.install("shop", stage.chart(*shirts), filter=True).expect_ok()
    it.upgrade("shop", stage.chart(shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "red"))).expect_ok()
    return it.rollback("shop", 1)


def unmanaged(stage: Stage) -> Run:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return stage.it.install("shop", stage.chart(config()))


def unmanaged_in_an_upgrade(stage: Stage) -> Run:
    it = stage.it
    it.install("shop", stage.chart(config(name="other"))).expect_ok()
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return it.upgrade("shop", stage.chart(config(name="other"), config()))


def of_another_release(stage: Stage) -> Run:
    it = stage.it
    it.install("old", stage.chart(config(keep=True))).expect_ok()
    it.uninstall("old").expect_ok()
    return it.install("shop", stage.chart(config()))


def undone(stage: Stage) -> Run:
    """Adopted, then failed, then undone: the adopted object is gone."""
    it = stage.it
    it.install("shop", stage.chart(config(keep=True))).expect_ok()
    it.uninstall("shop").expect_ok()
    broken = manifest(
        DEPLOYMENT, "web", {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": _pod("x")}
    )
    flag = "--rollback-on-failure" if it.major >= 4 else "--atomic"
    run = it.install("shop", stage.chart(config("2"), broken), flag, "--timeout", "20s")
    assert stage.namespace.get(CONFIG_MAP, "cfg") is None
    return run


def rolled_back_over_what_was_kept(stage: Stage) -> Run:
    it = stage.it
    it.install("shop", stage.chart(config(keep=True), config(name="other"))).expect_ok()
    it.upgrade("shop", stage.chart(config(name="other"))).expect_ok()
    return it.rollback("shop", 1)


def server_side_adoption(stage: Stage) -> Run:
    return reinstalled(stage, shirt(STABLE_SHIRT))


def new_in_an_upgrade(stage: Stage) -> Run:
    it = stage.it
    it.install("shop", stage.chart(config(name="other"))).expect_ok()
    it.upgrade("shop", stage.chart(config(name="other"), config("1"))).expect_ok()
    return it.upgrade("shop", stage.chart(config(name="other"), config("2")))


def field_of_somebody_else(stage: Stage) -> Run:
    it = stage.it
    it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.namespace.apply(config("9"), CONFIG_MAP, "someone", force=True)
    return it.upgrade("shop", stage.chart(config("2")))


def taken_from_kubectl(stage: Stage) -> Run:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return stage.it.install("shop", stage.chart(config("2")), "--take-ownership")


def another_role(stage: Stage) -> Run:
    def binding(role: str) -> Object:
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
        return manifest(ROLE_BINDING, "shop", reference, keep=True)

    return reinstalled(stage, binding("a"), then=(binding("b"),))


def another_selector(stage: Stage) -> Run:
    def deployment(label: str) -> Object:
        content = {"selector": {"matchLabels": {"app": label}}, "template": _pod(label)}
        return manifest(DEPLOYMENT, "web", content, keep=True)

    return reinstalled(stage, deployment("a"), then=(deployment("b"),))


def exported(stage: Stage) -> Run:
    it = stage.it
    it.install("shop", stage.chart(shirt(STABLE_SHIRT))).expect_ok()
    it.uninstall("shop").expect_ok()
    body = shirt(STABLE_SHIRT, "red")
    body["metadata"] |= {"resourceVersion": "1"}
    return it.install("shop", stage.chart(body))


def exported_and_new(stage: Stage) -> Run:
    body = shirt(STABLE_SHIRT, "red")
    body["metadata"] |= {"uid": "11111111-2222-3333-4444-555555555555"}
    return stage.it.install("shop", stage.chart(body))


def generated_name(stage: Stage, *flags: str) -> Run:
    body = config()
    del body["metadata"]["name"]
    body["metadata"]["generateName"] = "cfg-"
    return stage.it.install("shop", stage.chart(body), *flags)


def generated_name_client_side(stage: Stage) -> Run:
    return generated_name(stage, "--server-side=false")


def no_right_to_look(stage: Stage) -> Run:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]
    return stage.helm(stage.version, stage.control_plane.user(stage.namespace, rules)).install(
        "shop", stage.chart(shirt(STABLE_SHIRT))
    )


def not_served(stage: Stage) -> Run:
    return stage.it.install(
        "shop", stage.chart(manifest(Kind("nowhere.example.com", "v1", "Shirt", "shirts"), "a", {}))
    )


def nothing_came_out(stage: Stage) -> Run:
    silent = stage.folder / "silent"
    silent.write_text("#!/bin/sh\ncat >/dev/null\n")
    silent.chmod(0o755)
    return stage.it.install("shop", stage.chart(config()), filter=Filter((), silent))


def no_plugin(stage: Stage) -> Run:
    return stage.it.install("shop", stage.chart(config()), "--post-renderer", "postrender")


def plugin_failed(stage: Stage) -> Run:
    return stage.it.install("shop", stage.chart(config()), filter=Filter(("--adopt=none",)))


def _pod(label: str) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": label}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}


def removed_api(stage: Stage) -> Run:
    """What was stored on an older cluster."""
    stage.it.install("shop", stage.chart(config())).expect_ok()
    store(stage.namespace, "shop", 1, "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n")
    return stage.it.upgrade("shop", stage.chart(config("2")))


ERRORS = (
    Error("pair", ("3.9.4", "3.12.3", "3.16.4", "3.17.0"), pair),
    Error("built_in_pair", ("3.12.3", "3.17.0"), built_in_pair),
    Error("pinned_before", ("3.17.3", "3.21.4"), pinned_before),
    Error("rolled_back_to_a_pin", ("3.12.3", "3.16.4"), rolled_back_to_a_pin),
    Error("unmanaged", ("3.12.3", "3.16.4", "3.21.4", "4.3.1"), unmanaged),
    Error("unmanaged_in_an_upgrade", ("3.12.3", "3.21.4", "4.3.1"), unmanaged_in_an_upgrade),
    Error("of_another_release", ("3.12.3", "3.21.4", "4.3.1"), of_another_release),
    Error("undone", ("3.12.3", "3.21.4", "4.3.1"), undone),
    Error("rolled_back_over_what_was_kept", ("3.12.3", "3.21.4", "4.1.4"), rolled_back_over_what_was_kept),
    Error("server_side_adoption", ("4.0.0",), server_side_adoption),
    Error("new_in_an_upgrade", ("4.0.0",), new_in_an_upgrade),
    Error("field_of_somebody_else", ("4.0.0", "4.1.4", "4.3.1"), field_of_somebody_else),
    Error("taken_from_kubectl", ("4.1.4", "4.3.1"), taken_from_kubectl),
    Error("another_role", ("3.12.3", "3.21.4", "4.1.4", "4.3.1"), another_role),
    Error("another_selector", ("3.12.3", "3.21.4", "4.1.4", "4.3.1"), another_selector),
    Error("removed_api", ("3.12.3", "3.22.0", "4.3.2"), removed_api),
    Error("exported", ("4.1.4", "4.3.1"), exported),
    Error("exported_and_new", ("4.1.4", "4.3.1"), exported_and_new),
    Error("generated_name", ("3.12.3", "3.21.4", "4.1.4", "4.3.1"), generated_name),
    Error("no_right_to_look", ("3.12.3", "3.21.4", "4.3.1"), no_right_to_look),
    Error("not_served", ("3.12.3", "3.21.4", "4.3.1"), not_served),
    Error("nothing_came_out", ("4.0.0", "4.3.1"), nothing_came_out),
    Error("no_plugin", ("4.0.0", "4.1.4", "4.3.1"), no_plugin),
    Error("plugin_failed", ("4.0.0", "4.3.1"), plugin_failed),
)
"""Every error of docs/errors.md."""


def replaced(stage: Stage) -> Run:
    """``pair``, with what the page says for it."""
    assert not pair(stage).ok
    stage.it.uninstall("shop").expect_ok()
    return stage.it.install("shop", stage.chart(shirt(BETA_SHIRT), shirt(STABLE_SHIRT)), "--force")


def upgraded_after_it(stage: Stage) -> Run:
    assert not pair(stage).ok
    return stage.it.upgrade("shop", stage.chart(shirt(BETA_SHIRT), shirt(STABLE_SHIRT)))


def client_side(stage: Stage) -> Run:
    assert not server_side_adoption(stage).ok
    stage.it.uninstall("shop").expect_ok()
    return stage.it.install("shop", stage.chart(shirt(STABLE_SHIRT)), "--server-side=false")


def conflicts_forced(stage: Stage) -> Run:
    assert not field_of_somebody_else(stage).ok
    return stage.it.upgrade("shop", stage.chart(config("2")), "--force-conflicts")


def own_conflicts_forced(stage: Stage) -> Run:
    assert not new_in_an_upgrade(stage).ok
    return stage.it.upgrade("shop", stage.chart(config(name="other"), config("2")), "--force-conflicts")


def older_chart_upgraded_to(stage: Stage) -> Run:
    assert not rolled_back_over_what_was_kept(stage).ok
    return stage.it.upgrade("shop", stage.chart(config(keep=True), config(name="other")), filter=True)


def named_by_hand(stage: Stage) -> Run:
    assert not unmanaged(stage).ok
    owner = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": stage.namespace.name}
    stage.namespace.patch(
        CONFIG_MAP, "cfg", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": owner}}
    )
    return stage.it.install("shop", stage.chart(config()), *(["--server-side=false"] if stage.it.major >= 4 else []))


def exported_filtered(stage: Stage) -> Run:
    assert not exported(stage).ok
    stage.it.uninstall("shop").expect_ok()
    body = shirt(STABLE_SHIRT, "red")
    body["metadata"] |= {"resourceVersion": "1"}
    return stage.it.install("shop", stage.chart(body), filter=True)


CURES = (
    Error("pair", ("3.17.1", "4.3.1"), pair),
    Error("replaced", ("3.12.3", "3.17.0"), replaced),
    Error("upgraded_after_it", ("3.12.3",), upgraded_after_it),
    Error("named_by_hand", ("3.12.3", "3.21.4"), named_by_hand),
    Error("rolled_back_over_what_was_kept", ("4.3.1",), rolled_back_over_what_was_kept),
    Error("older_chart_upgraded_to", ("3.12.3", "3.21.4"), older_chart_upgraded_to),
    Error("server_side_adoption", ("4.1.0", "4.3.1"), server_side_adoption),
    Error("client_side", ("4.0.0",), client_side),
    Error("new_in_an_upgrade", ("4.1.0", "4.3.1"), new_in_an_upgrade),
    Error("own_conflicts_forced", ("4.0.0",), own_conflicts_forced),
    Error("conflicts_forced", ("4.1.4", "4.3.1"), conflicts_forced),
    Error("exported_filtered", ("4.3.1",), exported_filtered),
    Error("generated_name_client_side", ("4.3.1",), generated_name_client_side),
)
"""The ways out that the page names beside the filter's own, each with the versions of Helm that it is tried with."""


def told(stage: Stage, run: Run) -> str:
    """What Helm printed, the test's namespace called ``shop``; AssertionError where it did not fail."""
    assert not run.ok, f"Helm {stage.version} reported success"
    return run.error.replace(stage.namespace.name, "shop").rstrip()
