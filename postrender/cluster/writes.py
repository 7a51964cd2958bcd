"""Writes to the API server: dry runs, and guarded writes that fail if the object changed since it was read.

A guarded write is sent once. Its result is: done, not done, or unknown (the connection broke before the response).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

from postrender._record import Record, replace
from postrender.cluster.diagnose import Kubectl, RequestContext, causes, describe_failure, message
from postrender.cluster.http import DRY_RUN, RequestFailed, Response, Transport
from postrender.cluster.interface import (
    Accepted,
    Conflict,
    Conflicts,
    DryRunRequest,
    DryRunResult,
    NotAnObject,
    ObjectLookup,
    Rejected,
    Skipped,
    Verb,
)
from postrender.cluster.parallel import call_with_timeout
from postrender.cluster.reads import METADATA, collection_path, exact_path, verified
from postrender.errors import ClusterError
from postrender.helm.drift import RepairMethod, RepairRequest
from postrender.helm.ownership import OwnershipMetadata
from postrender.helm.storage import Storage, StoredObject
from postrender.models import (
    MANAGED_BY,
    OWN_FIELD_MANAGER,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    SECRET,
    Json,
    LiveObject,
    ObjectKey,
    ReleaseName,
    Resource,
    Unknown,
    object_name,
)
from postrender.text import AGAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.managed_fields_migration import Pruned, Schemas


"""Helm's own name for itself (``main``, cmd/helm/helm.go), so that the answer is Helm's."""

_SENT = {
    Verb.APPLY: ("PATCH", "application/apply-patch+yaml"),
    Verb.MERGE: ("PATCH", "application/merge-patch+json"),
    Verb.STRATEGIC: ("PATCH", "application/strategic-merge-patch+json"),
    Verb.REPLACE: ("PUT", "application/json"),
    Verb.CREATE: ("POST", "application/json"),
    Verb.JSON: ("PATCH", "application/json-patch+json"),
}
_RIGHTS = {Verb.REPLACE: "update", Verb.CREATE: "create"}
_NO_DRY_RUN = "does not support dry run"
_NOT_TYPED = "failed to create typed patch object"
"""The server says so with status 500 (``Apply``, k8s.io/apimachinery 0.34, pkg/util/managedfields/internal/
structuredmerge.go)."""
_DENIED = re.compile(r'admission webhook ".*" denied the request|ValidatingAdmissionPolicy .* denied request')


def dry_run(
    transport: Transport, request: DryRunRequest, kubectl: Kubectl, schemas: Schemas | None = None
) -> DryRunResult:
    """The server's result of one dry run. Raises ValueError if it does not name exactly one object.

    ``schemas`` are needed for a request with a client-side past.
    """
    answer = _sent(transport, request, kubectl)
    if not request.has_client_side_fields or schemas is None or not isinstance(answer, (Accepted, Rejected)):
        return answer
    # Only Helm 4 migrates, and only once for each object.
    from postrender.cluster.managed_fields_migration import after_migration, changed

    found = after_migration(transport, schemas, request, kubectl)
    if not request.migrates_field_manager:
        return _unmigrated(transport, request, kubectl, answer, found)
    if found is None:
        return answer
    if isinstance(found, Unknown):
        return Skipped(found.reason, found.next)
    if isinstance(found, str):
        return answer if isinstance(answer, Rejected) else Rejected(found)
    # What the server makes of the pruned object, defaults and validation included, is its last word on the apply too.
    answer = _sent(transport, replace(request, verb=Verb.JSON, body=list(found.patch)), kubectl)
    if isinstance(answer, Accepted):
        return replace(answer, removed=changed(found.gone, found.live, answer.live))
    return answer


def _unmigrated(
    transport: Transport,
    request: DryRunRequest,
    kubectl: Kubectl,
    answer: DryRunResult,
    found: Pruned | str | Unknown | None,
) -> DryRunResult:
    """The answer with what stays of a client-side past that Helm does not migrate, as far as that can be computed."""
    from postrender.cluster.managed_fields_migration import Pruned, changed

    if not isinstance(answer, Accepted) or not isinstance(found, Pruned):
        return answer
    pruned = _sent(transport, replace(request, verb=Verb.JSON, body=list(found.patch)), kubectl)
    return (
        replace(answer, left=changed(found.gone, answer.live, pruned.live)) if isinstance(pruned, Accepted) else answer
    )


def _sent(transport: Transport, request: DryRunRequest, kubectl: Kubectl) -> DryRunResult:
    method, content_type = _SENT[request.verb]
    outcome = transport.request(
        method, _path(request), query=_query(request), body=json.dumps(request.body).encode(), content_type=content_type
    )
    if isinstance(outcome, Response):
        if outcome.status in (200, 201):
            body = outcome.json()
            return Accepted(body) if isinstance(body, dict) else Skipped("its answer to a dry run is not an object")
        refusal = _refused(outcome, request)
        if refusal is not None:
            return refusal
    return _unclear(outcome, request, kubectl)


def _path(request: DryRunRequest) -> str:
    wanted = ObjectLookup(request.resource, request.key.namespace, request.key.name, body=True)
    return collection_path(wanted) if request.verb is Verb.CREATE else exact_path(wanted)


def _query(request: DryRunRequest) -> str:
    """As ``patchResourceServerSide`` and the like (pkg/kube/client.go) send it, but for the dry run."""
    parts = [DRY_RUN, f"fieldManager={quote(request.field_manager, safe='')}"]
    if request.verb is Verb.APPLY:
        parts.append(f"force={'true' if request.force else 'false'}")
    if request.strict_validation:
        parts.append("fieldValidation=Strict")
    return "&".join(parts)


def _refused(answer: Response, request: DryRunRequest) -> DryRunResult | None:
    """The server's no, where it is one that Helm will get too; ``None`` where it may be about the dry run or us."""
    text, secret = message(answer), request.key.group_kind == SECRET
    given = causes(answer)
    if answer.status == 409:
        conflicts = tuple(_conflict(cause) for cause in given if cause.get("reason") == "FieldManagerConflict")
        if conflicts:
            return Conflicts(conflicts, text)
        # What is applied does not rest on what was read, so that Helm will hear the same.
        return Rejected(message(answer, secret=secret)) if request.verb is Verb.APPLY else None
    denied = _DENIED.search(text)
    if _NO_DRY_RUN in text or not (answer.status in (400, 422) or denied or _NOT_TYPED in text):
        return None
    shown = message(answer, secret=secret)
    if denied and request.creates:
        # What Helm makes before it in this very run may be what the admission asks for.
        return Skipped(f"as things are before the run, {shown}")
    return Rejected(shown)


