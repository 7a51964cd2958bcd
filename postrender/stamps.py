"""Ownership metadata by itself: the label and the two annotations that Helm's check reads."""

from __future__ import annotations

from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, LiveObject, ReleaseName
from postrender.record import Record


class Stamps(Record):
    """The three values as they are on an object; ``None`` where one is not there."""

    managed_by: str | None = None
    release_name: str | None = None
    release_namespace: str | None = None

    @property
    def values(self) -> dict[str, str | None]:
        """By the key of the label and of the annotations."""
        return {
            MANAGED_BY: self.managed_by,
            RELEASE_NAME: self.release_name,
            RELEASE_NAMESPACE: self.release_namespace,
        }


def stamps_of(live: LiveObject) -> Stamps:
    """Those of a live object."""
    annotations = live.annotations
    return Stamps(live.labels.get(MANAGED_BY), annotations.get(RELEASE_NAME), annotations.get(RELEASE_NAMESPACE))


def stamps_for(release: ReleaseName) -> Stamps:
    """Those of an object of a release."""
    return Stamps("Helm", release.name, release.namespace)
