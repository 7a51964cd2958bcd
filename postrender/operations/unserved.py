"""Stored objects whose API the server no longer serves: found in every revision of a release, and rewritten.

Helm builds each object of the stored manifest before it does anything, and fails if the server does not serve its
apiVersion: in an upgrade for the revision it starts from (``performUpgrade``, pkg/action/upgrade.go), in a rollback for
the newest revision and the target (``performRollback``, rollback.go), in an uninstall for the newest revision without
the objects that its manifest keeps (``deleteRelease``, uninstall.go; 3.12.3 to 4.3.2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from postrender._record import Record, replace
from postrender.cluster.interface import Catalog, DryRunRequest, DryRunResult, Listing, Rejected
from postrender.cluster.offline import Offline
from postrender.errors import ClusterError, Refused
from postrender.helm.drift import sent_by_helm
from postrender.helm.invocation import Action, Invocation
from postrender.helm.storage import StoredObject, Undecodable
from postrender.helm.storage.payload import Edited, Payload
from postrender.manifest import Manifest, ObjectRef
from postrender.manifest.edit import Set
from postrender.models import (
    CRD,
    KEEP,
    RESOURCE_POLICY,
    GroupKind,
    GroupVersionKind,
    Json,
    NotServed,
    ObjectKey,
    ReleaseName,
    Resource,
    Unknown,
    object_name,
)
from postrender.operations.stored_revisions import NewPayload, Storage, editing, read_payloads, write_payloads
from postrender.planner.facts import base_revision
from postrender.planner.fresh_objects import create_request
from postrender.text import packaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol
else:
    Protocol = object


class Target(Storage, Protocol):
    """A cluster: stored revisions, and what is served."""

    def resolve_kinds(
        self, gvks: Iterable[GroupVersionKind]
    ) -> Mapping[GroupVersionKind, Resource | NotServed | Unknown]:
        """How each kind is served, or that it is not."""

    def catalog(self) -> Catalog:
        """Every kind whose objects can be made and listed."""

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """The server's result of each request as a dry run, in the order of ``requests``."""

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """The reduced items of each listing; Unknown where it could not be listed whole."""


class Replacement(Record):
    """What becomes of a kind that is not served.

    ``served`` is the kind in the version that is, ``None`` if no API of it is left: its objects are removed from the
    manifest. ``reason`` says why, as a clause. ``blocked`` is set if the objects still exist, so that nothing is
    removed; ``next`` are commands for that.
    """

    served: Resource | None
    reason: str = ""
    blocked: bool = False
    next: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """The served apiVersion, ``""`` for none."""
        return self.served.gvk.api_version if self.served else ""


class UnservedObject(Record):
    """One stored object of a kind that is not served; ``name`` is what every message calls it.

    ``template`` is the chart's file that made it, ``""`` if the manifest does not say. ``rejected`` is the API server's
    objection to the object under the served apiVersion, ``""`` for none: a rollback would send it so.
    """

    ref: ObjectRef
    name: str
    template: str
    replacement: Replacement
    rejected: str = ""

    @property
    def kept(self) -> bool:
        """True if an uninstall leaves it out: its manifest's policy counts, trimmed and in lower case.

        ``filterManifestsToKeep`` (pkg/action/resource_policy.go).
        """
        return self.ref.annotations.get(RESOURCE_POLICY, "").strip().lower() == KEEP


class UnservedRevision(Record):
    """One revision, its objects that are not served, and the payload that it is to get; ``None`` for none."""

    stored: StoredObject
    objects: tuple[UnservedObject, ...] = ()
    edited: Edited | None = None


class UnservedRelease(Record):
    """Every revision of a release, ascending. ``base`` is the one that an upgrade starts from, 0 for none."""

    release: ReleaseName
    revisions: tuple[UnservedRevision, ...]
    base: int

    @property
    def affected(self) -> tuple[UnservedRevision, ...]:
        """The revisions with objects that are not served."""
        return tuple(each for each in self.revisions if each.objects)

    @property
    def fails(self) -> tuple[str, ...]:
        """The commands of Helm that fail because of it: ``upgrade``, ``uninstall``, ``rollback``."""
        newest = self.revisions[-1]
        uninstalled = newest.stored.revision.status == "uninstalled"
        upgrade = any(each.stored.revision.revision == self.base for each in self.affected)
        uninstall = not uninstalled and not all(each.kept for each in newest.objects)
        found = {"upgrade": upgrade, "uninstall": uninstall, "rollback": bool(newest.objects)}
        return tuple(command for command, fails in found.items() if fails)