def _conflict(cause: Json) -> Conflict:
    """``conflict with "kubectl" using v1``: only entries of plain writes say a version (``printManager``,
    k8s.io/apimachinery, pkg/util/managedfields/internal/conflict.go).
    """
    found = re.match(r'conflict with ("(?:[^"\\]|\\.)*")(.*)', str(cause.get("message")))
    manager = json.loads(found[1]) if found else str(cause.get("message"))
    return Conflict(str(cause.get("field")), manager, bool(found and " using " in found[2]))


def _unclear(outcome: Response | RequestFailed, request: DryRunRequest, kubectl: Kubectl) -> Skipped:
    verb = _RIGHTS.get(request.verb, "patch")
    why = describe_failure(
        outcome, kubectl, RequestContext(verb, request.resource, request.key.namespace, request.key.name)
    )
    return Skipped(why.reason, why.next)


MERGE_PATCH = "application/merge-patch+json"

_VERBS = {"PATCH": "patch", "POST": "create", "PUT": "update"}


class Write(Record):
    """A change to one live object, guarded by the resourceVersion in its body; a ``POST`` creates an object.

    ``done`` is the change in the words of every message: ``given ownership metadata for release shop/old``.
    """

    wanted: ObjectLookup
    method: str
    body: bytes
    content_type: str
    manager: str
    done: str
    dry_run: bool = False
    force: bool = False


def write(transport: Transport, change: Write, kubectl: Kubectl) -> LiveObject:
    """Send it and return the live object after it; raises ClusterError, which says whether anything was written."""
    wanted = change.wanted
    where = object_name(wanted.resource, wanted.key)
    asked = RequestContext(_VERBS[change.method], wanted.resource, wanted.namespace, wanted.name)
    making = change.method == "POST"
    path = collection_path(wanted) if making else exact_path(wanted)
    late: Response | RequestFailed = RequestFailed.late(transport.total_timeout)
    outcome = call_with_timeout(
        lambda: transport.request(
            change.method,
            path,
            query=f"fieldManager={quote(change.manager, safe='')}"
            + ("&dryRun=All" if change.dry_run else "")
            + ("&force=true" if change.force else ""),
            accept="application/json" if wanted.body else METADATA,
            body=change.body,
            content_type=change.content_type,
        ),
        total_timeout=transport.total_timeout,
        default=late,
    )
    answer = check_response(outcome, wanted, change.done, {201 if making else 200}, asked, kubectl)
    try:
        return verified(answer, wanted, exists=not (making and change.dry_run))
    except NotAnObject as error:
        raise ClusterError(
            f"it was {change.done}, but the server's answer is unexpected: {error}",
            where=where,
            next=look_at(wanted, kubectl),
        ) from error


