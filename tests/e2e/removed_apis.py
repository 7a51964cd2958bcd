"""Releases that name APIs which the server no longer serves: by a CRD version out of service, and Kubernetes' own."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from pathlib import Path

from tests.e2e.api import JSON, Namespace, Object, wait_until
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.helm import Helm
from tests.e2e.kinds import CRD, SECRET, Kind, definition

FAILS = "unable to build kubernetes objects from current release manifest"
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def racks(plane: ControlPlane, namespace: Namespace) -> tuple[Kind, Kind]:
    """A kind of this namespace's own in two served versions: the old one, which is stored, and the new one."""
    group = f"{namespace.name}.example.com"
    old, new = (Kind(group, version, "Rack", "racks") for version in ("v1beta1", "v1"))
    serve(plane.api, [definition(old, new)])
    return old, new


def out_of_service(plane: ControlPlane, *kinds: Kind, served: bool = False) -> None:
    """Take versions of a kind out of service, or put them back, and wait until discovery shows it."""
    path = CRD.path("", f"{kinds[0].plural}.{kinds[0].group}")
    body = plane.api.request("GET", path)
    for version in body["spec"]["versions"]:
        if version["name"] in [kind.version for kind in kinds]:
            version["served"] = served
    plane.api.request("PUT", path, body)
    for kind in kinds:
        wait_until(lambda: _discovered(plane, kind) == served, f"{kind.api_version} in discovery: {served}")  # noqa: B023


def _discovered(plane: ControlPlane, kind: Kind) -> bool:
    one = bool(plane.api.get(f"/apis/{kind.group}/{kind.version}"))
    groups = json.loads(plane.api.text("GET", "/apis", accept=f"{_AGGREGATED},{JSON}"))["items"]
    every = any(
        version["version"] == kind.version and version.get("resources")
        for group in groups
        if group["metadata"]["name"] == kind.group
        for version in group["versions"]
    )
    return one if one == every else not one and every


def forget_discovery(it: Helm) -> None:
    """Have Helm ask the server what it serves: client-go remembers it for six hours."""
    it.env["KUBECACHEDIR"] = str(it.home / "discovery")
    for folder in (it.home / "discovery", it.home / ".kube"):
        shutil.rmtree(folder, ignore_errors=True)


def store(namespace: Namespace, release: str, revision: int, manifest: str) -> None:
    """Put another manifest into a stored revision, as an older chart on an older cluster would have."""
    path = SECRET.path(namespace.name, f"sh.helm.release.v1.{release}.v{revision}")
    secret = namespace.api.request("GET", path)
    body: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    packed = base64.b64encode(gzip.compress(json.dumps({**body, "manifest": manifest}).encode()))
    namespace.api.request("PUT", path, {**secret, "data": {"release": base64.b64encode(packed).decode()}})


def copies(it: Helm) -> list[Object]:
    """The stored revisions in all copies that were made, oldest file first."""
    folder = Path(it.env["XDG_STATE_HOME"]) / "postrender" / "releases"
    found = sorted(folder.glob("*.json"))
    return [item for path in found for item in json.loads(path.read_text())["items"]]
