"""What Helm does beside the update itself: rollbacks, uninstalls, releases without a name or without an end."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from tests.e2e.api import MERGE_PATCH, Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import Filter, HelmFactory, executable
from tests.e2e.kinds import CONFIG_MAP, SECRET, STABLE_SHIRT

REST = {"rest": manifest(CONFIG_MAP, "rest", {"z": "1"})}


@pytest.mark.parametrize(
    ("version", "error"),
    [
        ("3.21.4", 'no Shirt with the name "shirt" found'),
        ("4.1.4", 'original object Shirt with the name "shirt" not found'),
        ("4.3.1", ""),
    ],
)
def test_a_rollback_past_an_object_that_is_kept(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str, error: str
) -> None:
    """What the account foresees (PR503) where the upgrade runs."""
    it = helm(version)
    shirt = manifest(STABLE_SHIRT, "shirt", {"color": "blue"}, keep=True)
    it.install("r", chart(tmp_path, {**REST, "shirt": shirt})).expect_ok()
    log = tmp_path / "account"
    script = tmp_path / "noted"
    script.write_text(f"#!/bin/sh\nexec '{executable(tmp_path)}' \"$@\" 2>>'{log}'\n")
    script.chmod(0o755)
    it.upgrade("r", chart(tmp_path, REST), filter=Filter(program=script)).expect_ok()
    told = " ".join(log.read_text().split())
    assert f"shirts.stable.example.com/{namespace.name}/shirt: leaves the release" in told
    assert ("(PR503)" in told) is bool(error)
    assert error in told
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
        f"postrender: {name}: metadata.labels.a, spec.size left the chart, "
        "and would stay: Helm set it client-side and now applies server-side (PR312)\n"
        "  next: helm upgrade ... --server-side=false   (this once)\n"
        "  next: postrender explain PR312\n"
    )
    assert namespace.resource_version(STABLE_SHIRT, "shirt") == before
    it.upgrade("r", less, "--server-side=false", filter=noted).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}
    assert "a" not in namespace.labels(STABLE_SHIRT, "shirt")
    it.upgrade("r", less, filter=noted).expect_ok()
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}
