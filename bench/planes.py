"""What the benchmarks against a real API server share: the control plane, Helms, charts of ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.proxy import Proxy
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm
from tests.e2e.kinds import CONFIG_MAP
from tests.tools import assets

HELM = "3.21.4"
NEWEST = "4.3.2"
"""The newest of the other major version."""

NAMESPACE = "shop"

CONTENT = {"a": "1"}
"""What every ConfigMap holds."""


@contextmanager
def control_plane() -> Iterator[tuple[ControlPlane, Path]]:
    """A kube-apiserver with the namespace ``NAMESPACE``, and a folder for what is written meanwhile."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with ControlPlane(assets.find("etcd"), assets.find("kube-apiserver"), folder) as plane:
            plane.namespace(NAMESPACE)
            yield plane, folder


def helm(folder: Path, kubeconfig: Path, version: str = HELM) -> Helm:
    """A Helm with folders of its own."""
    home = folder / f"helm-{version}-{kubeconfig.stem}"
    return Helm(assets.find(f"helm@{version}"), version, home, kubeconfig, NAMESPACE, home / "discovery")


def delayed(plane: ControlPlane, delay: float) -> Proxy:
    """A proxy in front of the API server that holds each request back for ``delay`` seconds."""
    certificates = plane.kubeconfig.parent / "certificates"
    port = int(plane.api.url.rpartition(":")[2])
    return Proxy(port, certificates / "apiserver.crt", certificates / "apiserver.key", delay)


def through(proxy: Proxy, plane: ControlPlane, file: Path) -> Path:
    """The administrator's kubeconfig for the server behind a proxy, written to ``file``."""
    file.touch(mode=0o600)
    file.write_text(plane.kubeconfig.read_text().replace(plane.api.url, f"https://127.0.0.1:{proxy.port}"))
    return file


def config_maps(folder: Path, count: int) -> Path:
    """A chart of so many kept ConfigMaps that are named after the release, a template each."""
    return chart(
        folder,
        {
            f"{index}": manifest(CONFIG_MAP, f"{{{{ .Release.Name }}}}-{index}", CONTENT, keep=True)
            for index in range(count)
        },
    )
