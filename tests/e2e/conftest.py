"""Fixtures: a control plane per test process, a namespace per test, and any Helm to work in it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane, User
from tests.e2e.helm import Helm, HelmFactory
from tests.tools import assets

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder ``e2e``."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


def program(name: str) -> Path:
    """The path of a finished program; fails the test, saying how to build it, where it is missing."""
    try:
        return assets.find(name)
    except assets.BuildError as error:
        reason = f"{error}\nor leave the end-to-end tests out: pytest -m 'not e2e'"
    pytest.fail(reason, pytrace=False)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One kube-apiserver with etcd; with xdist one for each worker, which costs some seconds and shares nothing."""
    etcd, kube_apiserver = program("etcd"), program("kube-apiserver")
    with ControlPlane(etcd, kube_apiserver, tmp_path_factory.mktemp("users")) as running:
        yield running


@pytest.fixture(scope="session")
def discovery_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What client-go remembers of the server, for every Helm of the session."""
    return tmp_path_factory.mktemp("discovery")


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Namespace:
    """A new namespace, named after the test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[:40].strip("-")
    return control_plane.namespace(f"{words}-{secrets.token_hex(3)}")


@pytest.fixture
def helm(control_plane: ControlPlane, namespace: Namespace, discovery_cache: Path, tmp_path: Path) -> HelmFactory:
    """``helm("3.12.3")``: that Helm in the test's namespace, as the administrator or as ``user=``."""

    def make(version: str, user: User | None = None) -> Helm:
        home = tmp_path / f"helm-{version}{'-user' if user else ''}"
        config = user.kubeconfig if user else control_plane.kubeconfig
        return Helm(program(f"helm@{version}"), version, home, config, namespace.name, discovery_cache)

    return make
