"""What Helm will write, sent as a dry run: everything but the last step, so that nothing changes."""

from __future__ import annotations

import json
import re

from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.explain import Asked, Kubectl, causes, message, unclear
from postrender.cluster.reading import collection_path, exact_path
from postrender.cluster.transport import DRY_RUN, Transport
from postrender.identity import SECRET
from postrender.live import Json, Unknown
from postrender.record import replace
from postrender.source import Wanted
from postrender.trial import Accepted, Conflict, Conflicting, NotAsked, Rejected, Trial, TrialAnswer, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.migrating import Pruned
    from postrender.cluster.schemas import Schemas

FIELD_MANAGER = "helm"
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


def attempt(transport: Transport, trial: Trial, kubectl: Kubectl, schemas: Schemas | None = None) -> TrialAnswer:
    """What the server says to one trial. Raises ValueError where it does not name exactly one object.

    ``schemas`` are needed for a trial with a client-side past.
    """
    answer = _sent(transport, trial, kubectl)
    if not trial.client_side_past or schemas is None or not isinstance(answer, (Accepted, Rejected)):
        return answer
    from postrender.cluster.migrating import (
        after_migration,
        changed,
    )  # Only Helm 4 migrates, and only once for each object.

    found = after_migration(transport, schemas, trial, kubectl)
    if not trial.first_own:
        return _unmigrated(transport, trial, kubectl, answer, found)
    if found is None:
        return answer
    if isinstance(found, Unknown):
        return NotAsked(found.reason, found.next)
    if isinstance(found, str):
        return answer if isinstance(answer, Rejected) else Rejected(found)
    # What the server makes of the pruned object, defaults and validation included, is its last word on the apply too.
    answer = _sent(transport, replace(trial, verb=Verb.JSON, body=list(found.patch)), kubectl)
    if isinstance(answer, Accepted):
        return replace(answer, removed=changed(found.gone, found.live, answer.live))
    return answer


def _unmigrated(
    transport: Transport, trial: Trial, kubectl: Kubectl, answer: TrialAnswer, found: Pruned | str | Unknown | None
) -> TrialAnswer:
    """The answer with what stays of a client-side past that Helm does not migrate, as far as that can be computed."""
    from postrender.cluster.migrating import Pruned, changed

    if not isinstance(answer, Accepted) or not isinstance(found, Pruned):
        return answer
    pruned = _sent(transport, replace(trial, verb=Verb.JSON, body=list(found.patch)), kubectl)
    return (
        replace(answer, left=changed(found.gone, answer.live, pruned.live)) if isinstance(pruned, Accepted) else answer
    )


def _sent(transport: Transport, trial: Trial, kubectl: Kubectl) -> TrialAnswer:
    method, content_type = _SENT[trial.verb]
    outcome = transport.request(
        method,
        _path(trial),
        query=_query(trial),
        body=json.dumps(trial.body).encode(),
        content_type=content_type,
    )
    if isinstance(outcome, Answer):
        if outcome.status in (200, 201):
            body = outcome.json()
            return Accepted(body) if isinstance(body, dict) else NotAsked("its answer to a dry run is no object")
        told = _refused(outcome, trial)
        if told is not None:
            return told
    return _unclear(outcome, trial, kubectl)


def _path(trial: Trial) -> str:
    wanted = Wanted(trial.resource, trial.key.namespace, trial.key.name, body=True)
    return collection_path(wanted) if trial.verb is Verb.CREATE else exact_path(wanted)


def _query(trial: Trial) -> str:
    """As ``patchResourceServerSide`` and the like (pkg/kube/client.go) send it, but for the dry run."""
    parts = [DRY_RUN, f"fieldManager={FIELD_MANAGER}"]
    if trial.verb is Verb.APPLY:
        parts.append(f"force={'true' if trial.force else 'false'}")
    if trial.strict:
        parts.append("fieldValidation=Strict")
    return "&".join(parts)


def _refused(answer: Answer, trial: Trial) -> TrialAnswer | None:
    """The server's no, where it is one that Helm will get too; ``None`` where it may be about the dry run or us."""
    said, secret = message(answer), trial.key.group_kind == SECRET
    given = causes(answer)
    if answer.status == 409:
        conflicts = tuple(_conflict(cause) for cause in given if cause.get("reason") == "FieldManagerConflict")
        if conflicts:
            return Conflicting(conflicts, said)
        # What is applied does not rest on what was read, so that Helm will hear the same.
        return Rejected(message(answer, secret=secret)) if trial.verb is Verb.APPLY else None
    denied = _DENIED.search(said)
    if _NO_DRY_RUN in said or not (answer.status in (400, 422) or denied or _NOT_TYPED in said):
        return None
    told = message(answer, secret=secret)
    if denied and trial.new:
        # What Helm makes before it in this very run may be what the admission asks for.
        return NotAsked(f"as things are before the run, {told}")
    return Rejected(told)


def _conflict(cause: Json) -> Conflict:
    """``conflict with "kubectl" using v1``: only entries of plain writes say a version (``printManager``,
    k8s.io/apimachinery, pkg/util/managedfields/internal/conflict.go).
    """
    found = re.match(r'conflict with ("(?:[^"\\]|\\.)*")(.*)', str(cause.get("message")))
    manager = json.loads(found[1]) if found else str(cause.get("message"))
    return Conflict(str(cause.get("field")), manager, bool(found and " using " in found[2]))


def _unclear(outcome: Answer | NoAnswer, trial: Trial, kubectl: Kubectl) -> NotAsked:
    verb = _RIGHTS.get(trial.verb, "patch")
    why = unclear(outcome, kubectl, Asked(verb, trial.resource, trial.key.namespace, trial.key.name))
    return NotAsked(why.reason, why.next)
