"""Objects that grow from the least that a server takes, by what its own OpenAPI says there can be."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.e2e.api import Api, Object
from tests.e2e.kinds import Kind

DEPTH = 5
_REFERENCE = "#/components/schemas/"
_LEFT_OUT = ("apiVersion", "kind", "metadata", "status", "nodeName", "finalizers", "globalDefault", "clusterIP")
"""Fields that are not drawn: those every object has, and those that another case would feel."""
_WORDS = ("a", "b", "x1", "example.com/a", "10.1.2.3", "80", "/x", "5m", "ABC", "2024-01-01T00:00:00Z")


class Schemas:
    """The schemas that a server publishes, each fetched when it is first asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._documents: dict[str, Mapping[str, Any]] = {}

    def grown(self, chance: Random, kind: Kind, body: Object) -> Object:
        """The object with one more field, or entry, somewhere; the server may not take it."""
        schemas = self._of(kind)
        wanted = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        top = next(each for each in schemas.values() if wanted in each.get("x-kubernetes-group-version-kind", ()))
        grown: Object = _Grower(chance, schemas).grown(top, body, 0)
        return grown

    def _of(self, kind: Kind) -> Mapping[str, Any]:
        if kind.root not in self._documents:
            document = self._api.request("GET", f"/openapi/v3{kind.root}")
            self._documents[kind.root] = document["components"]["schemas"]
        return self._documents[kind.root]


class _Grower:
    def __init__(self, chance: Random, schemas: Mapping[str, Any]) -> None:
        self._chance = chance
        self._schemas = schemas

    def grown(self, schema: Mapping[str, Any], value: Any, depth: int) -> Any:
        """The value with something more in it, or another value where it holds nothing."""
        schema = self._resolved(schema)
        if isinstance(value, dict):
            return {**value, **self._one_more(schema, value, depth)}
        if isinstance(value, list):
            items = schema.get("items", {})
            if value and self._chance.random() < 0.7:
                at = self._chance.randrange(len(value))
                return [*value[:at], self.grown(items, value[at], depth + 1), *value[at + 1 :]]
            return [*value, self.value(items, depth + 1)]
        return self.value(schema, depth)

    def value(self, schema: Mapping[str, Any], depth: int) -> Any:
        """A value of the schema: what it requires, and some of the rest."""
        schema = self._resolved(schema)
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        if schema.get("format") == "int-or-string" or "oneOf" in schema:
            return self._chance.choice((1, 2, "50%", "100m", "1Gi"))
        sort = schema.get("type")
        if sort == "object" or "properties" in schema:
            return self._object(schema, depth)
        if sort == "array":
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(self._chance.choice((1, 1, 2)))]
        if sort == "boolean":
            return self._chance.random() < 0.5
        if sort in ("integer", "number"):
            return self._chance.choice((1, 2, 5, 10, 30))
        if schema.get("format") == "date-time":
            return "2024-01-01T00:00:00Z"
        if schema.get("format") == "byte":
            return self._chance.choice(("YQ==", "Yg=="))
        if sort == "string":
            return self._chance.choice(_WORDS)
        return {self._chance.choice("abc"): self._chance.choice((1, "x", True))}

    def _object(self, schema: Mapping[str, Any], depth: int) -> Object:
        properties = schema.get("properties") or {}
        if not properties:
            more = schema.get("additionalProperties")
            inner = more if isinstance(more, dict) else {"type": "string"}
            return {name: self.value(inner, depth + 1) for name in self._chance.sample("abc", 2)}
        required = schema.get("required", ())
        share = 0.35 if depth < DEPTH else 0.0
        return {
            name: self.value(each, depth + 1)
            for name, each in properties.items()
            if name in required
            or (name not in _LEFT_OUT and self._chance.random() < share / max(1, len(properties) / 6))
        }

    def _one_more(self, schema: Mapping[str, Any], value: Object, depth: int) -> Object:
        properties = schema.get("properties") or {}
        inner = [name for name in value if name in properties and isinstance(value[name], (dict, list))]
        inner = [name for name in inner if name not in _LEFT_OUT]
        absent = [name for name in properties if name not in value and name not in _LEFT_OUT]
        if inner and (not absent or self._chance.random() < 0.7):
            name = self._chance.choice(inner)
            return {name: self.grown(properties[name], value[name], depth + 1)}
        if absent:
            name = self._chance.choice(absent)
            return {name: self.value(properties[name], depth + 1)}
        if not properties:
            more = schema.get("additionalProperties")
            return {self._chance.choice("abcd"): self.value(more if isinstance(more, dict) else {}, depth + 1)}
        return {}

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = schema
        while True:
            if "$ref" in found:
                found = self._schemas[str(found["$ref"]).removeprefix(_REFERENCE)]
            elif len(found.get("allOf", ())) == 1:
                found = found["allOf"][0]
            else:
                return found
