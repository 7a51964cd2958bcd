"""What is written into one document, as a record and as edits of its bytes, and how Helm sees a collision group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from postrender._record import Record
from postrender.helm.invocation import FIELD_MANAGER
from postrender.helm.objects import ManifestObject, with_helm_metadata, with_ownership_metadata
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit, Remove, Set
from postrender.manifest.edit.changes import Changes, DeleteValue, SetValue, add, applied
from postrender.models import Json, LiveObject, ObjectKey, ReleaseName
from postrender.planner.verdict import Action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.helm.simulate import Prediction, Update

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
"""The annotation in which Argo CD reads an object's own options, with commas between."""


class DocumentRewrite(Record):
    """The changes to one document.

    ``strip`` are dotted paths of server-set fields to take out; ``replacement`` is what the whole document shall say
    instead (``None``: what it says), the truth about a live object that Helm will not patch; ``label`` is ``(key,
    value)``; ``owner`` the release whose ownership metadata is added; ``pin`` the ``metadata.resourceVersion``, ``""``
    for none; ``options`` the whole of Argo CD's sync options, ``""`` for what the document says. ``empty`` are the keys
    of a Secret's ``stringData`` with a null: an empty text, which is what a new Secret gets, is sent instead.
    """

    strip: tuple[str, ...] = ()
    replacement: Json = None
    label: tuple[str, str] | None = None
    owner: ReleaseName | None = None
    pin: str = ""
    options: str = ""
    empty: tuple[str, ...] = ()

    def emitted(self, body: Json) -> Json:
        """The document's value after the rewrite; ``body`` is not changed."""
        if self == DocumentRewrite():
            return body
        result = self.stripped(body) if self.replacement is None else dict(self.replacement)
        metadata = dict(result.get("metadata") or {})
        if self.label:
            metadata["labels"] = {**(metadata.get("labels") or {}), self.label[0]: self.label[1]}
        if self.pin:
            metadata["resourceVersion"] = self.pin
        if self.options:
            metadata["annotations"] = {**(metadata.get("annotations") or {}), SYNC_OPTIONS: self.options}
        result["metadata"] = metadata
        return with_ownership_metadata(result, self.owner) if self.owner else result

    def stripped(self, body: Json) -> dict[str, Json]:
        """The document's value without the server-set fields."""
        result = dict(body)
        metadata = dict(result.get("metadata") or {})
        for path in self.strip:
            if path.startswith("metadata."):
                metadata.pop(path.removeprefix("metadata."), None)
            else:
                result.pop(path, None)
        result["metadata"] = metadata
        return result


class GroupMember(Record):
    """One document of a group: the object without ownership metadata, and the rewrite that is proposed for it."""

    entry: ManifestObject
    proposed: DocumentRewrite


class CollisionGroup(Record):
    """The objects of one Kind, namespace and name as this Helm will update them.

    ``update`` holds all but the targets. Where Helm will not apply the chart, ``stores_live`` says whether what is live
    may be stored, ``apply`` whether the live object may be updated to the chart first. ``server_results`` are
    objects as the server says they would be, had all been sent that the chart wants and is not live; ``fresh`` are the
    chart's objects as a dry-run create gives them. ``postponed`` are live objects that this run shall leave as they
    are, since the server refuses its patch. ``manager`` is Helm's field manager.
    """

    members: Sequence[GroupMember]
    update: Update
    release: ReleaseName
    manager: str = FIELD_MANAGER
    stores_live: bool = True
    apply: bool = False
    server_results: Mapping[ObjectKey, Json] = MappingProxyType({})
    fresh: Mapping[ObjectKey, Json] = MappingProxyType({})
    postponed: frozenset[ObjectKey] = frozenset()


