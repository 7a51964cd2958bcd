"""Fixtures: a server that speaks the API's wire format, and the command line that leads there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def cluster(server: Server, tmp_path: Path) -> tuple[str, str]:
    """The flag that leads to ``server``; the context's namespace is ``shop``."""
    path = tmp_path / "kubeconfig"
    context = {"cluster": "c", "user": "u", "namespace": "shop"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": context}],
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(json.dumps(config))
    return "--kubeconfig", str(path)
