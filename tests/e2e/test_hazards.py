"""What Helm does beside the update itself: rollbacks, uninstalls, releases without a name or without an end."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from tests.e2e.api import MERGE_PATCH, VERSION_MISSING, Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import Filter, HelmFactory, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, NAMESPACE, SECRET, STABLE_SHIRT, Kind

pytestmark = pytest.mark.one_in(2)

REST = {"rest": manifest(CONFIG_MAP, "rest", {"z": "1"})}


@pytest.mark.parametrize(
    ("version", "flags", "kind", "error"),
    [
        ("3.21.4", (), STABLE_SHIRT, 'no Shirt with the name "shirt" found'),
        ("3.21.4", (), CONFIG_MAP, 'no ConfigMap with the name "shirt" found'),
        ("3.22.0", (), STABLE_SHIRT, VERSION_MISSING),
        ("3.22.0", (), CONFIG_MAP, ""),
        ("4.1.4", (), STABLE_SHIRT, 'original object Shirt with the name "shirt" not found'),
        ("4.3.1", (), STABLE_SHIRT, ""),
        ("4.3.1", ("--server-side=false",), STABLE_SHIRT, VERSION_MISSING),
        ("4.3.1", ("--server-side=false",), CONFIG_MAP, ""),
    ],
)
def test_a_rollback_past_an_object_that_is_kept(
    helm: HelmFactory,
    namespace: Namespace,
    tmp_path: Path,
    version: str,
    flags: tuple[str, ...],
    kind: Kind,
    error: str,
) -> None:
    """What the account foresees (PR503) where the upgrade runs."""
    it = helm(version)
    shirt = manifest(kind, "shirt", {"color": "blue"}, keep=True)
    it.install("r", chart(tmp_path, {**REST, "shirt": shirt}), *flags).expect_ok()
    log = tmp_path / "account"
    script = tmp_path / "noted"
    script.write_text(f"#!/bin/sh\nexec '{executable(tmp_path)}' \"$@\" 2>>'{log}'\n")
    script.chmod(0o755)
    it.upgrade("r", chart(tmp_path, REST), filter=Filter(program=script)).expect_ok()
    told = " ".join(log.read_text().split())
    assert f"{kind.plural}{'.' * bool(kind.group)}{kind.group}/{namespace.name}/shirt: removed from the release" in told
    assert ("(PR503)" in told) is bool(error)
    assert re.sub(r"Invalid value: \w+:", "...", error) in told
    done = it.rollback("r", 1)
    assert done.ok is not bool(error)
    assert error in done.stderr


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_an_uninstall_goes_by_what_is_stored(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """Any resource policy in the stored manifest spares the object, not only ``keep``; the live one counts for nothing.

    ``filterManifestsToKeep`` (pkg/action/resource_policy.go) puts what has another value on neither of its lists.
    """
    it = helm(version)
    policies: dict[str, bool | str] = {"exact": "keep", "shouted": "KEEP ", "other": "delete", "none": False}
    things = {name: manifest(CONFIG_MAP, name, {"a": "1"}, keep=policy) for name, policy in policies.items()}
    it.install("r", chart(tmp_path, things)).expect_ok()
    namespace.patch(CONFIG_MAP, "none", {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}})
    it.uninstall("r").expect_ok()
    left = {name for name in policies if namespace.get(CONFIG_MAP, name) is not None}
    assert left == {"exact", "shouted", "other"}


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_a_release_whose_name_helm_makes(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    kept = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"x": "1"}, keep=True)})
    it.run("install", "--generate-name", str(kept), filter=True).expect_ok()
    it.run("install", "--generate-name", str(chart(tmp_path, REST)), filter=True).expect_ok()
    assert namespace.owner(CONFIG_MAP, "rest") not in ("", namespace.owner(CONFIG_MAP, "a"))
    again = it.run("install", "--generate-name", str(kept), filter=True)
    assert not again.ok
    assert namespace.get(CONFIG_MAP, "a") is not None


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_a_release_that_is_only_pending(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    """Helm ends before it runs a post-renderer, so that there is nothing to foresee."""
    it = helm(version)
    it.install("r", chart(tmp_path, REST)).expect_ok()
    _set_pending(namespace, "r")
    log = tmp_path / "called"
    script = tmp_path / "noted"
    script.write_text(f"#!/bin/sh\necho called >'{log}'\ncat\n")
    script.chmod(0o755)
    done = it.upgrade("r", chart(tmp_path, REST), "--install", filter=Filter(program=script))
    assert "another operation (install/upgrade/rollback) is in progress" in done.stderr
    assert not log.exists()


def _set_pending(namespace: Namespace, release: str) -> None:
    path = SECRET.path(namespace.name, f"sh.helm.release.v1.{release}.v1")
    secret = namespace.api.request("GET", path)
    body = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    body["info"]["status"] = "pending-install"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(body).encode()))).decode()
    patch = {"data": {"release": packed}, "metadata": {"labels": {"status": "pending-install"}}}
    namespace.api.request("PATCH", path, patch, content_type=MERGE_PATCH)


def test_what_helm_set_client_side_is_refused_and_the_way_out_takes_it_away(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    """Helm 4.0.0 creates client-side what is new in an upgrade, and applies server-side ever after (PR312)."""
    it = helm("4.0.0")
    more = manifest(STABLE_SHIRT, "shirt", {"color": "red", "size": "M"}, labels={"a": "v"})
    less = chart(tmp_path, {**REST, "shirt": manifest(STABLE_SHIRT, "shirt", {"color": "red"})})
    it.install("r", chart(tmp_path, REST)).expect_ok()
    it.upgrade("r", chart(tmp_path, {**REST, "shirt": more})).expect_ok()
    log = tmp_path / "account"
    script = tmp_path / "noted"
    script.write_text(f"#!/bin/sh\nexec '{executable(tmp_path)}' \"$@\" 2>>'{log}'\n")
    script.chmod(0o755)
    noted = Filter(program=script)
    before = namespace.resource_version(STABLE_SHIRT, "shirt")
    assert not it.upgrade("r", less, filter=noted).ok
    name = f"shirts.stable.example.com/{namespace.name}/shirt"
    assert log.read_text().partition("  report: ")[0] == (
        f"error: {name}: metadata.labels.a, spec.size left the chart, "
        "and would stay: Helm set it client-side and now applies server-side (PR312)\n"
        "note: needed once\n"
        f"hint: {it.binary} upgrade r {less} --namespace {namespace.name} --post-renderer postrender "
        "--server-side=false\n"
        "hint: postrender explain PR312\n"
    )
    assert namespace.resource_version(STABLE_SHIRT, "shirt") == before
    it.upgrade("r", less, "--server-side=false", filter=noted).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}
    assert "a" not in namespace.labels(STABLE_SHIRT, "shirt")
    it.upgrade("r", less, filter=noted).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}


def _noted(folder: Path) -> tuple[Filter, Path]:
    """The filter with its summary in a file."""
    log = folder / "account"
    script = folder / "noted"
    script.write_text(f"#!/bin/sh\nexec '{executable(folder)}' \"$@\" 2>>'{log}'\n")
    script.chmod(0o755)
    return Filter(program=script), log


def _hook(event: str, policy: str | None) -> dict[str, str]:
    return {"helm.sh/hook": event, **({} if policy is None else {"helm.sh/hook-delete-policy": policy})}


@pytest.mark.parametrize(
    ("event", "policy", "deleted"),
    [("Pre-Install", "Before-Hook-Creation", True), ("pre-install", None, True), ("PRE-INSTALL ", "", False)],
)
def test_helm_reads_hook_events_and_delete_policies_in_any_case(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, event: str, policy: str | None, deleted: bool
) -> None:
    """A live object is refused (PR502) where Helm would delete it to make room for the hook, and only there."""
    it = helm("4.3.1")
    live = namespace.create(manifest(CONFIG_MAP, "a", {"mine": "1"}), CONFIG_MAP)
    hooked = chart(tmp_path, {**REST, "a": manifest(CONFIG_MAP, "a", {"x": "1"}, annotations=_hook(event, policy))})
    filter, log = _noted(tmp_path)
    done = it.install("r", hooked, filter=filter)
    assert namespace.uid(CONFIG_MAP, "a") == live["metadata"]["uid"]
    assert ("(PR502)" in log.read_text()) is deleted
    assert done.ok is not deleted
    if deleted:
        it.install("again", hooked).expect_ok()
        assert namespace.uid(CONFIG_MAP, "a") != live["metadata"]["uid"]


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_helm_skips_an_object_with_a_hook_event_it_does_not_know(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """Helm 3 shows hooks to no post-renderer; with Helm 4 the summary warns (PR507)."""
    it = helm(version)
    notes = _hook("pre-install, post-instal", None)
    filter, log = _noted(tmp_path)
    it.install(
        "r", chart(tmp_path, {**REST, "a": manifest(CONFIG_MAP, "a", annotations=notes)}), filter=filter
    ).expect_ok()
    assert namespace.get(CONFIG_MAP, "a") is None
    told = " ".join(log.read_text().split())
    assert ("Helm skips this object: it does not know the hook event 'post-instal' (PR507)" in told) is (it.major == 4)


@pytest.mark.parametrize(
    ("version", "refused"), [("3.21.4", False), ("4.1.0", False), ("4.1.4", True), ("4.3.1", True)]
)
def test_a_name_beside_a_generate_name(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, refused: bool
) -> None:
    it = helm(version)
    both = manifest(CONFIG_MAP, "a", {"x": "1"})
    both["metadata"]["generateName"] = "a-"
    named = chart(tmp_path, {"a": both})
    filter, log = _noted(tmp_path)
    alone = it.install("alone", named)
    assert alone.ok is not refused
    assert ("metadata.name and metadata.generateName cannot both be set" in alone.stderr) is refused
    if not refused:
        it.uninstall("alone").expect_ok()
    done = it.install("r", named, filter=filter)
    assert done.ok is not refused
    assert ("(PR207)" in log.read_text()) is refused
    assert (namespace.get(CONFIG_MAP, "a") is None) is refused


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.1.4", "4.3.1"])
def test_an_empty_managed_fields_is_taken_out(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """A server-side apply would end there: ``metadata.managedFields must be nil``."""
    it = helm(version)
    plain = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"x": "1"}, keep=True)})
    it.install("r", plain).expect_ok()
    it.uninstall("r").expect_ok()
    exported = manifest(CONFIG_MAP, "a", {"x": "1"}, keep=True)
    exported["metadata"]["managedFields"] = []
    it.install("r", chart(tmp_path, {"a": exported}), filter=True).expect_ok()
    assert "managedFields" not in namespace.releases("r")[-1].manifest
    assert namespace.found(CONFIG_MAP, "a")["metadata"]["managedFields"]


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_an_object_that_is_deleted_with_its_namespace(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    """Helm fails, before it changes anything: it cannot store its release there."""
    it = helm(version)
    kept = chart(tmp_path, {"a": manifest(CONFIG_MAP, "a", {"x": "1"}, keep=True)})
    it.install("r", kept).expect_ok()
    it.uninstall("r").expect_ok()
    namespace.patch(CONFIG_MAP, "a", {"metadata": {"finalizers": ["example.com/stay"]}})
    path = NAMESPACE.path("", namespace.name)
    try:
        namespace.delete(CONFIG_MAP, "a")
        namespace.api.request("DELETE", path)
        done = it.install("r", kept)
        filter, log = _noted(tmp_path)
        assert not it.install("r", kept, filter=filter).ok
    finally:
        namespace.patch(CONFIG_MAP, "a", {"metadata": {"finalizers": None}})
    assert "because it is being terminated" in done.stderr
    assert log.read_text().partition("  report: ")[0] == (
        f"error: configmaps/{namespace.name}/a: is being deleted: Helm would fail if its namespace is being "
        "deleted too, and otherwise report success for an object that then vanishes (PR106)\n"
        f"hint: kubectl wait --for=delete configmaps/a -n {namespace.name} --timeout=60s "
        f"--kubeconfig {it.env['KUBECONFIG']}\n"
        "hint: postrender explain PR106\n"
    )


@pytest.mark.parametrize("version", ["3.12.3", "3.17.0"])
def test_what_helm_leaves_behind_comes_with_the_command_that_removes_it(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    stable, beta = (manifest(kind, "shirt", {"color": "blue"}) for kind in (STABLE_SHIRT, BETA_SHIRT))
    it.install("r", chart(tmp_path, {"a": stable, "b": beta})).expect_ok()
    filter, log = _noted(tmp_path)
    it.upgrade("r", chart(tmp_path, {"b": beta}), filter=filter).expect_ok()
    assert namespace.get(STABLE_SHIRT, "shirt") is not None
    flags = f"-n {namespace.name} --kubeconfig {it.env['KUBECONFIG']}"
    assert f"    hint: kubectl delete shirts.stable.example.com/shirt {flags}\n" in log.read_text()
