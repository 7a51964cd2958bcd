"""Ask gopatch, the Go program beside this file, what Helm's own code makes of JSON documents."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from postrender.models import GroupVersionKind
from tests.tools import assets

Json = Any


@dataclass(frozen=True, slots=True)
class Failure:
    """Go's error: every message seen in some runs, as Go walks maps in no order. A panic's starts ``runtime error``."""

    messages: frozenset[str]


class GoPatch:
    """A running gopatch."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(assets.gopatch())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def close(self) -> None:
        """End the program."""
        self._process.communicate()

    def ask(
        self, operation: str, *documents: Json, gvk: GroupVersionKind | None = None, keys: Sequence[str] = ()
    ) -> Json:
        """The result of one operation, or a Failure; the operations are those of ``do`` in gopatch/main.go."""
        assert self._process.stdin
        assert self._process.stdout
        request = {
            "op": operation,
            "apiVersion": gvk.api_version if gvk else "",
            "kind": gvk.kind if gvk else "",
            "documents": [as_marshalled(document) for document in documents],
            "keys": list(keys),
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "errors" in answer:
            return Failure(frozenset(answer["errors"]))
        return answer["result"]


def as_marshalled(value: Json) -> Json:
    """The value with every number as Go writes it that once read it: ``1.0`` as ``1``, 2**63 from a float64."""
    if isinstance(value, dict):
        return {key: as_marshalled(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_marshalled(element) for element in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(Decimal(repr(value)))
    return value


def same(left: Json, right: Json) -> bool:
    """Whether two results are one JSON text, the order of members and the writing of numbers aside."""
    return json.dumps(as_marshalled(left), sort_keys=True) == json.dumps(as_marshalled(right), sort_keys=True)
