"""One operation on JSON documents, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from postrender.models import GroupVersionKind

Json = Any

BIG = 2**53 + 1
"""The first integer that a float64 cannot hold."""


@dataclass(frozen=True, slots=True)
class Case:
    """One operation of gopatch on documents, with its result or, where there is one, its error."""

    name: str
    operation: str
    documents: tuple[Json, ...]
    result: Json = None
    error: str = ""
    kind: str = ""
    gvk: GroupVersionKind | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.kind:
            api_version, _, kind = self.kind.partition(" ")
            object.__setattr__(self, "gvk", GroupVersionKind.parse(api_version, kind))


DEPLOYMENT = "apps/v1 Deployment"
SERVICE = "v1 Service"
POD = "v1 Pod"


def pod(**spec: Json) -> Json:
    return {"spec": spec}
