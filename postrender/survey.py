"""Whole kinds listed in pages, instead of one object looked up: the questions, and what a cluster answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from postrender.identity import Resource
from postrender.live import Json, ReleaseName, StoredRelease, Unknown
from postrender.record import Record


class Listing(Record):
    """All objects of a kind in one namespace, or in all (``""``), that a label selector chooses (``""``: all).

    ``keep`` reduces an item, which is JSON with the object's metadata, to what is wanted of it; ``None`` drops it. It
    is called in other threads, by one at a time, and may raise Misshapen.
    """

    resource: Resource
    namespace: str
    selector: str
    keep: Callable[[Resource, Json], Any]


class Page(Record):
    """Some of the objects of a listing, reduced; ``seen`` counts all so far.

    ``failure`` says why there are no more, ``forbidden`` that this is for want of a right; ``last`` ends a listing.
    """

    kept: tuple[Any, ...] = ()
    seen: int = 0
    failure: Unknown | None = None
    forbidden: bool = False
    last: bool = True


class Named(Record):
    """A resource, and what else it may be called: its singular (``""`` where nobody says) and its short names."""

    resource: Resource
    singular: str = ""
    short: tuple[str, ...] = ()


class Catalog(Record):
    """Every kind whose objects can be made and listed, and the groups (by path) that could not be asked."""

    kinds: tuple[Named, ...]
    unknown: Mapping[str, Unknown]


class Survey(Protocol):
    """Where whole kinds are listed: a cluster."""

    @property
    def description(self) -> str:
        """For a reader: ``context kind-dev (https://127.0.0.1:6443)``; never a secret."""

    def catalog(self) -> Catalog:
        """What is served."""

    def pages(self, listings: Sequence[Listing]) -> Iterator[tuple[Listing, Page]]:
        """The pages of all listings as they come, several at once; a listing ends with a failure or without one."""

    def releases(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """As ``Source.releases``."""

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with the flags that reach the same cluster."""

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours, with the flags that do."""