def find_unserved(target: Target, release: ReleaseName, driver: str) -> UnservedRelease:
    """Every revision with what is not served, and what it is to become; nothing is written.

    Objects under their served apiVersion are sent as a dry run, which shows whether their fields fit it.

    Raises ClusterError where a revision cannot be read or edited, or what is served is not known; UsageError where
    nothing is stored.
    """
    stored = read_payloads(target, release, driver)
    payloads = []
    for each in stored:
        with editing(target, each, "read"):
            payloads.append(Payload(each.packed, wrapped=each.storage.wrapped))
    gvks = {ref.gvk for payload in payloads for ref in payload.manifest.objects}
    answers = target.resolve_kinds(gvks) if gvks else {}
    for gvk, answer in answers.items():
        if isinstance(answer, Unknown):
            raise _unknown(target, str(gvk), answer)
    replacements = _replacements(target, [gvk for gvk in gvks if isinstance(answers[gvk], NotServed)])
    found = [
        _revision(target, each, payload, replacements, release) for each, payload in zip(stored, payloads, strict=True)
    ]
    base = base_revision(Invocation(None, Action.UPGRADE, release), tuple(each.revision for each in stored))
    return UnservedRelease(release, tuple(found), base.revision if base else 0)


def require_fixable(found: UnservedRelease) -> None:
    """Raise Refused if an object may still exist though no API of its kind is served."""
    for revision in found.affected:
        for each in revision.objects:
            if each.replacement.blocked:
                raise Refused(
                    f"{each.replacement.reason}, so nothing was written", where=each.name, next=each.replacement.next
                )


def fix(target: Target, found: UnservedRelease, backup: str) -> None:
    """Rewrite the revisions, as ``write_payloads`` does."""
    write_payloads(
        target, [NewPayload(each.stored, each.edited.packed) for each in found.revisions if each.edited], backup
    )


def _revision(
    target: Target,
    stored: StoredObject,
    payload: Payload,
    replacements: Mapping[GroupVersionKind, Replacement],
    release: ReleaseName,
) -> UnservedRevision:
    found = tuple(
        UnservedObject(
            ref,
            _name(ref, replacements[ref.gvk].served, release.namespace),
            payload.manifest.template(ref.document),
            replacements[ref.gvk],
        )
        for ref in payload.manifest.objects
        if ref.gvk in replacements
    )
    if not found or any(each.replacement.blocked for each in found):
        return UnservedRevision(stored, found)
    with editing(target, stored, "rewrite"):
        edited = _edited(payload, found)
    applied = stored.revision.apply_method == "ssa"
    return UnservedRevision(stored, _tried(target, payload, found, release, applied=applied), edited)


def _tried(
    target: Target, payload: Payload, found: Sequence[UnservedObject], release: ReleaseName, *, applied: bool
) -> tuple[UnservedObject, ...]:
    """The objects with the API server's objection to each; ``applied`` if Helm would apply them server-side."""
    requests: dict[int, DryRunRequest] = {}
    for place, each in enumerate(found):
        served = each.replacement.served
        if served and each.ref.name:
            namespace = (each.ref.namespace or release.namespace) if served.namespaced else ""
            key = ObjectKey(served.gvk.group_kind, namespace, each.ref.name)
            body = {**payload.manifest.value(each.ref), "apiVersion": served.gvk.api_version}
            request = create_request(served, key, sent_by_helm(served.gvk, key, body, release))
            # Server-side apply rejects unknown fields; a rollback applies as its target was applied
            # (``prepareRollback``, pkg/action/rollback.go of 4.3.2).
            requests[place] = replace(request, strict_validation=applied)
    tried = list(found)
    for (place, request), result in zip(requests.items(), target.dry_run(list(requests.values())), strict=True):
        if isinstance(result, Rejected):
            objection = result.message.replace(request.key.name, request.about.name)
            tried[place] = replace(found[place], rejected=objection)
    return tuple(tried)


