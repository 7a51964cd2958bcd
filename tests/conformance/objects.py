"""Where the objects of the cases come from: public charts, the server's own schemas, and custom resources."""

from __future__ import annotations

import base64
import copy
import json
import tarfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Protocol, TypeAlias

import yaml

from tests.conformance import customs
from tests.conformance.schemas import Schemas
from tests.conformance.server import Server
from tests.corpus.conftest import CHARTS
from tests.e2e.api import Object
from tests.e2e.kinds import Kind

Found: TypeAlias = tuple[Kind, Object]
MINIMAL = Path(__file__).with_name("minimal.yaml")


class Source(Protocol):
    """Draws objects that a chart could have, of kinds that the server serves."""

    def draw(self, chance: Random) -> Found:
        """An object that the server may or may not take."""


LEFT_OUT = {
    "APIService": "discovery asks the service behind it, and every Helm would wait for that",
    "CustomResourceDefinition": "each one that comes or goes changes what every other case discovers",
}
"""Kinds of which no case is made, and why."""
NEVER = "never.example.com"
"""A group that nobody serves, so that a webhook or policy of one case acts on no other."""


class _Loader(yaml.SafeLoader):
    """YAML as charts have it: a lone ``=`` is a string."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _tag in ("value", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _text)


@cache
def of_charts() -> tuple[Object, ...]:
    """Every object of the 48 rendered charts; raises OSError where they are not there."""
    found: list[Object] = []
    with tarfile.open(CHARTS) as archive:
        for member in sorted((each for each in archive if each.isfile()), key=lambda each: each.name):
            content = archive.extractfile(member)
            assert content is not None
            found += [each for each in yaml.load_all(content, Loader=_Loader) if isinstance(each, dict)]
    return tuple(found)


class ChartObjects:
    """Draws objects of the public charts, of the kinds that the server has."""

    def __init__(self, server: Server) -> None:
        self._by_kind: dict[str, list[Found]] = {}
        for body in of_charts():
            kind = server.kind(body)
            if kind is not None and kind.kind not in LEFT_OUT:
                self._by_kind.setdefault(kind.kind, []).append((kind, body))

    def draw(self, chance: Random) -> Found:
        """One object; rare kinds are drawn nearly as often as common ones."""
        kinds = tuple(self._by_kind)
        weights = [len(self._by_kind[kind]) ** 0.5 for kind in kinds]
        kind, body = chance.choice(self._by_kind[chance.choices(kinds, weights)[0]])
        return kind, harmless(body)


class GrownObjects:
    """Draws objects that grew from minimal ones by the server's schemas, as far as the server takes them."""

    def __init__(self, server: Server, minimal: Sequence[Object], schemas: Schemas) -> None:
        self._server = server
        self._schemas = schemas
        # An older server lacks a few kinds.
        self._minimal = [(kind, body) for body in minimal if (kind := server.kind(body)) is not None]
        assert len(self._minimal) > 0.9 * len(minimal), "the server has too few of these kinds"

    def draw(self, chance: Random) -> Found:
        """One object with up to six more fields than the least."""
        kind, body = chance.choice(self._minimal)
        body = harmless(body)
        if chance.random() < 0.3:
            body["metadata"]["labels"] = {"a": "b", "c": "d"}
        wanted = chance.randint(0, 6)
        for _ in range(4 * wanted):
            if not wanted:
                break
            more = harmless(self._schemas.grown(chance, kind, body))
            if more != body and self._server.takes_whole(kind, more):
                body = more
                wanted -= 1
        return kind, body


class Secrets:
    """Draws Secrets whose values stand in ``data``, in ``stringData`` or in both."""

    def __init__(self, server: Server) -> None:
        kind = server.kind({"apiVersion": "v1", "kind": "Secret"})
        assert kind is not None
        self._kind = kind

    def draw(self, chance: Random) -> Found:
        """A Secret with up to four values."""
        body: Object = {"apiVersion": "v1", "kind": "Secret"}
        for key in ("a", "b", "c", "d")[: chance.randint(1, 4)]:
            for place in chance.choice((("stringData",), ("stringData",), ("data",), ("data", "stringData"))):
                value = f"{place} {key} {chance.randint(1, 9)}"
                body.setdefault(place, {})[key] = (
                    value if place == "stringData" else base64.b64encode(value.encode()).decode()
                )
        if chance.random() < 0.3:
            body["metadata"] = {"labels": {"a": "b"}}
        return self._kind, harmless(body)


def sources(server: Server) -> dict[str, Source]:
    """What cases can be drawn from, by name."""
    schemas = Schemas(server.api)
    found: dict[str, Source] = {
        "schemas": GrownObjects(server, yaml.safe_load(MINIMAL.read_text()), schemas),
        "customs": GrownObjects(server, customs.minimal(), schemas),
        "secrets": Secrets(server),
    }
    return {"charts": ChartObjects(server), **found} if CHARTS.is_file() else found


def harmless(body: Object) -> Object:
    """The object so that many can live beside each other on one server: in any namespace, acting on nobody."""
    made: Object = json.loads(json.dumps(copy.deepcopy(body)))
    made.pop("status", None)
    metadata = made.setdefault("metadata", {})
    metadata.pop("namespace", None)
    metadata["name"] = "drawn"
    notes = {
        key: value
        for key, value in (metadata.pop("annotations", None) or {}).items()
        if not key.startswith("helm.sh/") and not key.endswith("/is-default-class")
    }
    if notes:
        metadata["annotations"] = notes
    for parent, key in list(_everywhere(made)):
        if key in ("nodePort", "healthCheckNodePort", "globalDefault") or (
            key in ("clusterIP", "clusterIPs") and parent[key] not in ("None", ["None"])
        ):
            del parent[key]
        elif key == "apiGroups" and "Role" not in made["kind"]:
            parent[key] = [NEVER]
    return made


def _everywhere(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        if isinstance(value, dict):
            yield value, key
        yield from _everywhere(each)
