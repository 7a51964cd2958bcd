"""The input of a decision: the stream, the live objects, the stored revisions and the invocation of Helm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType

from postrender._record import Record
from postrender.helm.invocation import Action, Invocation
from postrender.helm.objects import HOOK, ManifestObject, deleted_before, folded, unknown_events
from postrender.helm.versions import Behaviour, behaviour_of
from postrender.manifest import Manifest, ObjectRef, in_crds_folder
from postrender.models import (
    CRD,
    Found,
    Json,
    LiveObject,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    object_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from postrender.manifest.edit import Edit
    from postrender.planner.verdict import Finding

Place: TypeAlias = "tuple[int, tuple[int, ...]]"
"""An object's place in the stream: the index of its document, and its path there."""


def place_of(ref: ObjectRef) -> Place:
    """The place of an object; an edit of its document does not change it."""
    return ref.document, ref.path


class KeptValues(Record, hidden=("edits",)):
    """The live values that one object keeps (``keep_live``).

    ``asked`` are the fields to keep, ``()`` for the whole object; ``paths`` those that are kept, as text; ``edits``
    write the live values into the chart's document.
    """

    asked: tuple[tuple[str, ...], ...] = ()
    paths: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()

    def covers(self, path: tuple[str, ...]) -> bool:
        """True if a field was to be kept."""
        return any(path[: len(each)] == each for each in self.asked)


NOTHING_KEPT = KeptValues()


class DesiredObject(Record):
    """One object of the stream with its scope, and the result of its lookup.

    ``observation`` is ``None`` where no cluster was asked, and for what cannot be looked up: a hook (Helm handles it
    apart) and an object whose name the server will make. ``live_under_hook_name`` is what is live under the name of a
    hook.
    """

    ref: ObjectRef
    key: ObjectKey
    resource: Resource
    observation: Observation | None
    live_under_hook_name: LiveObject | None = None

    @property
    def name(self) -> str:
        """``shirts.stable.example.com/shop/shirt``: how every message names the object."""
        return object_name(self.resource, self.key)

    @property
    def hook(self) -> bool:
        """True if Helm runs it as a hook: its document is never changed."""
        return HOOK in self.ref.annotations

    @property
    def deleted_before_creation(self) -> bool:
        """True if Helm deletes the live object of this name before it runs the hook: the default, except for CRDs."""
        annotations = self.ref.annotations
        skipped = unknown_events(annotations)
        return not skipped and self.key.group_kind != CRD and deleted_before(annotations)

    @property
    def live(self) -> LiveObject | None:
        """The live object, if one was found."""
        return self.observation.live if isinstance(self.observation, Found) else None


class Desired:
    """The chart's objects by reference: each document is parsed on first use, once.

    A Secret's ``stringData`` stands in ``data``, as the API server stores it. ``normalize`` makes of the object what
    can be compared with what is live.
    """

    def __init__(self, manifest: Manifest, normalize: Callable[[ObjectRef, Json], Json] | None = None) -> None:
        self._manifest = manifest
        self._normalize = normalize
        self._read: dict[Place, Json] = {}

    def of(self, manifest: Manifest) -> Desired:
        """The objects of an edited stream, in the same form."""
        return Desired(manifest, self._normalize)

    def __call__(self, ref: ObjectRef) -> Json:
        """The object's value; raises ManifestError."""
        key = place_of(ref)
        if key not in self._read:
            body = folded(ref.gvk, self._manifest.value(ref))
            self._read[key] = body if self._normalize is None else self._normalize(ref, body)
        return self._read[key]

    @cached_property
    def outside_release(self) -> frozenset[int]:
        """The documents, by index, from a chart's folder ``crds/``: Helm writes no ownership metadata to them."""
        if b"crds/" not in self._manifest.data:
            return frozenset()
        return frozenset(index for index, name in enumerate(self._manifest.templates()) if in_crds_folder(name))

    def document(self, ref: ObjectRef) -> Json:
        """The object's value as in the document, ``stringData`` included; raises ManifestError."""
        body = self._manifest.value(ref)
        return body if self._normalize is None else self._normalize(ref, body)


