"""Whether the release that a live object names as its owner still exists: asked once for each release."""

from __future__ import annotations

from postrender.helm.ownership import DRIVERS, release_exists
from postrender.models import LiveObject, ReleaseName, StoredRelease, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Records(Protocol):
    """Where revisions are stored."""

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """As ``Source.get_revisions``."""

    def typed(self, command: str, namespace: str) -> str:
        """As ``Source.typed``."""


class ReleaseLookup:
    """Whether releases exist. Unknown is not absent.

    Asks for Secrets and for ConfigMaps. ``driver`` is the caller's; if it keeps releases out of the cluster, an owner
    that the cluster does not hold may be there too, and is unknown.
    """

    def __init__(self, source: Records, driver: str) -> None:
        self._source = source
        self._driver = driver
        self._known: dict[ReleaseName, bool | Unknown] = {}

    def owner_exists(self, live: LiveObject) -> bool | Unknown:
        """Of an object that names an owner: whether that exists."""
        return _together([self.exists(place) for place in live.stored_as])

    def exists(self, release: ReleaseName) -> bool | Unknown:
        """Whether a release exists."""
        if release not in self._known:
            drivers = dict.fromkeys((*DRIVERS, self._driver))
            self._known[release] = _together([self._stored(release, driver) for driver in drivers])
        return self._known[release]

    def _stored(self, release: ReleaseName, driver: str) -> bool | Unknown:
        answer = self._source.get_revisions(release, manifest=False, driver=driver)
        return answer if isinstance(answer, Unknown) else release_exists(answer, self._source.typed)


def _together(answers: list[bool | Unknown]) -> bool | Unknown:
    if any(answer is True for answer in answers):
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)
