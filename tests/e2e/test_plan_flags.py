"""``postrender plan RELEASE CHART`` takes the flags of ``helm upgrade --install``, and Helm does what was planned."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from tests.e2e.api import Namespace
from tests.e2e.charts import chart
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.test_plan import plan, planned, told

NAMES = ("file", "stored", "set", "text", "json", "from", "literal", "release")
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n" + "".join(
    f'  {name}: {{{{ .Values.{name} | default "none" | toString | quote }}}}\n' for name in NAMES
)
VERSIONS = ["3.21.4", "4.3.1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_values_and_waiting_pass_through(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    place = chart(tmp_path, {"config": TEMPLATE}, values={"file": "default"})
    it.home.mkdir(parents=True, exist_ok=True)
    (tmp_path / "stored.yaml").write_text("stored: from the first revision\nfile: first\n")
    (tmp_path / "prod.yaml").write_text("file: second\n")
    (tmp_path / "text").write_text("of a file")
    it.run("upgrade", "r", str(place), "-i", "-f", str(tmp_path / "stored.yaml"), filter=True).expect_ok()
    flags = (
        *("--reuse-values", "-f", str(tmp_path / "prod.yaml"), "--set", "set=3", "--set-string", "text=007"),
        *("--set-json", 'json="{}"', "--set-file", f"from={tmp_path / 'text'}", "--set-literal", "literal=a,b"),
        *("--wait", "--timeout", "30s", "--history-max", "5", "-i"),
    )
    report = planned(it, place, 10, *flags)
    wanted = {
        "file": "second",
        "stored": "from the first revision",
        "set": "3",
        "text": "007",
        "json": "{}",
        "from": "of a file",
        "literal": "a,b",
        "release": "none",
    }
    (only,) = report["objects"]
    assert only["desired"]["data"] == wanted
    assert told(report, "changing") == {"configmaps/config": True}
    hint = plan(it, "r", str(place), *flags).stdout.decode().splitlines()[-1]
    assert hint.startswith(f"hint: helm upgrade r {place} -n {it.namespace} ")
    for flag in ("--reuse-values", "--wait", "--timeout=30s", f"--values={tmp_path / 'prod.yaml'}", "--set-literal="):
        assert flag in hint
    it.run("upgrade", "r", str(place), *flags, filter=True).expect_ok()
    assert namespace.found(CONFIG_MAP, "config")["data"] == wanted
    without = planned(it, place, 10, "--reset-values")["objects"][0]["desired"]["data"]
    assert (without["stored"], without["file"]) == ("none", "default")


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A chart repository with two versions of one chart."""
    folder = tmp_path / "repository"
    folder.mkdir()
    entries = []
    for number in ("0.1.0", "0.2.0"):
        place = chart(tmp_path, {"config": TEMPLATE}, values={"release": number}, version=number)
        with tarfile.open(folder / f"shop-{number}.tgz", "w:gz") as archive:
            archive.add(place, "shop")
        entries.append({"apiVersion": "v2", "name": "shop", "version": number, "urls": [f"shop-{number}.tgz"]})
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": {"shop": entries}}))
    with HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_of_the_chart_passes_through(helm: HelmFactory, repository: str, version: str) -> None:
    it = helm(version)
    it.home.mkdir(parents=True, exist_ok=True)
    for number in ("0.1.0", "0.2.0"):
        report = planned(it, Path("shop"), 10, "--repo", repository, "--version", number)
        assert report["objects"][0]["desired"]["data"]["release"] == number
    hint = plan(it, "r", "shop", "--repo", repository, "--version", "0.1.0").stdout.decode().splitlines()[-1]
    assert f" --version=0.1.0 --repo={repository}" in hint
