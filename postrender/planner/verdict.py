"""What was decided: one ``Verdict`` an object, all of them in a ``Plan``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from postrender._record import Record
from postrender.helm.ownership import Ownership
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit
from postrender.models import Json, LiveObject, ObjectKey, Resource, Severity, object_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import DryRunRequest
    from postrender.helm.simulate import Prediction


class Action(Enum):
    """What the filter does to one object's document, or to the object."""

    PASS = "pass"
    STAMP = "stamp"
    LABEL = "label"
    PIN = "pin"
    STORE = "store live"
    STRIP = "strip"
    OPTION = "sync option"
    ADOPT = "adopt"
    APPLY = "apply"
    LEAVE = "leave"
    REFUSE = "refuse"


class Finding(Record):
    """One thing a user is told about one object: a code, a sentence without a full stop, what to type next."""

    code: str
    severity: Severity
    text: str
    next: tuple[str, ...] = ()


class Verdict(Record):
    """What becomes of one object.

    ``edits`` are what the filter does to its document, ``adopt`` the live object that ``--adopt`` lets postrender
    stamp first, ``apply`` the JSON merge patch that ``--on-drift apply`` lets it send to the live object before Helm
    runs (``None`` for none), ``repair_patch`` the one that would give it what the chart wants if this Helm does not,
    ``dry_run`` the request that Helm will send for it. ``prediction`` is ``None`` if the object was not looked up, and
    if Helm applies server-side and the server was not asked.
    """

    ref: ObjectRef
    key: ObjectKey
    resource: Resource
    ownership: Ownership | None
    actions: tuple[Action, ...]
    findings: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = ()
    prediction: Prediction | None = None
    adopt: LiveObject | None = None
    apply: Json = None
    repair_patch: Json = None
    dry_run: DryRunRequest | None = None

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.key)


class Plan(Record):
    """The verdicts in stream order; ``removed`` are those of objects that an upgrade takes out of the release.

    ``notes`` are sentences about the plan as a whole.
    """

    verdicts: tuple[Verdict, ...]
    removed: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[tuple[Verdict, Finding], ...]:
        """Everything that stops the run."""
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
        """The verdicts that need the live object stamped first, one for each object."""
        return _last_of_each(verdict for verdict in self.verdicts if verdict.adopt is not None)

    @property
    def applications(self) -> tuple[Verdict, ...]:
        """The verdicts whose live object is brought to what the chart says before Helm runs, one for each object."""
        return _last_of_each(verdict for verdict in self.verdicts if verdict.apply is not None)


def _last_of_each(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """One verdict for each object: a stream may have one twice, and the last document counts."""
    return tuple({verdict.key: verdict for verdict in verdicts}.values())
