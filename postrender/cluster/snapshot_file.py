"""A file that stands for a whole cluster: what kubectl prints, or what ``postrender snapshot`` recorded.

An object that is not in the file does not exist, the Secrets of releases included. A recorded snapshot also holds the
server's results of dry runs, each found by a fingerprint of its request. Values of Secrets are digests or the values
themselves, in the fingerprints too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from postrender import manifest as manifests
from postrender import redact
from postrender._record import Record, asdict, replace
from postrender.cluster.interface import (
    Accepted,
    Catalog,
    Conflict,
    Conflicts,
    DryRunRequest,
    DryRunResult,
    Listing,
    NamedKind,
    NotAnObject,
    ObjectLookup,
    Rejected,
    Skipped,
    Unreached,
    live_object,
)
from postrender.cluster.offline import Offline
from postrender.errors import ManifestError, UsageError
from postrender.helm import storage
from postrender.helm.invocation import FIELD_MANAGER
from postrender.manifest import Manifest, ObjectRef
from postrender.models import (
    CRD,
    SECRET,
    Absent,
    Found,
    GroupKind,
    GroupVersionKind,
    Json,
    LiveObject,
    NotServed,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
)
from postrender.redact import Digests, redacted, values
from postrender.text import Hint

GROUP = "snapshot.postrender"
"""The API group of what only a snapshot holds; no server serves it."""

API_VERSION = f"{GROUP}/v1"

HEADER = "Snapshot"
"""The kind of the first document."""

ANSWER = "Answer"
"""The kind of the others, one for each dry run."""


class SnapshotHeader(Record):
    """The first document; ``digest_key`` names the key of the digests that replace Secret values."""

    hidden: bool
    digest_key: str = ""


def header_document(hide: Digests | None) -> Json:
    """The first document; ``hide`` as for ``document``."""
    return {
        "apiVersion": API_VERSION,
        "kind": HEADER,
        "metadata": {"name": "snapshot"},
        "secrets": "values" if hide is None else "digests",
        "digestKey": hide.name if hide else "",
    }


def header(body: Mapping[str, Json]) -> SnapshotHeader:
    """What a first document says."""
    return SnapshotHeader(body.get("secrets") == "digests", str(body.get("digestKey", "")))


def fingerprint(request: DryRunRequest, hide: Digests | None) -> str:
    """The identity of a request; ``hide`` as for ``document``."""
    found = [
        request.verb.value,
        [request.resource.gvk.api_version, request.resource.plural],
        asdict(request.key),
        _safe(request.body, request, hide),
        [
            request.force,
            request.migrates_field_manager,
            request.ownership_written_first,
            request.creates,
            request.strict_validation,
            request.has_client_side_fields,
            *([request.field_manager] if request.field_manager != FIELD_MANAGER else []),
        ],
    ]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def document(request: DryRunRequest, answer: DryRunResult, hide: Digests | None, live: Json = None) -> Json:
    """The result of a dry run as a document; ``hide`` replaces a Secret's values by digests.

    ``live`` is the object that the request is about: the answer may repeat what its values are.
    """
    body: dict[str, Json]
    kind = request.key.group_kind
    match answer:
        case Accepted(after, removed, left):
            known = values(live, kind) | values(request.body, kind)
            body = {"accepted": _safe(after, request, hide, known)}
            body |= {
                name: [list(path) for path in paths] for name, paths in (("removed", removed), ("left", left)) if paths
            }
        case Conflicts(conflicts, message):
            body = {"conflicting": asdict(conflicts), "message": message}
        case Rejected(message):
            body = {"rejected": message}
        case Skipped(reason, following):
            body = {"notAsked": reason, "next": list(map(str, following))}
    name = fingerprint(request, hide)
    return {"apiVersion": API_VERSION, "kind": ANSWER, "metadata": {"name": name}, "about": request.name, **body}


def read(body: Mapping[str, Json]) -> DryRunResult:
    """The result in a document that ``document`` made; raises KeyError or TypeError for another."""
    for name, kind in (("accepted", dict), ("rejected", str), ("notAsked", str), ("message", str)):
        if name in body and not isinstance(body[name], kind):
            raise TypeError(f"its {name} is {body[name]!r}")
    if "accepted" in body:
        removed, left = (tuple(tuple(path) for path in body.get(name, ())) for name in ("removed", "left"))
        return Accepted(body["accepted"], removed, left)
    if "conflicting" in body:
        return Conflicts(tuple(Conflict(**each) for each in body["conflicting"]), body["message"])
    if "rejected" in body:
        return Rejected(body["rejected"])
    return Skipped(body["notAsked"], tuple(map(str, body["next"])))


def _safe(body: Json, request: DryRunRequest, hide: Digests | None, known: frozenset[str] = frozenset()) -> Json:
    if hide is None:
        return body
    return redacted(body, request.key.group_kind, f"{request.about.namespace}/{request.about.name}", hide, known)


class Snapshot(Record, Unreached):
    """The live objects of one file, each in every version that the file has it in.

    ``kinds`` knows the CRDs of the file, ``scopes`` tells whether objects of a kind name a namespace. ``answers`` are
    what a server said to dry runs, by their fingerprints. ``hide`` makes digests of a chart's Secret values where the
    file holds digests, and ``hidden`` says that it does.
    """

    path: str
    objects: Mapping[ObjectKey, tuple[LiveObject, ...]]
    kinds: Offline
    scopes: Mapping[GroupKind, bool]
    answers: Mapping[str, DryRunResult] = MappingProxyType({})
    header: SnapshotHeader = SnapshotHeader(hidden=False)
    hide: Digests | None = None

    @property
    def description(self) -> str:
        """``file live.yaml``."""
        return f"file {self.path}"

    def resolve_kinds(self, gvks: Iterable[GroupVersionKind]) -> dict[GroupVersionKind, Resource | NotServed | Unknown]:
        """By the CRDs of the file, Kubernetes' own kinds, the scope of its objects, and a guess.

        ``NotServed`` only where a CRD of the file defines the kind without that version.
        """
        return {gvk: _scoped(gvk, self.kinds, self.scopes) if self.kinds.serves(gvk) else NotServed() for gvk in gvks}

    def get_objects(self, wanted: Sequence[ObjectLookup]) -> list[Observation]:
        """The file's objects, with bodies. Unknown for an object that the file has in another version only."""
        return [self._observe(each) for each in wanted]

    @property
    def warning(self) -> str:
        """That Secret values cannot be compared, if the file's digests were made with another key."""
        if self.hide is None or self.hide.name == self.header.digest_key:
            return ""
        return (
            f"{self.path} holds digests for the values of Secrets, made with another key: whether they differ from "
            f"the chart's is unknown ({redact.VARIABLE})"
        )

    def normalize(self, key: ObjectKey, body: Json) -> Json:
        """With digests for a Secret's values where the file has digests."""
        if self.hide is None or key.group_kind != SECRET:
            return body
        return redact.redacted(body, key.group_kind, f"{key.namespace}/{key.name}", self.hide)

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """The recorded results; a file cannot run a dry run."""
        if not self.answers:
            return [Skipped()] * len(requests)
        return [self.answers.get(fingerprint(each, self.hide), Skipped()) for each in requests]

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """What the file holds of each; Unknown where it holds none, since there may be objects that are not in it."""
        return [self._list(each) for each in listings]

    def catalog(self) -> Catalog:
        """The kinds of the objects in the file."""
        gvks = {
            GroupVersionKind.parse(live.api_version, key.group_kind.kind): None
            for key, (live, *_) in self.objects.items()
        }
        return Catalog(tuple(NamedKind(_scoped(gvk, self.kinds, self.scopes)) for gvk in gvks), {})

    def _list(self, listing: Listing) -> tuple[Any, ...] | Unknown:
        found = [
            live[0].body
            for key, live in self.objects.items()
            if key.group_kind == listing.resource.gvk.group_kind and listing.namespace in ("", key.namespace)
        ]
        if not found:
            return Unknown(f"{self.description} has none, and may not have all")
        return tuple(each for each in (listing.reduce(listing.resource, body) for body in found) if each is not None)

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """The revisions whose Secrets (or ConfigMaps, as ``driver`` says) the file holds."""
        kept = storage.storage(driver)
        if isinstance(kept, Unknown):
            return kept
        kind = kept.resource.gvk.group_kind
        listed = [
            live
            for key, (live, *_) in self.objects.items()
            if key.group_kind == kind and storage.is_revision(live, name)
        ]
        choose = storage.revisions_to_read if manifest else lambda _: ()
        try:
            found = storage.history(listed, name, kept, self._whole, choose, lambda _: None, self)
        except storage.HistoryUnclear as error:
            return Unknown(f"{self.path}: {error.why.reason}", error.why.next)
        except storage.Undecodable as error:
            return Unknown(f"{self.path}: {error}", (_UNUSABLE,))
        return tuple(whole.revision if whole else found for found, whole in found)

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """Every stored revision of each, ascending."""
        return [self.get_revisions(name, manifest=True, driver=driver) for name, driver in names]

    def stored_in(self, namespace: str) -> tuple[tuple[ReleaseName, str], ...]:
        """The releases of which the file holds revisions."""
        kinds = {
            storage.SECRETS.resource.gvk.group_kind: "secret",
            storage.CONFIGMAPS.resource.gvk.group_kind: "configmap",
        }
        found = {
            (ReleaseName(namespace, live.labels.get("name", "")), kinds[key.group_kind])
            for key, (live, *_) in self.objects.items()
            if key.group_kind in kinds and key.namespace == namespace and live.labels.get("owner") == "helm"
        }
        return tuple(sorted(found, key=str))

    def _whole(self, records: Sequence[LiveObject]) -> list[LiveObject | Unknown]:
        """The records, of which a snapshot may have noted no more than the labels."""
        return [
            live
            if "data" in live.body
            else Unknown(f"it holds no more than the labels of {live.key.name}", (_UNUSABLE,))
            for live in records
        ]

    def _observe(self, wanted: ObjectLookup) -> Observation:
        versions = self.objects.get(wanted.key)
        if not versions:
            return Absent()
        asked = wanted.resource.gvk.api_version
        exact = next((live for live in versions if live.api_version == asked), None)
        if exact is None and wanted.body:
            return Unknown(
                f"{self.path} has it as {versions[0].api_version}, and only a server can convert it to {asked}",
                (_again(wanted, self.path),),
            )
        return Found(exact or versions[0])