def check_response(
    outcome: Response | RequestFailed,
    wanted: ObjectLookup,
    done: str,
    taken: Collection[int],
    asked: RequestContext,
    kubectl: Kubectl,
) -> Response:
    """The answer to a write, where its status is one of ``taken``; ``done`` as in ``Write``.

    Raises ClusterError, which says whether it was done, was not, or nobody knows.
    """
    where = object_name(wanted.resource, wanted.key)
    if isinstance(outcome, RequestFailed):
        raise ClusterError(
            f"the request failed, and whether it was {done} is unknown: {outcome.reason}",
            where=where,
            next=look_at(wanted, kubectl, asked.selected),
        )
    if outcome.status == 409:
        seen = "it exists already" if asked.verb == "create" else "it changed since it was read"
        raise ClusterError(
            f"{seen}, so it was not {done}: {message(outcome, secret=asked.writes_secret)}",
            where=where,
            next=(AGAIN, look_at(wanted, kubectl, asked.selected)),
        )
    if outcome.status not in taken:
        why = describe_failure(outcome, kubectl, asked)
        raise ClusterError(f"it could not be {done}: {why.reason}", where=where, next=why.next)
    return outcome


def look_at(wanted: ObjectLookup, kubectl: Kubectl, selected: str = "") -> str:
    """The command that shows the object."""
    return kubectl.call(f"get {wanted.resource.qualified} {selected or wanted.name} -o yaml", wanted.namespace)


def apply(
    transport: Transport,
    live: LiveObject,
    resource: Resource,
    patch: Json,
    kubectl: Kubectl,
    manager: str,
    *,
    dry_run: bool,
) -> LiveObject:
    """Send a JSON merge patch as this field manager; the live object after it, or in a dry run what it would be.

    The resourceVersion goes with it, so that the server refuses it where the object changed since it was read. Raises
    ClusterError, which says whether anything was written.
    """
    wanted = ObjectLookup(resource, live.key.namespace, live.key.name, body=True)
    metadata = {**(patch.get("metadata") or {}), "resourceVersion": live.resource_version}
    body = json.dumps({**patch, "metadata": metadata}).encode()
    done = "updated to the chart" + (" (tried as a dry run)" if dry_run else "")
    change = Write(wanted, "PATCH", body, MERGE_PATCH, manager, done, dry_run=dry_run)
    return write(transport, change, kubectl)


def delete(transport: Transport, stored: StoredObject, kubectl: Kubectl) -> None:
    """Delete it under the precondition that it is the very object that was read, and unchanged.

    One that is gone already is no error. Raises ClusterError, which says whether it was deleted.
    """
    live, resource = stored.live, stored.storage.resource
    wanted = ObjectLookup(resource, live.key.namespace, live.key.name, body=True)
    held = {"uid": live.uid, "resourceVersion": live.resource_version}
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": held}
    outcome = transport.request(
        "DELETE", exact_path(wanted), body=json.dumps(options).encode(), content_type="application/json"
    )
    asked = RequestContext("delete", resource, wanted.namespace, wanted.name)
    check_response(outcome, wanted, "deleted", {200, 202, 404}, asked, kubectl)


def create_stored(transport: Transport, kept: Storage, body: Json, done: str, kubectl: Kubectl) -> LiveObject:
    """Create the Secret or ConfigMap of a revision; raises ClusterError, also where there is one of that name."""
    metadata = body["metadata"]
    wanted = ObjectLookup(kept.resource, metadata["namespace"], metadata["name"], body=True)
    change = Write(wanted, "POST", json.dumps(body).encode(), "application/json", OWN_FIELD_MANAGER, done)
    return write(transport, change, kubectl)


def repair_object(
    transport: Transport,
    resource: Resource,
    key: ObjectKey,
    live: LiveObject | None,
    request: RepairRequest,
    kubectl: Kubectl,
    manager: str,
    *,
    dry_run: bool,
) -> LiveObject:
    """Send it as Helm, and answer what is live then, or in a dry run what would be.

    A server-side apply takes over what others changed: those are the differences that were shown. The resourceVersion
    goes along in each case, in an applied object as a precondition (``tests/e2e/test_verify.py`` shows it). Raises
    ClusterError, which says whether anything was written.
    """
    wanted = ObjectLookup(resource, key.namespace, key.name, body=True)
    body = request.body
    if live is not None:
        metadata = {**(body.get("metadata") or {}), "resourceVersion": live.resource_version}
        body = {**body, "metadata": metadata}
    done = ("made" if live is None else "restored to the stored manifest") + (
        " (tried as a dry run)" if dry_run else ""
    )
    change = Write(
        wanted,
        "POST" if request.how is RepairMethod.CREATE else "PATCH",
        json.dumps(body).encode(),
        request.how.value,
        manager,
        done,
        dry_run=dry_run,
        force=request.how is RepairMethod.APPLY,
    )
    return write(transport, change, kubectl)


