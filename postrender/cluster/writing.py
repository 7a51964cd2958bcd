"""One guarded write: sent once, and told apart what it came to: done, not done, or nobody knows."""

from __future__ import annotations

from collections.abc import Collection

from postrender.cluster.answer import Answer, NoAnswer
from postrender.cluster.explain import Asked, Kubectl, message, unclear
from postrender.cluster.parallel import one
from postrender.cluster.reading import METADATA, collection_path, exact_path, verified
from postrender.cluster.transport import Transport
from postrender.errors import ClusterError
from postrender.identity import object_name
from postrender.live import LiveObject
from postrender.record import Record
from postrender.source import Misshapen, Wanted

MERGE_PATCH = "application/merge-patch+json"

_VERBS = {"PATCH": "patch", "POST": "create", "PUT": "update"}


class Write(Record):
    """A change of one live object, guarded by the resourceVersion in its body; a ``POST`` makes one that is not there.

    ``done`` is what is done to the object, in the words of every message: ``stamped for release shop/old``.
    """

    wanted: Wanted
    method: str
    body: bytes
    content_type: str
    manager: str
    done: str
    dry_run: bool = False
    force: bool = False


def write(transport: Transport, change: Write, kubectl: Kubectl) -> LiveObject:
    """Send it, and answer what is live then; raises ClusterError, which says whether anything was written."""
    wanted = change.wanted
    where = object_name(wanted.resource, wanted.key)
    asked = Asked(_VERBS[change.method], wanted.resource, wanted.namespace, wanted.name)
    making = change.method == "POST"
    path = collection_path(wanted) if making else exact_path(wanted)
    late: Answer | NoAnswer = NoAnswer(f"no answer within {transport.patience:g} s")
    outcome = one(
        lambda: transport.request(
            change.method,
            path,
            query=f"fieldManager={change.manager}"
            + ("&dryRun=All" if change.dry_run else "")
            + ("&force=true" if change.force else ""),
            accept="application/json" if wanted.body else METADATA,
            body=change.body,
            content_type=change.content_type,
        ),
        patience=transport.patience,
        given_up=late,
    )
    answer = carried_out(outcome, wanted, change.done, {201 if making else 200}, asked, kubectl)
    try:
        return verified(answer, wanted, exists=not (making and change.dry_run))
    except Misshapen as error:
        raise ClusterError(
            f"it was {change.done}, but the answer is odd: {error}", where=where, next=look_at(wanted, kubectl)
        ) from error


def carried_out(
    outcome: Answer | NoAnswer, wanted: Wanted, done: str, taken: Collection[int], asked: Asked, kubectl: Kubectl
) -> Answer:
    """The answer to a write, where its status is one of ``taken``; ``done`` as in ``Write``.

    Raises ClusterError, which says whether it was done, was not, or nobody knows.
    """
    where = object_name(wanted.resource, wanted.key)
    if isinstance(outcome, NoAnswer):
        raise ClusterError(
            f"it was to be {done}, and whether it was is not known: {outcome.reason}",
            where=where,
            next=look_at(wanted, kubectl),
        )
    if outcome.status == 409:
        raise ClusterError(
            f"it changed since it was read, so it was not {done}: {message(outcome, secret=asked.writes_secret)}",
            where=where,
            next=("run the same command again", look_at(wanted, kubectl)),
        )
    if outcome.status not in taken:
        why = unclear(outcome, kubectl, asked)
        raise ClusterError(f"it could not be {done}: {why.reason}", where=where, next=why.next)
    return outcome


def look_at(wanted: Wanted, kubectl: Kubectl) -> str:
    """The command that shows the object."""
    return kubectl.call(f"get {wanted.resource.qualified} {wanted.name} -o yaml", wanted.namespace)
