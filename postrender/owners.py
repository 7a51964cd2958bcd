"""Whether the release that a live object names as its owner still exists: asked once for each release."""

from __future__ import annotations

from postrender.live import LiveObject, ReleaseName, Unknown
from postrender.ownership import lives
from postrender.source import Source


class Owners:
    """What a source tells of owners, wherever they may be stored. Unknown is not absent."""

    def __init__(self, source: Source, driver: str) -> None:
        self._source = source
        self._driver = driver
        self._told: dict[ReleaseName, bool | Unknown] = {}

    def lives(self, live: LiveObject) -> bool | Unknown:
        """Of an object that names an owner: whether that is alive."""
        told = [self._one(place) for place in live.stored_as]
        return True if True in told else next((answer for answer in told if isinstance(answer, Unknown)), False)

    def _one(self, place: ReleaseName) -> bool | Unknown:
        if place not in self._told:
            answer = self._source.releases(place, manifest=False, driver=self._driver)
            self._told[place] = answer if isinstance(answer, Unknown) else lives(answer)
        return self._told[place]
