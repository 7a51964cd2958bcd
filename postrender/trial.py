"""What Helm will send for one object, to be asked of the API server as a dry run, and what the server says.

A dry run goes through everything a write goes through, admission included, but for the last step: nothing is kept
(``dryRun=All``, k8s.io/apiserver 0.34, pkg/registry/generic/registry/dryrun.go).
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from postrender.identity import ObjectKey, Resource, object_name
from postrender.live import Json
from postrender.record import Record


class Verb(Enum):
    """How one object is written; by a JSON patch only in a dry run."""

    APPLY = "server-side apply"
    MERGE = "merge patch"
    STRATEGIC = "strategic merge patch"
    REPLACE = "replace"
    CREATE = "create"
    JSON = "JSON patch"


class Trial(Record, hidden=("body",)):
    """One request. ``force`` is server-side apply's: take fields from other field managers.

    ``first_own`` says that Helm makes the entries of its client-side past its own before it applies, so that no
    conflict with those can arise; ``first_stamped`` that postrender writes the ownership metadata before Helm comes.
    ``client_side_past`` says that there are such entries: the answer is what the apply makes of the object once they
    are migrated, or, unless ``first_own``, what the apply leaves because they are not. ``new`` says that nothing is
    live under that name, ``strict`` that Helm asks for no field to be unknown.
    ``follows`` says that an earlier document of the run writes the object first: the server cannot foresee the result.
    ``stands_for`` is the object for which the request is sent under another name, an unused one.
    """

    verb: Verb
    resource: Resource
    key: ObjectKey
    body: Json
    force: bool = False
    first_own: bool = False
    first_stamped: bool = False
    new: bool = False
    strict: bool = False
    stands_for: ObjectKey | None = None
    client_side_past: bool = False
    follows: bool = False

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.about)

    @property
    def about(self) -> ObjectKey:
        """The object that the request is about, whatever name it is sent under."""
        return self.stands_for or self.key


class Accepted(Record, hidden=("live",)):
    """The server would carry it out; ``live`` is what it says would then be there.

    ``removed`` are paths, each of elements as in ``fieldsV1``, of what goes or changes because Helm migrated its
    ownership and the chart lacks it. ``left`` are such paths of what stays because Helm does not migrate.
    """

    live: Json
    removed: tuple[tuple[str, ...], ...] = ()
    left: tuple[tuple[str, ...], ...] = ()


class Conflict(Record):
    """One field that another field manager set: ``field`` is like ``.spec.color``.

    ``by_update`` tells an entry of plain writes from one of server-side apply.
    """

    field: str
    manager: str
    by_update: bool


class Conflicting(Record):
    """Server-side apply without force would end there; ``message`` is the server's."""

    conflicts: tuple[Conflict, ...]
    message: str


class Rejected(Record):
    """The server would refuse: an immutable field, an invalid value, an admission. ``message`` is the server's."""

    message: str


class NotAsked(Record):
    """Nothing is known: no right to write, no server, no clear answer.

    ``reason`` is a sentence without a full stop, ``""`` where nobody expects an answer (a file stands for the cluster);
    ``next`` what a user can type.
    """

    reason: str = ""
    next: tuple[str, ...] = ()


TrialAnswer: TypeAlias = Accepted | Conflicting | Rejected | NotAsked