def load(path: str, environ: Mapping[str, str] = MappingProxyType({})) -> Snapshot:
    """Read what ``kubectl get ... -o yaml`` or ``-o json`` printed: a list, single objects, or a stream of them.

    Or what ``postrender snapshot`` wrote, with ``$POSTRENDER_DIGEST_KEY`` out of ``environ``. Raises UsageError, which
    names file and line, for a file that cannot be read, holds anything but objects, or holds an object twice.
    """
    if path == "-":
        raise UsageError("stdin holds the manifests, so it cannot hold the live objects", next=_UNUSABLE)
    try:
        manifest = manifests.read(Path(path).read_bytes())
        found = [(ref, manifest.value(ref)) for ref in manifest.objects]
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path, next=_UNUSABLE) from error
    except ManifestError as error:
        place = ", ".join(part for part in (path, error.where) if part)
        raise UsageError(f"cannot be read: {error.cause}", where=place, next=_UNUSABLE) from error
    _only_objects(path, manifest)
    about = [(ref, body) for ref, body in found if ref.gvk.group == GROUP]
    found = [(ref, body) for ref, body in found if ref.gvk.group != GROUP]
    kinds = Offline(body for ref, body in found if ref.gvk.group_kind == CRD)
    scopes = {ref.gvk.group_kind: False for ref, _ in found} | {
        ref.gvk.group_kind: True for ref, _ in found if ref.namespace
    }
    objects: dict[ObjectKey, tuple[LiveObject, ...]] = {}
    first: dict[tuple[ObjectKey, str], int] = {}
    for ref, body in found:
        place = f"{path}, line {ref.line}"
        try:
            live = _live(place, ref, body, _scoped(ref.gvk, kinds, scopes))
        except UsageError as error:
            raise UsageError(error.cause, where=error.where, next=_UNUSABLE) from error
        same = (live.key, live.api_version)
        if same in first:
            raise UsageError(
                f"{live.key} is in the file twice, first in line {first[same]}", where=place, next=_UNUSABLE
            )
        first[same] = ref.line
        objects[live.key] = (*objects.get(live.key, ()), live)
    return replace(Snapshot(path, objects, kinds, scopes), **_noted(path, about, environ))


