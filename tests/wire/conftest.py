"""Fixtures: the misbehaving server, and kubeconfigs that lead to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster.client import Cluster
from postrender.cluster.client import connect as connect_to
from postrender.models import Connection
from tests.wire.server import Server

Connect = Callable[..., Cluster]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def plain_server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def tls_server() -> Iterator[Server]:
    with Server(tls=True) as running:
        yield running


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """``kubeconfig(cluster={...}, user={...})``: a file with the context ``dev``."""

    def write(cluster: dict[str, Any], user: dict[str, Any] | None = None, name: str = "config") -> Path:
        path = tmp_path / name
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "dev",
                    "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "users": [{"name": "u", "user": user or {}}],
                }
            )
        )
        return path

    return write


@pytest.fixture
def connect(server: Server, kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Connect:
    """``connect(request_timeout=1)``: the cluster of ``server``, by ``$KUBECONFIG``."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig({"server": server.url}, {"token": "of-dev"})))

    def connected(**settings: Any) -> Cluster:
        return connect_to(Connection(**settings))

    return connected
