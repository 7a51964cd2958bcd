"""The kinds that an API server serves, and whether it takes an object: asked, never guessed."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.e2e.api import APPLY_PATCH, Api, ApiError, Namespace, Object
from tests.e2e.kinds import NAMESPACE as NAMESPACES
from tests.e2e.kinds import Kind

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
NAMESPACE = "dry-runs"
"""Where dry runs are made: nothing is ever stored there, so no quota or limit of another case acts on them."""
HERE = "$NAMESPACE"
"""In a drawn object: the namespace that it is made in."""


def placed(body: Object, namespace: str) -> Object:
    """The object for one namespace."""
    made: Object = json.loads(json.dumps(body).replace(HERE, namespace))
    return made


class Server:
    """One API server, asked as its administrator."""

    def __init__(self, api: Api) -> None:
        self.api = api
        if api.get(NAMESPACES.path("", NAMESPACE)) is None:
            Namespace.create_new(api, NAMESPACE)
        self.kinds = {(kind.api_version, kind.kind): kind for kind in _served(api)}

    def kind(self, body: Object) -> Kind | None:
        """The kind of a manifest, ``None`` where no object of it can be created."""
        return self.kinds.get((str(body.get("apiVersion")), str(body.get("kind"))))

    def takes(self, kind: Kind, body: Object, *, apply: bool = False) -> bool:
        """Whether a dry-run create succeeds, and, with ``apply``, a dry-run server-side apply of the same body."""
        return self.why_not(kind, body, apply=apply) == ""

    def why_not(self, kind: Kind, body: Object, *, apply: bool) -> str:
        """The server's objection to a new object of this body; unknown fields are one. ``""`` for none."""
        tried = placed(body, NAMESPACE)
        tried["metadata"]["name"] = name = tried["metadata"].get("name") or "tried"
        try:
            self.api.request(
                "POST",
                kind.path(NAMESPACE),
                tried,
                query={"dryRun": "All", "fieldValidation": "Strict" if builtin(kind) else "Ignore"},
            )
            if apply:
                query = {"dryRun": "All", "fieldManager": "helm"}
                self.api.request("PATCH", kind.path(NAMESPACE, name), tried, content_type=APPLY_PATCH, query=query)
        except ApiError as error:
            return str(error)
        return ""


def _served(api: Api) -> list[Kind]:
    """Every kind of which objects can be created by POST; the preferred version of a group comes first."""
    found = []
    for root in ("/api", "/apis"):
        for group in json.loads(api.text("GET", root, accept=DISCOVERY))["items"]:
            for version in group["versions"]:
                name = group["metadata"].get("name", "")
                kinds = [_kind(name, version["version"], each) for each in version.get("resources") or []]
                found += [kind for kind in kinds if kind is not None]
    return found


def _kind(group: str, version: str, resource: Object) -> Kind | None:
    if "create" not in resource["verbs"] or "get" not in resource["verbs"]:
        return None
    kind = Kind(group, version, resource["responseKind"]["kind"], resource["resource"])
    return replace(kind, namespaced=resource["scope"] == "Namespaced")


def builtin(kind: Kind) -> bool:
    """Whether the server has the kind of its own."""
    return not kind.group.endswith("example.com")
