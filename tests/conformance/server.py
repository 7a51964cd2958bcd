"""The kinds that an API server serves, and whether it takes an object: asked, never guessed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

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
        try:
            self.created(kind, body)
            if apply:
                tried, query = placed(body, NAMESPACE), {"dryRun": "All", "fieldManager": "helm"}
                path = kind.path(NAMESPACE, tried["metadata"]["name"])
                self.api.request("PATCH", path, tried, content_type=APPLY_PATCH, query=query)
        except ApiError as error:
            return str(error)
        return ""

    def created(self, kind: Kind, body: Object) -> Object:
        """The object that a create would make; raises ApiError where the server does not take it."""
        query = {"dryRun": "All", "fieldValidation": "Strict" if builtin(kind) else "Ignore"}
        return self.api.request("POST", kind.path(NAMESPACE), placed(body, NAMESPACE), query=query)

    def takes_whole(self, kind: Kind, body: Object) -> bool:
        """Whether a create would succeed and leave out no field, as the server does with some that are switched off."""
        try:
            return _within(placed(body, NAMESPACE), self.created(kind, body))
        except ApiError:
            return False


def _within(part: Any, whole: Any) -> bool:
    """Whether all that is in the one is in the other; what is empty may be missing."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key == "stringData" or _within(each, whole.get(key)) for key, each in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return not part or whole is not None


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
