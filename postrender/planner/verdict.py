"""The result of planning: one ``Verdict`` per object, all of them in a ``Plan``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from postrender._record import Record
from postrender.helm.ownership import OwnerStatus
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit
from postrender.models import Json, LiveObject, ObjectKey, Resource, Severity, object_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import DryRunRequest
    from postrender.helm.simulate import Prediction


class Action(Enum):
    """A change of the filter to one document, or to the live object."""

    PASS = "pass"
    STAMP = "stamp"
    LABEL = "label"
    PIN = "pin"
    STORE = "store live"
    STRIP = "strip"
    OPTION = "sync option"
    KEEP = "keep live"
    ADOPT = "adopt"
    APPLY = "apply"
    LEAVE = "leave"
    REFUSE = "refuse"


class Finding(Record):
    """A statement about one object: a code, a sentence without a full stop, and suggested commands (``next``)."""

    code: str
    severity: Severity
    text: str
    next: tuple[str, ...] = ()


def error(code: str, text: str, next: tuple[str, ...] = ()) -> Finding:
    """A finding that stops the run."""
    return Finding(code, Severity.ERROR, text, next)


def warning(code: str, text: str, next: tuple[str, ...] = ()) -> Finding:
    """A finding about a risk; the run goes on."""
    return Finding(code, Severity.WARNING, text, next)


def note(code: str, text: str, next: tuple[str, ...] = ()) -> Finding:
    """A finding for the reader's information."""
    return Finding(code, Severity.INFO, text, next)


class Verdict(Record):
    """The decision about one object.

    ``edits`` are the changes to its document, ``adopt`` the live object whose ownership metadata postrender writes
    first, ``apply`` the JSON merge patch that ``--on-drift apply`` sends to the live object before Helm runs
    (``None`` for none), ``repair_patch`` the patch that would correct the object if this Helm does not, ``dry_run``
    the request that Helm will send. ``prediction`` is ``None`` without a lookup, and for server-side apply without a
    dry run. ``kept_live`` are the fields whose live values the document has, besides ``edits``.
    """

    ref: ObjectRef
    key: ObjectKey
    resource: Resource
    ownership: OwnerStatus | None
    actions: tuple[Action, ...]
    findings: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = ()
    prediction: Prediction | None = None
    adopt: LiveObject | None = None
    apply: Json = None
    repair_patch: Json = None
    dry_run: DryRunRequest | None = None
    kept_live: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The object's name in messages, such as ``shirts.stable.example.com/shop/shirt``."""
        return object_name(self.resource, self.key)


class Plan(Record):
    """The verdicts in stream order; ``removed`` are those of objects that an upgrade removes from the release.

    ``notes`` are sentences about the plan as a whole.
    """

    verdicts: tuple[Verdict, ...]
    removed: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[tuple[Verdict, Finding], ...]:
        """The findings that stop the run, each with its verdict."""
        return tuple(
            (verdict, finding)
            for verdict in (*self.verdicts, *self.removed)
            for finding in verdict.findings
            if finding.severity is Severity.ERROR
        )

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits, in stream order."""
        return tuple(edit for verdict in self.verdicts for edit in verdict.edits)

    @property
    def adoptions(self) -> tuple[Verdict, ...]:
        """The verdicts whose live object gets ownership metadata first, one per object."""
        return _last_of_each(verdict for verdict in self.verdicts if verdict.adopt is not None)

    @property
    def applications(self) -> tuple[Verdict, ...]:
        """The verdicts whose live object is updated to the chart before Helm runs, one per object."""
        return _last_of_each(verdict for verdict in self.verdicts if verdict.apply is not None)


def _last_of_each(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """One verdict for each object: a stream may have one twice, and the last document counts."""
    return tuple({verdict.key: verdict for verdict in verdicts}.values())
