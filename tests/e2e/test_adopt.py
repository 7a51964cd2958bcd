"""``postrender adopt`` on a real control plane: Helm takes what was stamped, and what was undone it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_FLAG, CONFIG_MAP, STABLE_SHIRT


def adopt(it: Helm, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(executable(it.home)), "adopt", *arguments, "--yes"],
        env=it.env,
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=180,
        text=True,
    )


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_what_was_stamped_is_helms_to_install(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str
) -> None:
    it = helm(version)
    name = namespace.name
    wanted = chart(
        tmp_path,
        {
            "a": manifest(STABLE_SHIRT, "shirt", {"color": "blue"}, keep=True),
            "b": manifest(CONFIG_MAP, "settings", {"a": "1"}, keep=True),
            "c": manifest(BETA_FLAG, name, {"color": "red"}, keep=True),
        },
    )
    it.install("old", wanted).expect_ok()
    it.uninstall("old").expect_ok()
    before = namespace.found(STABLE_SHIRT, "shirt")
    report = tmp_path / "report.json"
    objects = (f"shirts.stable.example.com/{name}/shirt", "cm/settings", f"flags.beta.example.com/{name}")
    done = adopt(it, "new", "-n", name, *objects, "--report", str(report))
    assert done.returncode == 0, done.stderr
    now = namespace.found(STABLE_SHIRT, "shirt")
    assert now["spec"] == before["spec"]
    assert namespace.owner(BETA_FLAG, name) == "new"
    undone = adopt(it, "--undo", str(report))
    assert undone.returncode == 0, undone.stderr
    again = namespace.found(STABLE_SHIRT, "shirt")["metadata"]
    assert {key: again[key] for key in ("labels", "annotations")} == {
        key: before["metadata"][key] for key in ("labels", "annotations")
    }
    assert "invalid ownership metadata" in it.install("new", wanted).error
    it.run("uninstall", "new")
    assert adopt(it, "new", "-n", name, *objects).returncode == 0
    it.install("new", wanted).expect_ok()
    refused = adopt(it, "third", "-n", name, *objects)
    assert refused.returncode == 4
    assert refused.stderr.count(f"owned by installed release {name}/new") == 3
    assert namespace.owner(CONFIG_MAP, "settings") == "new"
