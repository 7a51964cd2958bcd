"""The filter without a Helm above it, as Terraform and Pulumi run it: nobody applies later what is left undone."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import pytest

from tests.cli.test_filter import run
from tests.wire.kinds import SHIRT, an_object
from tests.wire.server import Server

Cluster = tuple[str, str]

CHART = b"""\
apiVersion: stable.example.com/v1
kind: Shirt
metadata:
  name: shirt
  annotations:
    helm.sh/resource-policy: keep
spec:
  color: red
"""
FLAGS = ("--release", "shop", "--namespace", "shop", "--helm-version", "3.18.5", "--action", "upgrade-install")


@pytest.fixture
def kept(server: Server) -> None:
    """What an uninstall of the release kept; the chart says another colour today."""
    annotations = {
        "helm.sh/resource-policy": "keep",
        "meta.helm.sh/release-name": "shop",
        "meta.helm.sh/release-namespace": "shop",
    }
    metadata = {"annotations": annotations, "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata=metadata, spec={"color": "blue"}))


def filtered(cluster: Cluster, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return run(*FLAGS, *cluster, stdin=CHART, environ=environ)


@pytest.mark.usefixtures("kept")
def test_drift_fails_by_default(server: Server, cluster: Cluster) -> None:
    done = filtered(cluster)
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.decode() == (
        "error: shirts.stable.example.com/shop/shirt: Helm would report success and leave 1 field of the chart "
        "unapplied: spec.color (PR301)\n"
        "note: update the live object before Helm runs\nhint: export POSTRENDER_ON_DRIFT=apply\n"
        "hint: postrender explain PR301\n"
    )
    assert [each for each in server.asked() if each.method != "GET" and "dryRun" not in each.query] == []


@pytest.mark.usefixtures("kept")
def test_the_advice_works(server: Server, cluster: Cluster) -> None:
    done = filtered(cluster, {"POSTRENDER_ON_DRIFT": "apply"})
    assert done.returncode == 0, done.stderr.decode()
    assert server.objects[SHIRT.path("shop", "shirt")]["spec"] == {"color": "red"}


@pytest.mark.usefixtures("kept")
def test_what_is_live_is_stored_if_that_is_chosen(server: Server, cluster: Cluster) -> None:
    done = filtered(cluster, {"POSTRENDER_ON_DRIFT": "store"})
    assert done.returncode == 0, done.stderr.decode()
    assert b'color: "blue"' in done.stdout
    assert b"PR301" in done.stderr
    assert server.objects[SHIRT.path("shop", "shirt")]["spec"] == {"color": "blue"}
