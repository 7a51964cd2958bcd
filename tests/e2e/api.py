"""The live objects, asked for and changed by plain HTTP on exact paths: none of the code under test takes part."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.e2e.kinds import NAMESPACE, SECRET, Kind
from tests.tools.assets import KUBERNETES

Object: TypeAlias = "dict[str, Any]"
"""A Kubernetes object as decoded JSON."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


VERSION_MISSING = (
    f"metadata.resourceVersion: Invalid value: {'0x0' if int(KUBERNETES.split('.')[1]) < 34 else '0'}: "
    "must be specified for an update"
)
"""The server's error for an update without a resourceVersion: Kubernetes 1.33 and older print numbers as Go source."""


class ApiError(RuntimeError):
    """The API server answered with something else than success; ``status`` is the HTTP code."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(f"{status}: {text}")


class Api:
    """One user's connection to a server; never goes through a proxy."""

    def __init__(self, url: str, ca: str, token: str) -> None:
        self.url = url
        self._token = token
        context = ssl.create_default_context(cafile=ca)
        self._direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def text(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = JSON,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """The answer's body; raises ApiError for a status of 300 or more."""
        parameters = f"?{urllib.parse.urlencode(query)}" if query else ""
        request = urllib.request.Request(
            f"{self.url}{path}{parameters}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Accept": accept, "Content-Type": content_type},
            method=method,
        )
        try:
            with self._direct.open(request, timeout=60) as answer:
                return str(answer.read(), "utf-8")
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from error

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """The decoded answer; raises ApiError."""
        found: Object = json.loads(self.text(method, path, body, content_type=content_type, query=query))
        return found

    def get(self, path: str) -> Object | None:
        """The object at an exact path, ``None`` where there is none; raises ApiError for any other failure."""
        try:
            return self.request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise


@dataclass(frozen=True, slots=True)
class Release:
    """One stored revision of a Helm release."""

    name: str
    revision: int
    status: str
    manifest: str
    body: Object


class Namespace:
    """One namespace, through an administrator's eyes.

    Every method takes cluster-scoped kinds too and then looks at the cluster's objects, which tests share: derive
    their names from ``name``.
    """

    def __init__(self, api: Api, name: str) -> None:
        self.api = api
        self.name = name

    @classmethod
    def create_new(cls, api: Api, name: str) -> Namespace:
        """Make the namespace; raises ApiError where it is already there."""
        api.request("POST", NAMESPACE.path(""), {"metadata": {"name": name}})
        return cls(api, name)

    def get(self, kind: Kind, name: str) -> Object | None:
        """The live object, ``None`` where there is none."""
        return self.api.get(kind.path(self.name, name))

    def found(self, kind: Kind, name: str) -> Object:
        """The live object, which has to be there."""
        live = self.get(kind, name)
        assert live is not None, f"{kind.kind}.{kind.group} {self.name}/{name} is not there"
        return live

    def content(self, kind: Kind, name: str) -> Any:
        """What the live object holds (``spec``, ``data``, as its kind says), ``None`` where there is not an object."""
        live = self.get(kind, name)
        return None if live is None else live.get(kind.content)

    def uid(self, kind: Kind, name: str) -> str:
        """The live object's ``metadata.uid``."""
        return str(self.found(kind, name)["metadata"]["uid"])

    def resource_version(self, kind: Kind, name: str) -> str:
        """The live object's ``metadata.resourceVersion``."""
        return str(self.found(kind, name)["metadata"]["resourceVersion"])

    def annotations(self, kind: Kind, name: str) -> dict[str, str]:
        """The live object's annotations, maybe none."""
        return dict(self.found(kind, name)["metadata"].get("annotations", {}))

    def labels(self, kind: Kind, name: str) -> dict[str, str]:
        """The live object's labels, maybe none."""
        return dict(self.found(kind, name)["metadata"].get("labels", {}))

    def owner(self, kind: Kind, name: str) -> str:
        """The release that the live object's metadata names, as Helm reads it; ``""`` for none."""
        return self.annotations(kind, name).get("meta.helm.sh/release-name", "")

    def create(self, manifest: Object, kind: Kind, manager: str = "kubectl-create") -> Object:
        """POST a manifest, as the field manager named; raises ApiError."""
        return self.api.request("POST", kind.path(self.name), manifest, query={"fieldManager": manager})

    def kubectl_apply(self, manifest: Object, kind: Kind) -> Object:
        """Create the object as ``kubectl apply`` does client-side: its field manager, its annotation."""
        applied = json.dumps(manifest, separators=(",", ":")) + "\n"
        annotations = {
            **manifest["metadata"].get("annotations", {}),
            "kubectl.kubernetes.io/last-applied-configuration": applied,
        }
        annotated = {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}}
        return self.create(annotated, kind, "kubectl-client-side-apply")

    def apply(self, manifest: Object, kind: Kind, manager: str, *, force: bool = False) -> Object:
        """Server-side apply; raises ApiError, 409 for a conflict."""
        path = kind.path(self.name, str(manifest["metadata"]["name"]))
        query = {"fieldManager": manager, "force": str(force).lower()}
        return self.api.request("PATCH", path, manifest, content_type=APPLY_PATCH, query=query)

    def patch(self, kind: Kind, name: str, patch: Object, manager: str = "someone") -> Object:
        """Send a merge patch, as the field manager named; raises ApiError."""
        query = {"fieldManager": manager}
        return self.api.request("PATCH", kind.path(self.name, name), patch, content_type=MERGE_PATCH, query=query)

    def delete(self, kind: Kind, name: str) -> None:
        """DELETE the object; raises ApiError where there is none."""
        self.api.request("DELETE", kind.path(self.name, name))

    def releases(self, name: str) -> list[Release]:
        """Every stored revision of a Helm release (driver ``secret``), ascending; empty where it is gone."""
        query = {"labelSelector": f"owner=helm,name={name}"}
        secrets = self.api.request("GET", SECRET.path(self.name), query=query)["items"]
        return sorted((_decode(secret["data"]["release"]) for secret in secrets), key=lambda each: each.revision)


def _decode(data: str) -> Release:
    body: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    return Release(body["name"], body["version"], body["info"]["status"], body.get("manifest", ""), body)


def wait_until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Ask again and again until it is so; TimeoutError names what was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)
