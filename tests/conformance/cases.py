"""Cases: an old chart's object, a new one's, and how the old one came to be live. Each is drawn from its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from tests.conformance import customs
from tests.conformance.changes import changed
from tests.conformance.objects import Source
from tests.conformance.server import Server
from tests.e2e.api import Object
from tests.e2e.kinds import Kind

SHARES = {"charts": 5, "schemas": 3, "customs": 2, "secrets": 1}
"""How often each source is drawn from."""


class Start(Enum):
    """How the old object came to be live before the run that is judged."""

    KEPT = "kept"
    """Kept by the same release, which was uninstalled."""
    ORPHAN = "orphan"
    """Kept by another release, which was uninstalled; the filter may adopt it."""
    READOPTED = "readopted"
    """Kept, adopted again with another chart by Helm alone, and kept once more."""
    UPGRADED = "upgraded"
    """Kept, adopted again with another chart by Helm alone; the run is an upgrade."""
    OLDER = "older Helm"
    """Kept by the same release, which an older Helm had installed."""
    APPLIED = "kubectl apply"
    """Made by ``kubectl apply``; the filter may adopt it."""
    APPLIED_SERVER_SIDE = "kubectl apply --server-side"
    """The same, applied on the server."""


@dataclass(frozen=True)
class Case:
    """One object of a chart that was, of one between for some starts, and of the chart that comes.

    ``force_conflicts`` is Helm's flag, for one that applies server-side.
    """

    seed: int
    number: int
    source: str
    kind: Kind
    start: Start
    change: str
    old: Object
    between: Object
    new: Object
    force_conflicts: bool = False

    @property
    def name(self) -> str:
        """``7:31``: the seed and the number."""
        return f"{self.seed}:{self.number}"


class Deck:
    """Draws cases that the server takes: a fresh installation of each chart would succeed."""

    def __init__(
        self,
        server: Server,
        seed: int,
        sources: Mapping[str, Source],
        *,
        apply: bool,
        starts: Sequence[Start] = tuple(Start),
    ) -> None:
        """``apply`` is for a Helm that applies server-side: not all that can be created can be applied."""
        self._server = server
        self._seed = seed
        self._apply = apply
        self._starts = tuple(starts)
        self._sources = sources

    def draw(self, number: int) -> Case:
        """The case of that number, the same one whenever it is asked for."""
        chance = Random(f"{self._seed}:{number}")
        start = chance.choice(self._starts)
        name = chance.choices(tuple(self._sources), [SHARES[each] for each in self._sources])[0]
        apply = self._apply or start is Start.APPLIED_SERVER_SIDE
        force = self._apply and "apply" in start.value and chance.random() < 0.9
        while True:
            kind, old = self._sources[name].draw(chance)
            if not self._server.takes(kind, old, apply=apply):
                continue
            for _ in range(10):
                new, change = changed(chance, old)
                if kind == customs.WIDGET and chance.random() < 0.15:
                    new = {**new, "apiVersion": customs.WIDGET_V2.api_version}
                    change = "; ".join(filter(None, (change, "version changes")))
                elif chance.random() < 0.05:
                    new, change = old, "nothing changes"
                elif new == old:
                    continue
                if not self._server.takes(kind, new, apply=apply):
                    continue
                if chance.random() < 0.4:
                    old, new, change = new, old, f"{change}, backwards"
                between = self._between(chance, kind, new)
                found = self._server.kind(new)
                assert found is not None
                return Case(self._seed, number, name, found, start, change, old, between, new, force)

    def _between(self, chance: Random, kind: Kind, body: Object) -> Object:
        """Another chart's object, of which nobody says anything."""
        for _ in range(5):
            other, _ = changed(chance, body)
            if self._server.takes(kind, other, apply=self._apply):
                return other
        return body