def _noted(path: str, about: Sequence[tuple[ObjectRef, Json]], environ: Mapping[str, str]) -> dict[str, Any]:
    """What ``postrender snapshot`` writes beside objects; raises UsageError."""
    try:
        records = {ref.name: read(body) for ref, body in about if ref.gvk.kind == ANSWER}
    except (KeyError, TypeError) as error:
        raise UsageError(f"holds an answer that cannot be read: {error}", where=path, next=_UNUSABLE) from error
    headers = [header(body) for ref, body in about if ref.gvk.kind == HEADER]
    if not headers:
        return {"answers": records}
    return {"answers": records, "header": headers[0], "hide": redact.digests(environ) if headers[0].hidden else None}


def _only_objects(path: str, manifest: Manifest) -> None:
    """Raises UsageError where a document is not an object, or nothing was printed at all.

    kubectl prints a list even where it finds nothing, so that an empty file comes of a call that failed.
    """
    if all(document.skip_reason == "empty" for document in manifest.documents):
        raise UsageError("is empty: kubectl prints an empty list, never an empty file", where=path, next=_UNUSABLE)
    for document in manifest.documents:
        if document.skip_reason and document.skip_reason not in ("empty", "an empty list"):
            line = manifest.data.count(b"\n", 0, document.start) + 1
            cause = f"holds something that is not a Kubernetes object: {document.skip_reason}"
            raise UsageError(cause, where=f"{path}, line {line}", next=_UNUSABLE)


