"""A plan as every format shows it: plain values, Secrets redacted, nothing left to decide."""

from __future__ import annotations

from postrender._record import Record
from postrender.manifest.json_diff import Change
from postrender.models import Json, ReleaseName
from postrender.planner.verdict import Finding


class About(Record):
    """What a run was about.

    ``helm`` is the version, ``""`` where it is not known; ``action`` one of Helm's, ``""`` where nobody said;
    ``dry_run`` one of no, client, server. ``revision`` is that of the release an upgrade starts from, 0 for an install.
    ``setting_origins`` says where each setting came from, ``notes`` are sentences. ``digest_key`` names the user's key
    that the digests of Secret values were made with, ``""`` where that was one for this run alone.
    """

    helm: str = ""
    action: str = ""
    dry_run: str = "no"
    release: ReleaseName | None = None
    revision: int = 0
    source: str = ""
    setting_origins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    digest_key: str = ""


class Identity(Record):
    """An object. ``namespace`` is ``""`` for cluster scope, ``name`` where the server makes it."""

    group: str
    version: str
    kind: str
    plural: str
    namespace: str
    name: str


class Owner(Record):
    """Whose the live object is: ``standing`` is absent, ours, ours-kept, orphan, foreign, unmanaged, terminating or
    unknown; ``release`` the one that it names.
    """

    standing: str
    release: ReleaseName | None = None


class Predicted(Record):
    """What Helm will do to the object.

    ``request`` is create, patch, replace, apply, nothing, delete, hook, or unknown where not looked up; ``error`` the
    objection that it would meet; ``patch`` the body of a patch; ``changes`` what differs between live and ``after``.
    """

    request: str
    error: str = ""
    patch: Json = None
    changes: tuple[Change, ...] = ()


class Held(Record):
    """The values by which a saved plan is compared with a later run.

    ``uid`` and ``resource_version`` are the live object's, ``""`` where none is. ``desired`` and ``emitted`` are
    SHA-256 of what the chart wants and of what the filter makes of it, ``""`` for none; a Secret's values count in
    them only where their digests are made with a key of the user's.
    """

    uid: str
    resource_version: str
    desired: str
    emitted: str


class ObjectView(Record):
    """One object of a plan.

    ``desired`` is what the chart wants, ``emitted`` what the filter makes of it (``None`` where it refuses) and the
    release will store, ``edits`` the differences between the two; ``kept_live`` are the fields for whose value in both
    the live one stands. ``stored`` is what the release keeps now, ``live``
    what is there now, ``after`` what will be there, both without what every write changes (``managedFields``,
    ``resourceVersion``, ``generation``). Each is ``None`` where there is none or nobody knows. ``changing`` tells
    whether the cluster or the release will be different afterwards, ``leaving`` that the object leaves the release.
    """

    name: str
    object: Identity
    line: int
    leaving: bool
    ownership: Owner | None
    actions: tuple[str, ...]
    changing: bool
    findings: tuple[Finding, ...]
    prediction: Predicted
    edits: tuple[Change, ...]
    desired: Json
    emitted: Json
    stored: Json
    live: Json
    after: Json
    held: Held
    kept_live: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """True if the run stops because of this object."""
        return "refuse" in self.actions


class View(Record):
    """A plan for readers."""

    about: About
    objects: tuple[ObjectView, ...]

    @property
    def outcome(self) -> str:
        """``blocked``, ``change`` or ``unchanged``."""
        if any(each.refused for each in self.objects):
            return "blocked"
        return "change" if any(each.changing for each in self.objects) else "unchanged"
