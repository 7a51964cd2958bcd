"""Custom resources with all that a schema can say of defaults, unknown fields and lists, in two versions."""

from __future__ import annotations

import copy

from tests.e2e.api import Object
from tests.e2e.kinds import CRD, Kind

GROUP = "conformance.example.com"
WIDGET = Kind(GROUP, "v1", "Widget", "widgets")
WIDGET_V2 = Kind(GROUP, "v2", "Widget", "widgets")
WORLD = Kind(GROUP, "v1", "World", "worlds", namespaced=False)

_TEXT: Object = {"type": "string"}
_SPEC: Object = {
    "type": "object",
    "properties": {
        "color": _TEXT,
        "size": {"type": "string", "default": "M"},
        "count": {"type": "integer", "default": 1},
        "ready": {"type": "boolean"},
        "nothing": {"type": "string", "nullable": True},
        "labels": {"type": "object", "additionalProperties": _TEXT},
        "limits": {
            "type": "object",
            "default": {},
            "properties": {"cpu": {"type": "string", "default": "1"}, "memory": _TEXT},
        },
        "atomicMap": {"type": "object", "additionalProperties": _TEXT, "x-kubernetes-map-type": "atomic"},
        "set": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "plain": {"type": "array", "items": _TEXT},
        "entries": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": _TEXT, "value": _TEXT, "mode": {"type": "string", "default": "auto"}},
            },
        },
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"type": "integer"},
                    "protocol": {"type": "string", "default": "TCP"},
                    "name": _TEXT,
                },
            },
        },
        "blocks": {
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {"type": "object", "properties": {"a": _TEXT, "b": {"type": "integer", "default": 7}}},
        },
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


def definitions() -> list[Object]:
    """The custom resource definitions."""
    return [_definition(WIDGET, WIDGET_V2), _definition(WORLD)]


def minimal() -> list[Object]:
    """The objects from which others grow; ``pruned`` is a field that no schema has, which only a create may have."""
    spec = {
        "color": "red",
        "labels": {"a": "b"},
        "set": ["x", "y"],
        "plain": ["p", "q"],
        "entries": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
        "ports": [{"port": 80, "name": "x"}, {"port": 81}],
        "blocks": [{"a": "x"}, {"b": 2}],
        "any": {"a": {"b": [1, {"c": "d"}]}},
        "atomicMap": {"a": "b"},
    }
    return [
        {"apiVersion": kind.api_version, "kind": kind.kind, "spec": copy.deepcopy({**spec, **more})}
        for kind, more in ((WIDGET, {}), (WIDGET, {"pruned": "y"}), (WIDGET_V2, {}), (WORLD, {}))
    ]


def _definition(*kinds: Kind) -> Object:
    first = kinds[0]
    schema = {"type": "object", "properties": {"spec": _SPEC}}
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": f"{first.plural}.{first.group}"},
        "spec": {
            "group": first.group,
            "scope": "Namespaced" if first.namespaced else "Cluster",
            "names": {"kind": first.kind, "plural": first.plural, "singular": first.kind.lower()},
            "versions": [
                {
                    "name": kind.version,
                    "served": True,
                    "storage": kind is first,
                    "schema": {"openAPIV3Schema": schema},
                }
                for kind in kinds
            ],
        },
    }