def set_ownership(
    transport: Transport,
    live: LiveObject,
    resource: Resource,
    release: ReleaseName,
    metadata: OwnershipMetadata | None,
    kubectl: Kubectl,
) -> LiveObject:
    """Write one label and two annotations by a JSON merge patch, and return the live object after it.

    They name the release unless other ``metadata`` is given. The patch carries the resourceVersion, so that the server
    refuses it if the object changed since it was read. Raises ClusterError, which says whether anything was written.
    """
    metadata = metadata or OwnershipMetadata.for_release(release)
    annotations = {RELEASE_NAME: metadata.release_name, RELEASE_NAMESPACE: metadata.release_namespace}
    done = f"given ownership metadata for release {release}"
    return set_metadata(transport, live, resource, {MANAGED_BY: metadata.managed_by}, annotations, done, kubectl)


def set_metadata(
    transport: Transport,
    live: LiveObject,
    resource: Resource,
    labels: Mapping[str, str | None],
    annotations: Mapping[str, str | None],
    done: str,
    kubectl: Kubectl,
) -> LiveObject:
    """Write labels and annotations by a JSON merge patch, ``None`` to remove one, and return the live object after it.

    The patch carries the resourceVersion, so that the server refuses it if the object changed since it was read.
    ``done`` as in ``Write``. Raises ClusterError, which says whether anything was written.
    """
    wanted = ObjectLookup(resource, live.key.namespace, live.key.name, body=live.body is not None)
    patch = {"resourceVersion": live.resource_version, "labels": labels, "annotations": annotations}
    body = json.dumps({"metadata": {name: value for name, value in patch.items() if value}}).encode()
    now = write(transport, Write(wanted, "PATCH", body, MERGE_PATCH, OWN_FIELD_MANAGER, done), kubectl)
    shown = all(now.labels.get(key) == value for key, value in labels.items()) and all(
        now.annotations.get(key) == value for key, value in annotations.items()
    )
    if now.uid != live.uid or not shown:
        raise ClusterError(
            f"the server accepted that it is {done}, but the object does not show it",
            where=object_name(resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return now


def set_managed_fields(
    transport: Transport,
    live: LiveObject,
    resource: Resource,
    managed_fields: Sequence[Json],
    kubectl: Kubectl,
    *,
    dry_run: bool,
) -> LiveObject:
    """Replace ``metadata.managedFields``, and return the live object after it.

    By a JSON patch with the resourceVersion, as client-go does (``UpgradeManagedFieldsPatch``,
    util/csaupgrade/upgrade.go of client-go 0.36.2). Raises ClusterError, which says whether anything was written.
    """
    wanted = ObjectLookup(resource, live.key.namespace, live.key.name, body=True)
    patch = [
        {"op": "replace", "path": "/metadata/managedFields", "value": list(managed_fields)},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version},
    ]
    done = "given other field managers" + (" (tried as a dry run)" if dry_run else "")
    body = json.dumps(patch).encode()
    change = Write(wanted, "PATCH", body, "application/json-patch+json", OWN_FIELD_MANAGER, done, dry_run=dry_run)
    now = write(transport, change, kubectl)
    managers = {entry.get("manager") for entry in (now.body["metadata"].get("managedFields") or ())}
    if now.uid != live.uid or managers != {entry.get("manager") for entry in managed_fields}:
        raise ClusterError(
            "the server accepted the field managers, but the object does not show them",
            where=object_name(resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return now


def replace_payload(transport: Transport, stored: StoredObject, packed: str, kubectl: Kubectl) -> LiveObject:
    """Replace ``data.release`` and nothing else, and answer what is live then.

    An update, not a patch: that is the right which Helm itself needs for its storage (``Update``,
    pkg/storage/driver/secrets.go of Helm 3.21.4). The object goes back as it was read, resourceVersion included, so
    that the server refuses it where somebody wrote meanwhile. Raises ClusterError, which says whether anything was
    written.
    """
    live = stored.live
    wanted = ObjectLookup(stored.storage.resource, live.key.namespace, live.key.name, body=True)
    body = {**live.body, "data": {**live.body["data"], "release": packed}}
    done = f"given a new payload for revision {stored.revision.revision}"
    change = Write(wanted, "PUT", json.dumps(body).encode(), "application/json", OWN_FIELD_MANAGER, done)
    now = write(transport, change, kubectl)
    if now.uid != live.uid or (now.body.get("data") or {}).get("release") != packed:
        raise ClusterError(
            f"the server took the new payload of revision {stored.revision.revision}, but the object does not show it",
            where=object_name(wanted.resource, live.key),
            next=look_at(wanted, kubectl),
        )
    return now
