"""Cases: an old chart's object, a new one's, and how the old one came to be live. Each is drawn from its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from tests.conformance.changes import changed
from tests.conformance.objects import ChartObjects
from tests.conformance.server import Server
from tests.e2e.api import Object
from tests.e2e.kinds import Kind


class Start(Enum):
    """How the old object came to be live before the run that is judged."""

    KEPT = "kept"
    """Kept by the same release, which was uninstalled."""


@dataclass(frozen=True)
class Case:
    """One object of a chart that was, and of the chart that comes."""

    seed: int
    number: int
    kind: Kind
    start: Start
    change: str
    old: Object
    new: Object

    @property
    def name(self) -> str:
        """``7:31``: the seed and the number."""
        return f"{self.seed}:{self.number}"


class Deck:
    """Draws cases that the server takes: a fresh installation of either chart would succeed."""

    def __init__(self, server: Server, seed: int, *, apply: bool, starts: Sequence[Start] = tuple(Start)) -> None:
        """``apply`` is for a Helm that applies server-side: not all that can be created can be applied."""
        self._server = server
        self._seed = seed
        self._apply = apply
        self._starts = tuple(starts)
        self._charts = ChartObjects(server)

    def draw(self, number: int) -> Case:
        """The case of that number, the same one whenever it is asked for."""
        chance = Random(f"{self._seed}:{number}")
        start = chance.choice(self._starts)
        while True:
            kind, old = self._charts.draw(chance)
            if not self._server.takes(kind, old, apply=self._apply):
                continue
            for _ in range(10):
                new, change = changed(chance, old)
                if chance.random() < 0.05:
                    new, change = old, "nothing changes"
                elif new == old or not self._server.takes(kind, new, apply=self._apply):
                    continue
                if chance.random() < 0.4:
                    old, new, change = new, old, f"{change}, backwards"
                return Case(self._seed, number, kind, start, change, old, new)