def _edited(payload: Payload, found: Sequence[UnservedObject]) -> Edited:
    _require_own_version(payload.manifest, [each.ref for each in found])
    edits = [
        Set(each.ref, ("apiVersion",), each.replacement.api_version) for each in found if each.replacement.api_version
    ]
    return payload.edited(edits, [each.ref for each in found if not each.replacement.api_version])


def _require_own_version(manifest: Manifest, refs: Iterable[ObjectRef]) -> None:
    """Raise Undecodable for an item of a list that has its apiVersion from the list."""
    for ref in refs:
        if not manifest.value(ref).get("apiVersion"):
            raise Undecodable(f"{ref.gvk.kind} {ref.name} has its apiVersion from the list that it is in")


def _name(ref: ObjectRef, served: Resource | None, namespace: str) -> str:
    resource = replace(served, gvk=ref.gvk) if served else Offline().resource(ref.gvk)
    within = (ref.namespace or namespace) if resource.namespaced else ""
    return object_name(resource, ObjectKey(ref.gvk.group_kind, within, ref.name))


def _replacements(target: Target, gvks: Sequence[GroupVersionKind]) -> dict[GroupVersionKind, Replacement]:
    if not gvks:
        return {}
    catalog, moved = target.catalog(), _moved()
    return {gvk: _replacement(target, catalog, moved, gvk) for gvk in gvks}


def _replacement(
    target: Target, catalog: Catalog, moved: Mapping[GroupKind, tuple[str, str]], gvk: GroupVersionKind
) -> Replacement:
    """The preferred version of the kind in its group; else in the group that it moved to; else none."""
    group, since = moved.get(gvk.group_kind, ("", ""))
    for kind in (gvk.group_kind, GroupKind(group, gvk.kind)) if group else (gvk.group_kind,):
        served = next((each.resource for each in catalog.kinds if each.resource.gvk.group_kind == kind), None)
        if served:
            return Replacement(served)
        _require_asked(target, catalog, kind)
    if since and not group:
        return Replacement(None, f"Kubernetes {since} removed the kind")
    return _without_api(target, gvk)


def _require_asked(target: Target, catalog: Catalog, kind: GroupKind) -> None:
    """Raise ClusterError if a part of the server's answer is missing that could have named the kind."""
    root = "/apis" if kind.group else "/api"
    for path, why in catalog.unknown.items():
        if path == root or path.startswith(f"{root}/{kind.group}/" if kind.group else f"{root}/"):
            raise _unknown(target, str(kind), why)


def _without_api(target: Target, gvk: GroupVersionKind) -> Replacement:
    """Objects of a custom kind are deleted with its definition; if that only serves no version, they still exist."""
    listing = Listing(_DEFINITIONS, "", "", lambda _, item: _defined(item), whole=True)
    (found,) = target.list_objects([listing])
    if isinstance(found, Unknown):
        raise _unknown(target, str(gvk), found)
    name = next((name for kind, name in found if kind == gvk.group_kind), "")
    if not name:
        return Replacement(None, "no API of the kind is served, and no CRD defines it")
    return Replacement(
        None,
        f"its objects still exist, but its CRD {name} serves no version",
        blocked=True,
        next=(target.kubectl(f"get {_DEFINITIONS.qualified} {name} -o yaml"),),
    )


_DEFINITIONS = Resource(
    GroupVersionKind(CRD.group, "v1", CRD.kind), "customresourcedefinitions", namespaced=False, status_apart=True
)


def _defined(item: Json) -> tuple[GroupKind, str]:
    spec = item.get("spec") or {}
    return GroupKind(str(spec.get("group")), str((spec.get("names") or {}).get("kind"))), item["metadata"]["name"]


def _moved() -> dict[GroupKind, tuple[str, str]]:
    """Kinds that Kubernetes moved to another group, or removed (``""``), and the version in which it did so."""
    rows = json.loads(packaged(__name__, "removed_kinds.json"))["rows"]
    return {GroupKind(group, kind): (now, since) for group, kind, now, since in rows}


def _unknown(target: Target, what: str, why: Unknown) -> ClusterError:
    return ClusterError(
        f"whether it is served could not be looked up in {target.description}: {why.reason}", where=what, next=why.next
    )