def _scoped(gvk: GroupVersionKind, kinds: Offline, scopes: Mapping[GroupKind, bool]) -> Resource:
    """The resource by all that a file can tell."""
    if kinds.knows(gvk):
        return kinds.resource(gvk)
    return replace(kinds.resource(gvk), namespaced=scopes.get(gvk.group_kind, True))


def _live(place: str, ref: ObjectRef, body: Json, resource: Resource) -> LiveObject:
    if not ref.name:
        raise UsageError(f"a {ref.gvk.kind} without a name is not a live object", where=place)
    try:
        # The items of a list such as ConfigMapList do not say what they are.
        live = live_object({"apiVersion": ref.gvk.api_version, "kind": ref.gvk.kind, **body}, ref.gvk, whole=True)
    except NotAnObject as error:
        raise UsageError(f"{ref.gvk.kind} {ref.name} is not a live object: {error}", where=place) from error
    if ref.gvk.group_kind in (SECRET, GroupKind("", "ConfigMap")) and not isinstance(
        body.get("data"), (dict, type(None))
    ):
        raise UsageError(f"{ref.gvk.kind} {ref.name} is not a live object: its data is not a map", where=place)
    if resource.namespaced and not live.key.namespace:
        raise UsageError(f"{ref.gvk.kind} {ref.name} is not a live object: it has no metadata.namespace", where=place)
    return live if resource.namespaced else replace(live, key=replace(live.key, namespace=""))


def _again(wanted: ObjectLookup, path: str) -> str:
    """The call that adds the object in the version that is wanted."""
    gvk = wanted.resource.gvk
    kind = f"{wanted.resource.plural}.{gvk.version}.{gvk.group}" if gvk.group else wanted.resource.plural
    scope = f" -n {wanted.namespace}" if wanted.namespace else ""
    return f"(echo ---; kubectl get {kind} {wanted.name}{scope} -o yaml) >> {path}"


_UNUSABLE = Hint("postrender snapshot --help", "--live takes a file that kubectl get KINDS -n NAMESPACE -o yaml wrote")
"""What to do with a file that is none."""