class Facts(Record):
    """The input of ``decide``.

    ``revisions`` are the stored revisions of the invocation's release, ascending; ``previous_objects`` the objects of
    the manifest that an upgrade starts from (empty for an install); ``live_releases`` tells of every other release
    named by a live object whether it still exists; ``removed`` are the stored objects that no document of the stream
    names. ``server_results`` is what the server says an object would be, had all been sent that the chart wants and is
    not live (``Verdict.mend``). ``fresh`` is what a dry-run create of the chart's object gives, by the key of the live
    one; ``not_compared`` says why that is not known of an object, as a sentence without a full stop (``""`` if there is
    no server to ask). ``rejected`` is the server's objection to all that the chart wants and is not live, such as a
    change of an immutable field. ``postponed`` are the objects whose patch by this run the server refuses, though it
    takes all that the chart wants. ``holders`` are the living releases whose stored manifests hold objects that were to
    be adopted. ``losses`` says of removed objects what their deletion takes along, as the end of a sentence. ``kept``
    are the live values that objects of the stream keep; their documents have these values already.
    """

    desired: Desired
    items: tuple[DesiredObject, ...]
    invocation: Invocation
    revisions: tuple[StoredRelease, ...] = ()
    previous_objects: tuple[ManifestObject, ...] = ()
    live_releases: Mapping[ReleaseName, bool] = MappingProxyType({})
    removed: tuple[DesiredObject, ...] = ()
    server_results: Mapping[ObjectKey, Json] = MappingProxyType({})
    holders: Mapping[ObjectKey, ReleaseName] = MappingProxyType({})
    fresh: Mapping[ObjectKey, Json] = MappingProxyType({})
    not_compared: Mapping[ObjectKey, str] = MappingProxyType({})
    rejected: Mapping[ObjectKey, str] = MappingProxyType({})
    postponed: frozenset[ObjectKey] = frozenset()
    losses: Mapping[ObjectKey, str] = MappingProxyType({})
    kept: Mapping[Place, KeptValues] = MappingProxyType({})

    def kept_of(self, ref: ObjectRef) -> KeptValues:
        """The live values that an object of the stream keeps."""
        return self.kept.get(place_of(ref), NOTHING_KEPT)

    def previous_body(self, key: ObjectKey) -> Json:
        """The object in the manifest that an upgrade starts from; ``None`` if it is not in it."""
        return next((entry.body for entry in self.previous_objects if entry.key == key), None)


def base_revision(invocation: Invocation, own: tuple[StoredRelease, ...]) -> StoredRelease | None:
    """The stored revision whose manifest this run compares with; ``None`` for what is an install.

    ``prepareUpgrade`` (pkg/action/upgrade.go): the deployed revision, else the last one where it is failed or
    superseded. ``helm upgrade --install`` installs where nothing is stored or the last revision is uninstalled
    (``isReleaseUninstalled``, cmd/helm/upgrade.go of 3.15 and later; older ones end before they render).
    """
    if invocation.action in (Action.INSTALL, Action.TEMPLATE) or not own:
        return None
    last = own[-1]
    if invocation.action is Action.UPGRADE_INSTALL and last.status == "uninstalled":
        return None
    deployed = [revision for revision in own if revision.status == "deployed"]
    if deployed:
        return deployed[-1]
    return last if last.status in ("failed", "superseded") else None


def ignores_apply_flags(invocation: Invocation, own: tuple[StoredRelease, ...], behaviour: Behaviour) -> bool:
    """True if Helm ignores its flags for server-side apply: ``upgrade --install`` that installs, before 4.0.5."""
    installs = invocation.action is Action.UPGRADE_INSTALL and base_revision(invocation, own) is None
    return installs and not behaviour.forwards_apply_flags


def applies_server_side(invocation: Invocation, own: tuple[StoredRelease, ...], behaviour: Behaviour) -> bool:
    """True if this Helm will use server-side apply.

    An upgrade with ``auto`` goes on as the last revision was applied (``getUpgradeServerSideValue``,
    pkg/action/upgrade.go of v4).
    """
    if not behaviour.server_side:
        return False
    if ignores_apply_flags(invocation, own, behaviour):
        return True
    if invocation.server_side == "false":
        return False
    if invocation.server_side == "true" or base_revision(invocation, own) is None:
        return True
    return own[-1].apply_method == "ssa"


def patches_client_side(facts: Facts) -> bool:
    """True if Helm will patch live objects client-side, or may because its version is not known."""
    invocation = facts.invocation
    if invocation.helm is None:
        return True
    behaviour = behaviour_of(invocation.helm)
    replaces = invocation.force and (
        behaviour.force_on_adoption or base_revision(invocation, facts.revisions) is not None
    )
    return not (replaces or applies_server_side(invocation, facts.revisions, behaviour))