class RewriteOutcome(Record):
    """The result of the search for one document.

    ``prediction`` is of the rewriting that is emitted. ``withheld_metadata`` says that a label or ownership metadata
    was left out; ``differing`` are the paths where the live object afterwards is not what the chart wants,
    ``fixed_by_next_upgrade`` whether the next ``helm upgrade`` of the same chart corrects them. ``policy`` is the
    resource policy that the document says and the live object will not, ``""`` where they agree. ``apply`` is the JSON
    merge patch that brings the live object to what the chart says before Helm runs, ``None`` for none: then the
    prediction is of what comes after it, and ``differing`` are the paths it sets right. ``release_is_stale`` says that
    what differs is stored otherwise already, ``fixable_by_apply`` that ``apply`` would correct what nothing else does.
    ``repair_patch`` is the merge patch from what is live to what the chart wants, ``None`` where they agree, and
    ``dropped_by_server`` are paths at which the server will not have what the chart wants, whoever sends it. ``stays``
    are the paths of fields that left the chart and that the next ``helm upgrade`` would not remove either.
    ``nulls`` are the paths at which the document says what the API server makes of the chart's null, since Helm's patch
    would remove the key.
    """

    rewrite: DocumentRewrite
    prediction: Prediction
    withheld_metadata: bool = False
    differing: tuple[tuple[str, ...], ...] = ()
    fixed_by_next_upgrade: bool = True
    policy: str = ""
    apply: Json = None
    release_is_stale: bool = False
    fixable_by_apply: bool = False
    repair_patch: Json = None
    dropped_by_server: tuple[tuple[str, ...], ...] = ()
    stays: tuple[tuple[str, ...], ...] = ()
    nulls: tuple[tuple[str, ...], ...] = ()


VERSION = ("metadata", "resourceVersion")


def edits_of(ref: ObjectRef, rewrite: DocumentRewrite, body: Json) -> tuple[Edit, ...]:
    """The edits that turn the document into what the rewriting emits; ``body`` is only needed for ``replacement``."""
    taken_out = [
        Remove(ref, path)
        for path in (tuple(dotted.split(".")) for dotted in rewrite.strip)
        if not (rewrite.pin and path == VERSION)
    ]
    if rewrite.replacement is not None:
        return (*taken_out, *_towards(ref, rewrite.stripped(body), rewrite.emitted(body), ()))
    edits: list[Edit] = [*taken_out]
    if rewrite.pin:
        edits.append(Set(ref, VERSION, rewrite.pin))
    if rewrite.label:
        edits.append(Set(ref, ("metadata", "labels", rewrite.label[0]), rewrite.label[1]))
    edits += [Set(ref, ("stringData", key), "") for key in rewrite.empty]
    if rewrite.options:
        edits.append(Set(ref, ("metadata", "annotations", SYNC_OPTIONS), rewrite.options))
    if rewrite.owner:
        metadata = with_helm_metadata({}, rewrite.owner)["metadata"]
        edits.extend(
            Set(ref, ("metadata", place, name), value)
            for place in ("labels", "annotations")
            for name, value in metadata[place].items()
        )
    return tuple(edits)


def actions_of(
    rewrite: DocumentRewrite, adopt: LiveObject | None = None, apply: Json = None, kept: Sequence[str] = ()
) -> tuple[Action, ...]:
    """The actions of a rewrite, of what is written to the live object first, and of ``kept`` live values."""
    wanted: Mapping[Action, object] = {
        Action.ADOPT: adopt,
        Action.APPLY: apply,
        Action.STAMP: rewrite.owner,
        Action.LABEL: rewrite.label,
        Action.PIN: rewrite.pin,
        Action.STORE: rewrite.replacement is not None,
        Action.STRIP: rewrite.strip,
        Action.OPTION: rewrite.options,
        Action.KEEP: kept,
    }
    return tuple(action for action, present in wanted.items() if present) or (Action.PASS,)


def with_edits(body: Json, edits: Sequence[Edit]) -> Json:
    """The object's value after edits of its document; ``body`` is not changed."""
    tree: Changes = {}
    for edit in edits:
        add(tree, edit.path, SetValue(edit.value) if isinstance(edit, Set) else DeleteValue())
    return applied(body, tree)


def _towards(ref: ObjectRef, before: Json, after: Json, path: tuple[str, ...]) -> list[Edit]:
    """The smallest edits from ``before`` to ``after``; a list is replaced as a whole."""
    from postrender.helm.patch import differs

    edits: list[Edit] = []
    for key, value in before.items():
        if key not in after:
            edits.append(Remove(ref, (*path, key)))
        elif isinstance(value, dict) and isinstance(after[key], dict) and value and after[key]:
            edits.extend(_towards(ref, value, after[key], (*path, key)))
        elif differs(value, after[key]):
            edits.append(Set(ref, (*path, key), after[key]))
    edits.extend(Set(ref, (*path, key), value) for key, value in after.items() if key not in before)
    return edits
