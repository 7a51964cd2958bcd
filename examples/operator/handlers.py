"""The kopf side: one handler for a custom resource that names a chart. ``kopf run examples/operator/handlers.py``."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import kopf
from reconcile import reconcile

import postrender

HELM = postrender.HelmVersion(3, 21, 4)


@kopf.on.create("example.com", "v1", "charts")
@kopf.on.update("example.com", "v1", "charts")
@kopf.timer("example.com", "v1", "charts", interval=300, initial_delay=300)
async def chart(spec: Any, name: str, namespace: str, patch: Any, **_: Any) -> None:
    """Render, ask postrender, and write what it says into the status; only then let Helm install."""
    rendered = await asyncio.to_thread(render, name, namespace, spec["chart"])
    # In a Pod an empty Connection means its service account. Look-ups wait for the network: not in the event loop.
    connection = postrender.Connection()
    found = await asyncio.to_thread(reconcile, rendered, postrender.ReleaseName(namespace, name), HELM, connection)
    patch.status.update(found.status)
    if found.status.get("retry"):
        raise kopf.TemporaryError(found.status["message"], delay=30)
    if found.manifests is None:
        raise kopf.PermanentError(found.status["reason"])
    try:
        await asyncio.to_thread(install, name, namespace, spec["chart"])
    except subprocess.CalledProcessError as error:
        # Such as a release that another Helm is working on; what Helm and postrender said is in the operator's log.
        raise kopf.TemporaryError(f"helm ended with {error.returncode}", delay=30) from error


def render(name: str, namespace: str, chart: str) -> bytes:
    """What Helm will install."""
    command = ["helm", "template", name, chart, "--namespace", namespace]
    return subprocess.run(command, check=True, capture_output=True).stdout


def install(name: str, namespace: str, chart: str) -> None:
    """Let Helm do it with the filter between, which looks up and decides once more, by the same code."""
    command = ["helm", "upgrade", "--install", name, chart, "--namespace", namespace, "--post-renderer", "postrender"]
    subprocess.run(command, check=True)
